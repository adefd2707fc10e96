//! Sockets that have a path.

use std::{fs::File, io, os::fd::AsRawFd, path::Path};

/// What the system takes for the path of a socket, with a zero behind it: `sun_path`, see unix(7).
const MOST_OF_PATH: usize = 108;

/// Calls a function with a path to this socket that is short enough to bind or to connect to. A temporary
/// directory may lie deeper than the system allows for that.
///
/// # Errors
///
/// Those of the function, and when the directory of the socket cannot be opened.
///
/// # Examples
///
/// ```
/// use std::os::unix::net::{UnixListener, UnixStream};
///
/// let deep = std::env::temp_dir().join(format!("{}{}", "deep".repeat(40), std::process::id()));
/// std::fs::create_dir(&deep)?;
/// let socket = deep.join("socket");
/// let listener = interleave_protocol::at_socket(&socket, |path| UnixListener::bind(path))?;
/// interleave_protocol::at_socket(&socket, |path| UnixStream::connect(path))?;
/// assert!(socket.exists() && UnixStream::connect(&socket).is_err());
/// # std::fs::remove_dir_all(&deep)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn at_socket<T>(path: &Path, call: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return call(path);
    };
    if path.as_os_str().len() < MOST_OF_PATH {
        return call(path);
    }
    let directory = File::open(parent)?;
    let short = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string());
    call(&short.join(name))
}
