//! The commands of a notebook (`:help`): evcxr's, and ours.

/// A command of ours.
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
}

/// In the order of `:help`.
pub(super) const OURS: [Command; 3] = [
    Command {
        name: "?NAME",
        description: "Show the documentation of a name, as Shift+Tab does",
    },
    Command {
        name: ":quit",
        description: "End the kernel, as Shut Down in the Kernel menu does",
    },
    Command {
        name: ":version",
        description: "Print the versions of Interleave, evcxr and rustc",
    },
];

/// What a cell asks of us instead of evcxr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special<'a> {
    /// Show what is known about a name.
    Explain(&'a str),
    Help,
    Version,
    Quit,
}

/// The command, when the cell is nothing else.
pub(super) fn special(code: &str) -> Option<Special<'_>> {
    if let Some(name) = code.trim().strip_prefix('?') {
        return Some(Special::Explain(name.trim()));
    }
    match code.trim() {
        ":help" => Some(Special::Help),
        ":version" => Some(Special::Version),
        ":quit" => Some(Special::Quit),
        _ => None,
    }
}

/// Whether the cell makes evcxr forget every item, the prelude's names among them.
pub(super) fn clears_everything(code: &str) -> bool {
    has_command(code, ":clear")
}

/// Whether the cell makes evcxr start the process of the cells anew.
pub(super) fn replaces_host(code: &str) -> bool {
    clears_everything(code) || has_command(code, ":restart")
}

fn has_command(code: &str, command: &str) -> bool {
    head(code).any(|line| line.split(' ').next() == Some(command))
}

/// The commands stand at the head of a cell.
fn head(code: &str) -> impl Iterator<Item = &str> {
    code.lines()
        .map(str::trim)
        .take_while(|line| line.is_empty() || line.starts_with(':') || line.starts_with("//"))
}

/// Our part of `:help`, as text.
pub(super) fn help_text() -> String {
    OURS.iter()
        .map(|command| format!("{:<17} {}\n", command.name, command.description))
        .collect()
}

/// Our part of `:help`, as rows of an HTML table.
pub(super) fn help_rows() -> String {
    OURS.iter()
        .map(|command| {
            format!(
                "<tr><td>{}</td><td>{}</td></tr>",
                command.name, command.description
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_at_the_head() {
        assert!(clears_everything("// start again\n:clear\nlet x = 1;"));
        assert!(!clears_everything("let x = 1;\n:clear"));
        assert!(replaces_host(":restart"));
        assert!(!replaces_host(":restarted"));
        assert_eq!(special(" :quit\n"), Some(Special::Quit));
        assert_eq!(special(":quit\n1"), None);
        assert_eq!(special("?Vec::push"), Some(Special::Explain("Vec::push")));
    }
}
