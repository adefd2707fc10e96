//! The commands of a notebook (`:help`): evcxr's, and ours.

use super::{syntax::head_length, timing};

/// A command of ours.
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
}

/// In the order of `:help`.
pub(super) const OURS: [Command; 12] = [
    Command {
        name: "?NAME",
        description: "Show the documentation of a name, as Shift+Tab does",
    },
    Command {
        name: ":lanes",
        description: "Show what threads and tasks did: above statements, those of that cell; alone, of \
                      the last one (`:lanes 5`: of In[5]); `save FILE` (.svg, .html, .txt, .json); \
                      `on`, `off` and `auto`, all cells from now on",
    },
    Command {
        name: ":memory",
        description: "Show how much memory cells may take; set it: :memory limit 4GB, or none",
    },
    Command {
        name: ":opt",
        description: "Optimise (`:opt 2`, 0 to 3): above statements, that cell; alone, all cells from now on",
    },
    Command {
        name: ":output",
        description: "Choose how much output a cell shows (`limit 20MB`, `limit none`), and whether \
                      what a thread prints goes to the cell that started it (`birth`) or to the \
                      newest (`current`)",
    },
    Command {
        name: ":join [NAME]",
        description: "Wait for the threads and tasks of earlier cells, or for one of them, by its name or number in \
                      `:threads`",
    },
    Command {
        name: ":quit",
        description: "End the kernel, as Shut Down in the Kernel menu does",
    },
    Command {
        name: ":stop [NAME]",
        description: "Stop the threads and tasks of earlier cells, or one of them: `:stop worker`, `:stop task 7`",
    },
    Command {
        name: ":threads",
        description: "List the threads and tasks that cells have started, and what they do. `:threads limit N` allows N \
                      threads at once",
    },
    Command {
        name: ":time",
        description: "Show how long a cell compiles, waits and runs: above statements, that cell; alone, \
                      the last one; `on` and `off`, all cells from now on",
    },
    Command {
        name: ":version",
        description: "Print the versions of Interleave, evcxr and rustc",
    },
    Command {
        name: ":why",
        description: "Say why threads are stuck, or why the cell was that was interrupted last",
    },
];

/// What a cell asks of us instead of evcxr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special<'a> {
    /// Show what is known about a name.
    Explain(&'a str),
    Help,
    /// Show what threads did, or choose whether to.
    Lanes(&'a str),
    /// Choose where output goes and how much of it.
    Output(&'a str),
    Threads,
    Time(timing::Request),
    /// So many threads may live at once, as the student wrote it.
    LimitThreads(&'a str),
    /// Wait for the threads with these names, or for all.
    Join(&'a str),
    /// Stop those.
    Stop(&'a str),
    Version,
    /// Say why threads are stuck.
    Why,
    /// Show the limit of memory, or set what stands behind `limit`.
    Memory(Option<&'a str>),
    Quit,
}

/// The command, when the cell is nothing else.
pub(super) fn special(code: &str) -> Option<Special<'_>> {
    if let Some(name) = code.trim().strip_prefix('?') {
        return Some(Special::Explain(name.trim()));
    }
    let code = code.trim();
    if code.contains('\n') {
        return None;
    }
    let (name, arguments) = code.split_once(char::is_whitespace).unwrap_or((code, ""));
    match (name, arguments.trim().strip_prefix("limit")) {
        (":threads", Some(limit)) => return Some(Special::LimitThreads(limit.trim())),
        (":join", _) => return Some(Special::Join(arguments)),
        (":stop", _) => return Some(Special::Stop(arguments)),
        (":lanes", _) => return Some(Special::Lanes(arguments.trim())),
        (":output", _) => return Some(Special::Output(arguments.trim())),
        _ => {}
    }
    if let Some(rest) = code.strip_prefix(":memory") {
        return memory(rest.trim());
    }
    match code {
        ":help" => Some(Special::Help),
        ":threads" => Some(Special::Threads),
        ":time" => Some(Special::Time(timing::Request::Last)),
        ":time on" => Some(Special::Time(timing::Request::On)),
        ":time off" => Some(Special::Time(timing::Request::Off)),
        ":version" => Some(Special::Version),
        ":why" => Some(Special::Why),
        ":quit" => Some(Special::Quit),
        _ => None,
    }
}

fn memory(rest: &str) -> Option<Special<'_>> {
    match rest.strip_prefix("limit ") {
        Some(limit) => Some(Special::Memory(Some(limit.trim()))),
        None => rest.is_empty().then_some(Special::Memory(None)),
    }
}

/// Whether the cell makes evcxr forget every item, the prelude's names among them.
pub(super) fn clears_everything(code: &str) -> bool {
    has_command(code, ":clear")
}

/// Whether the cell starts the process of the cells anew.
pub(super) fn replaces_host(code: &str) -> bool {
    clears_everything(code) || has_command(code, RESTART)
}

/// The cell without its `:restart`, if it has one.
pub(super) fn without_restart(code: &str) -> Option<String> {
    if !has_command(code, RESTART) {
        return None;
    }
    let line = code.lines().find(|line| line.trim() == RESTART)?;
    // What follows keeps its places.
    Some(code.replacen(line, "//", 1))
}

const RESTART: &str = ":restart";

/// Whether the cell is a command that answers with types.
pub(super) fn shows_types(code: &str) -> bool {
    let command = code.trim().split(' ').next();
    matches!(command, Some(":vars" | ":type" | ":t"))
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

/// The code without its commands, except those that name crates. Lines stay.
pub(super) fn only_crates(code: &str) -> String {
    let (head, body) = code.split_at(head_length(code));
    let kept = head.split_inclusive('\n').map(|line| {
        let is_crate = line.split_whitespace().next() == Some(":dep");
        match line.trim_end_matches('\n') {
            text if is_crate || text.starts_with("//") => line,
            text => &line[text.len()..],
        }
    });
    kept.chain([body]).collect()
}

/// What evcxr has that a student needs.
const THEIRS: [&str; 6] = [":clear", ":dep", ":help", ":restart", ":type", ":vars"];

/// The commands, as they are written.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OURS.iter()
        .filter_map(|command| command.name.split(' ').next())
        .chain(THEIRS)
}

/// What a command of ours does, for one that was not given as it must be.
pub(super) fn description(name: &str) -> Option<&'static str> {
    let is_this = |command: &&Command| command.name.split(' ').next() == Some(name);
    OURS.iter().find(is_this).map(|command| command.description)
}

/// Whether the first line is for a shell, such as `!ls -l`, although it could be Rust: the word is a
/// program's name, and nothing that the notebook has defined.
pub(super) fn runs_program(code: &str, is_defined: impl FnOnce(&str) -> bool) -> bool {
    let Some(line) = code.strip_prefix('!').and_then(|rest| rest.lines().next()) else {
        return false;
    };
    let word = line.split_whitespace().next().unwrap_or_default();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    line.starts_with(word)
        && !word.is_empty()
        && std::env::split_paths(&paths).any(|directory| directory.join(word).is_file())
        && !is_defined(word)
}

/// Both parts of `:help`, as text. Of a command that both have, ours.
pub(super) fn help_text(theirs: &str) -> String {
    let ours = OURS
        .iter()
        .map(|command| format!("{:<17} {}\n", command.name, command.description));
    let theirs = theirs.lines().filter(|line| {
        let name = line.split_whitespace().next().unwrap_or_default();
        !is_ours(name)
    });
    ours.chain(theirs.map(|line| format!("{line}\n"))).collect()
}

/// The same as an HTML table.
pub(super) fn help_html(theirs: &str) -> String {
    let ours = OURS.iter().map(|command| {
        format!(
            "<tr><td>{}</td><td>{}</td></tr>\n",
            command.name, command.description
        )
    });
    let theirs = theirs.lines().filter(|line| {
        let name = line
            .strip_prefix("<tr><td>")
            .and_then(|rest| rest.split('<').next());
        name.is_some_and(|name| !is_ours(name))
    });
    let rows: String = ours.chain(theirs.map(|line| format!("{line}\n"))).collect();
    format!("<table>\n{rows}</table>\n")
}

fn is_ours(name: &str) -> bool {
    description(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_both_have_is_listed_once() {
        let text = help_text(":quit             Quit evaluation and exit\n:vars  List variables\n");
        assert_eq!(text.matches(":quit").count(), 1);
        assert!(text.contains(":vars  List variables"));
        let html = help_html(
            "<table>\n<tr><td>:quit</td><td>Quit</td></tr>\n<tr><td>:vars</td><td>List</td></tr>\n</table>",
        );
        assert_eq!(html.matches(":quit").count(), 1);
        assert!(html.contains(":vars"));
    }

    #[test]
    fn a_line_is_for_a_shell_if_its_word_is_a_program_and_no_name_of_the_notebook() {
        assert!(runs_program("!ls -l\nlet x = 1;", |_| false));
        assert!(!runs_program("!ls", |name| name == "ls"));
        for rust in ["!is_ready", "!ls()", "!(ls)", "! ls", "!", "ls"] {
            assert!(!runs_program(rust, |_| false), "{rust}");
        }
    }

    #[test]
    fn commands_are_taken_out() {
        assert_eq!(
            only_crates(":opt 2\n:dep a = \"1\"\n!ls\n// c\nlet x = 1;\n:d"),
            "\n:dep a = \"1\"\n\n// c\nlet x = 1;\n:d"
        );
    }

    #[test]
    fn commands_stand_at_the_head() {
        assert!(clears_everything("// start again\n:clear\nlet x = 1;"));
        assert!(!clears_everything("let x = 1;\n:clear"));
        assert!(replaces_host(":restart"));
        assert!(!replaces_host(":restarted"));
        assert_eq!(
            without_restart("// again\n:restart\n1").as_deref(),
            Some("// again\n//\n1")
        );
        assert_eq!(without_restart("let x = 1;\n:restart"), None);
        assert!(shows_types(":vars\n") && shows_types(":t x") && !shows_types(":types"));
        assert_eq!(
            without_restart(":vars\n:restart\n1"),
            Some(":vars\n//\n1".into())
        );
        assert_eq!(without_restart("1\n:restart"), None);
        assert_eq!(special(" :quit\n"), Some(Special::Quit));
        for above in [":quit", ":lanes", ":join", ":output", ":memory limit 4GB"] {
            assert_eq!(special(&format!("{above}\n1")), None, "a line follows");
        }
        assert_eq!(special(":output"), Some(Special::Output("")));
        assert_eq!(
            special(":output limit 1MB"),
            Some(Special::Output("limit 1MB"))
        );
        assert_eq!(special(":outputs"), None);
        assert_eq!(special(":threads"), Some(Special::Threads));
        assert_eq!(
            special(":threads limit 5"),
            Some(Special::LimitThreads("5"))
        );
        assert_eq!(special(":join"), Some(Special::Join("")));
        assert_eq!(special(":join a 7\n"), Some(Special::Join("a 7")));
        assert_eq!(special("?Vec::push"), Some(Special::Explain("Vec::push")));
        assert_eq!(special(":memory"), Some(Special::Memory(None)));
        assert_eq!(
            special(":memory limit  4 GB "),
            Some(Special::Memory(Some("4 GB")))
        );
        assert_eq!(special(":memory 4GB"), None);
    }
}
