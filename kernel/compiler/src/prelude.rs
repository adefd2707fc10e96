//! Which build of the prelude the host has loaded.
//!
//! cargo unites the features that all crates ask of one. So an addition may ask a crate that the
//! prelude uses for a feature more, and then cargo compiles that crate and the prelude anew. Cells
//! that link the new build cannot run in a host that has the old one: their symbols differ. A link
//! in the workspace leads to the build that the host is to load; when a cell comes with another, the
//! link is changed and the cell is refused, once, and the kernel starts the host anew.

use std::{
    fs,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use interleave_protocol::{PRELUDE_CHANGED, PRELUDE_LINK, WORKSPACE_ENV};
use serde_json::{Value, json};

/// Whether the host has another build than the given one. Then the link leads to the given one from
/// now on.
///
/// # Errors
///
/// When a file is missing or the disk fails.
pub fn has_changed(prelude: &Path) -> Result<bool> {
    let Some(workspace) = std::env::var_os(WORKSPACE_ENV) else {
        return Ok(false);
    };
    let link = Path::new(&workspace).join(PRELUDE_LINK);
    // The same build is another path after `:dep`, but the same file: a hard link.
    if link.exists() && identity(&link)? == identity(prelude)? {
        return Ok(false);
    }
    lead(&link, prelude)?;
    Ok(true)
}

/// Makes the link in a workspace lead to a build, and returns its path.
///
/// # Errors
///
/// When the disk fails.
pub fn link(workspace: &Path, prelude: &Path) -> Result<PathBuf> {
    let link = workspace.join(PRELUDE_LINK);
    lead(&link, prelude)?;
    Ok(link)
}

/// What evcxr reads as an error of the compiler.
pub fn error() -> Value {
    json!({
        "$message_type": "diagnostic",
        "level": "error",
        "message": "the crates that every cell uses were compiled anew",
        "code": { "code": PRELUDE_CHANGED, "explanation": null },
        "spans": [],
        "children": [],
        "rendered": null,
    })
}

fn lead(link: &Path, prelude: &Path) -> Result<()> {
    let new = link.with_extension("new");
    let _ = fs::remove_file(&new);
    symlink(prelude, &new)
        .and_then(|()| fs::rename(&new, link))
        .with_context(|| format!("cannot make the link {}", link.display()))
}

fn identity(file: &Path) -> Result<(u64, u64)> {
    let metadata = fs::metadata(file).with_context(|| format!("cannot find {}", file.display()))?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hard_link_is_the_same_build() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("a.so"), "a").unwrap();
        fs::write(at("b.so"), "a").unwrap();
        fs::hard_link(at("a.so"), at("c.so")).unwrap();
        let link = link(directory.path(), &at("a.so")).unwrap();
        assert_eq!(identity(&link).unwrap(), identity(&at("c.so")).unwrap());
        assert_ne!(identity(&link).unwrap(), identity(&at("b.so")).unwrap());
        lead(&link, &at("b.so")).unwrap();
        assert_eq!(identity(&link).unwrap(), identity(&at("b.so")).unwrap());
    }
}
