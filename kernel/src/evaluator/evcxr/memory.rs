//! How much memory a cell may take, so that it cannot take the whole machine.
//!
//! The limit is the system's own for the data of a process (`RLIMIT_DATA`, see `setrlimit(2)`): the
//! heap, the stacks of threads, and everything else that is private and can be written to, counted
//! when it is asked for and not when it is first touched. So `vec![0; huge]` fails at once, with
//! Rust's own message, before the machine begins to suffer. Address space (`RLIMIT_AS`) would also
//! count what is only reserved, of which malloc reserves 64 MiB for a thread.

use std::{fs, path::Path, str::FromStr};

use bytesize::ByteSize;

/// Environment variable: the limit, such as `4GB`, or `none`.
const LIMIT_ENV: &str = "INTERLEAVE_MEMORY_LIMIT";

/// A limit is at least this: the process of the cells needs a part of it for itself.
const LEAST: u64 = 512 << 20;

/// What the process of the cells may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MemoryLimit(Option<u64>);

impl Default for MemoryLimit {
    /// What the environment says, or half of what is free now.
    fn default() -> Self {
        match std::env::var(LIMIT_ENV).map(|text| text.parse()) {
            Ok(Ok(limit)) => limit,
            Ok(Err(reason)) => {
                tracing::warn!("{LIMIT_ENV}: {reason}");
                Self::default_of_machine()
            }
            Err(_) => Self::default_of_machine(),
        }
    }
}

impl MemoryLimit {
    fn default_of_machine() -> Self {
        Self(free_memory().map(|free| (free / 2).max(LEAST)))
    }

    /// Bytes, or `None` without a limit.
    pub(super) fn bytes(self) -> Option<u64> {
        self.0
    }
}

impl FromStr for MemoryLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        let size: ByteSize = text
            .parse()
            .map_err(|_| format!("`{text}` is no amount of memory; write `4GB`, or `none`"))?;
        if size.as_u64() < LEAST {
            let least = ByteSize(LEAST);
            return Err(format!("the limit must be at least {least}, or `none`"));
        }
        Ok(Self(Some(size.as_u64())))
    }
}

impl std::fmt::Display for MemoryLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, "{}", ByteSize(bytes)),
            None => f.write_str("none"),
        }
    }
}

/// Bytes that this process could take without harm to others, if the system can tell: the least of
/// what the machine and each group that the process is in have left.
fn free_memory() -> Option<u64> {
    let machine = available(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let left = groups.lines().filter_map(group_directory);
    let left = left.flat_map(|(mount, group)| {
        let inside = Path::new(&mount).join(group.trim_start_matches('/'));
        let up_to_mount = inside.ancestors().map(Path::to_owned).collect::<Vec<_>>();
        up_to_mount
            .into_iter()
            .take_while(move |directory| directory.starts_with(&mount))
            .filter_map(|directory| left_in_group(&directory))
    });
    left.chain([machine]).min()
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Where the files about memory of a line of `/proc/self/cgroup` are: the mount, and the group.
fn group_directory(line: &str) -> Option<(String, &str)> {
    let mut parts = line.splitn(3, ':');
    let (number, controllers, group) = (parts.next()?, parts.next()?, parts.next()?);
    match controllers {
        "" if number == "0" => Some(("/sys/fs/cgroup".into(), group)),
        _ if controllers.split(',').any(|it| it == "memory") => {
            Some((format!("/sys/fs/cgroup/{controllers}"), group))
        }
        _ => None,
    }
}

/// What a group's limit leaves, in bytes. Pages of files can be given up, so they are not counted.
fn left_in_group(directory: &Path) -> Option<u64> {
    let read = |name| fs::read_to_string(directory.join(name)).ok();
    let number = |name| read(name)?.trim().parse::<u64>().ok();
    let limit = number("memory.max").or_else(|| number("memory.limit_in_bytes"))?;
    let used = number("memory.current").or_else(|| number("memory.usage_in_bytes"))?;
    let files = read("memory.stat").and_then(|stat| {
        let line = stat.lines().find_map(|line| {
            line.strip_prefix("inactive_file ")
                .or_else(|| line.strip_prefix("total_inactive_file "))
        });
        line?.trim().parse().ok()
    });
    Some(limit.saturating_sub(used.saturating_sub(files.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_an_amount_or_none() {
        let parsed = |text: &str| text.parse::<MemoryLimit>();
        assert_eq!(parsed("4GB"), Ok(MemoryLimit(Some(4_000_000_000))));
        assert_eq!(parsed("1.5 GiB"), Ok(MemoryLimit(Some(3 << 29))));
        assert_eq!(parsed("none"), Ok(MemoryLimit(None)));
        assert!(parsed("much").unwrap_err().contains("`much`"));
        assert!(parsed("1MB").unwrap_err().contains("at least 512.0 MiB"));
        assert_eq!(MemoryLimit(Some(3 << 29)).to_string(), "1.5 GiB");
    }

    #[test]
    fn free_memory_is_what_is_left_in_the_smallest_group() {
        assert_eq!(
            available("MemTotal: 9 kB\nMemAvailable:    1024 kB\n"),
            Some(1 << 20)
        );
        let group = tempfile::tempdir().unwrap();
        let write = |name, text| fs::write(group.path().join(name), text).unwrap();
        assert_eq!(left_in_group(group.path()), None);
        write("memory.max", "1000\n");
        write("memory.current", "700\n");
        assert_eq!(left_in_group(group.path()), Some(300));
        write("memory.stat", "anon 5\ninactive_file 200\n");
        assert_eq!(left_in_group(group.path()), Some(500));
        write("memory.max", "max\n");
        assert_eq!(left_in_group(group.path()), None);
    }

    #[test]
    fn both_versions_of_groups_are_found() {
        let found = |line| group_directory(line).map(|(mount, group)| (mount, group.to_owned()));
        let v2 = ("/sys/fs/cgroup".to_owned(), "/user".to_owned());
        assert_eq!(found("0::/user"), Some(v2));
        let v1 = ("/sys/fs/cgroup/memory".to_owned(), "/a:b".to_owned());
        assert_eq!(found("4:memory:/a:b"), Some(v1));
        assert_eq!(found("3:cpuset:/"), None);
        assert!(free_memory().is_some(), "this machine has memory");
    }
}
