//! The connection file: where Jupyter wants the kernel to listen, and with which key.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};
pub use jupyter_protocol::{ConnectionInfo, Transport};

/// Reads a connection file.
///
/// # Errors
///
/// When it cannot be read, is no connection file, or wants another signature than HMAC-SHA256.
pub fn read(path: &Path) -> anyhow::Result<ConnectionInfo> {
    let file = path.display();
    let text = fs::read_to_string(path).with_context(|| {
        format!("cannot read the connection file {file}; Jupyter writes it when it starts a kernel")
    })?;
    let connection: ConnectionInfo = serde_json::from_str(&text)
        .with_context(|| format!("{file} is not a Jupyter connection file"))?;
    ensure!(
        connection.key.is_empty() || connection.signature_scheme == "hmac-sha256",
        "{file} asks for the signature scheme {:?}; only \"hmac-sha256\" is supported",
        connection.signature_scheme,
    );
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kernel-1.json");
        fs::write(&path, text).unwrap();
        format!("{:#}", read(&path).unwrap_err())
    }

    #[test]
    fn every_error_names_the_file() {
        let scheme = r#"{"ip": "127.0.0.1", "transport": "tcp", "shell_port": 1, "iopub_port": 2,
            "stdin_port": 3, "control_port": 4, "hb_port": 5, "key": "k",
            "signature_scheme": "hmac-md5"}"#;
        for text in ["", "[]", r#"{"ip": "127.0.0.1"}"#, scheme] {
            assert!(error(text).contains("kernel-1.json"), "{}", error(text));
        }
        assert!(error(scheme).contains("hmac-md5"));
        assert!(error(r#"{"ip": "127.0.0.1"}"#).contains("missing field"));
        let missing = read(Path::new("/nowhere/kernel-2.json")).unwrap_err();
        assert!(format!("{missing:#}").contains("/nowhere/kernel-2.json"));
    }
}
