//! The compilers that evcxr started: it offers no handle for them.

use std::{collections::HashMap, fs};

use rustix::process::{Pid, Signal};

/// Name of the program that evcxr takes for cargo, as Linux shows it: cut after 15 bytes.
const STAND_IN: &str = "cargo";

/// Ends every compiler below this process. What runs below the host belongs to cells.
pub(super) fn kill_compilers() {
    let children = children_by_parent();
    let own = rustix::process::getpid();
    for process in children.get(&own).into_iter().flatten() {
        if process.name == STAND_IN {
            // It leads a group, if the kernel leads a session: nothing that is just being started
            // by one of them is missed.
            let _ = rustix::process::kill_process_group(process.id, Signal::KILL);
            kill_tree(process.id, &children);
        }
    }
}

struct Process {
    id: Pid,
    name: String,
}

fn kill_tree(root: Pid, children: &HashMap<Pid, Vec<Process>>) {
    // An error means that it has ended by itself. The parent first, so that it starts nothing new.
    let _ = rustix::process::kill_process(root, Signal::KILL);
    for child in children.get(&root).into_iter().flatten() {
        kill_tree(child.id, children);
    }
}

fn children_by_parent() -> HashMap<Pid, Vec<Process>> {
    let mut children: HashMap<Pid, Vec<Process>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let stat = fs::read_to_string(entry.path().join("stat"));
        if let Some((parent, process)) = stat.ok().as_deref().and_then(parse_stat) {
            children.entry(parent).or_default().push(process);
        }
    }
    children
}

/// Reads `ID (NAME) STATE PARENT …`, see `proc_pid_stat(5)`. The name may contain anything.
fn parse_stat(stat: &str) -> Option<(Pid, Process)> {
    let (id, rest) = stat.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let parent = rest.split(' ').nth(1)?;
    let id = Pid::from_raw(id.parse().ok()?)?;
    Some((
        Pid::from_raw(parent.parse().ok()?)?,
        Process {
            id,
            name: name.to_owned(),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_confuse() {
        let (parent, process) = parse_stat("12 (a) b (c) S 7 12 12 0\n").unwrap();
        assert_eq!(
            (parent.as_raw_nonzero().get(), process.name.as_str()),
            (7, "a) b (c")
        );
        assert!(parse_stat("").is_none());
    }

    #[test]
    fn this_process_is_found_below_its_parent() {
        let own = rustix::process::getpid();
        let parent = rustix::process::getppid().unwrap();
        assert!(
            children_by_parent()[&parent]
                .iter()
                .any(|process| process.id == own)
        );
    }
}
