//! Commands at the head of a cell that are for this cell alone: `:lanes`, `:opt LEVEL` and `:time`.

/// What the head of a cell asks for, and the cell without it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Say how long this cell takes.
    pub(super) time: bool,
    /// Show what its threads do.
    pub(super) lanes: bool,
    /// Optimise this cell so much.
    pub(super) opt_level: Option<String>,
    /// The lines that were commands are empty comments here, so that the others keep their places.
    pub(super) code: String,
}

impl Options {
    /// Reads the head of a cell. A command that stands alone in its cell is for the notebook, and
    /// for somebody else to read.
    pub(super) fn read(code: &str) -> Self {
        let mut options = Self {
            time: false,
            lanes: false,
            opt_level: None,
            code: code.to_owned(),
        };
        if !has_statements(code) {
            return options;
        }
        let mut in_head = true;
        let lines: Vec<&str> = code
            .split('\n')
            .map(|line| {
                in_head &= is_head(line);
                if in_head && options.take(line.trim()) {
                    "//"
                } else {
                    line
                }
            })
            .collect();
        options.code = lines.join("\n");
        options
    }

    fn take(&mut self, line: &str) -> bool {
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(":time"), None, _) => self.time = true,
            (Some(":lanes"), None, _) => self.lanes = true,
            (Some(":opt"), Some(level), None) => self.opt_level = Some(level.to_owned()),
            _ => return false,
        }
        true
    }
}

/// Whether a line may stand before or among the commands of a cell.
fn is_head(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with(':') || line.starts_with("//")
}

fn has_statements(code: &str) -> bool {
    !code.lines().all(is_head)
}

/// The levels that rustc knows.
const OPT_LEVELS: [&str; 6] = ["0", "1", "2", "3", "s", "z"];

/// What is wrong with an optimisation level, if anything.
pub(super) fn wrong_level(level: &str) -> Option<String> {
    (!OPT_LEVELS.contains(&level)).then(|| {
        format!(
            "`:opt {level}`: the optimisation levels are {}",
            OPT_LEVELS.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, time: bool, opt_level: Option<&str>, rest: &str) {
        let expected = Options {
            time,
            lanes: false,
            opt_level: opt_level.map(str::to_owned),
            code: rest.to_owned(),
        };
        assert_eq!(Options::read(code), expected);
    }

    #[test]
    fn commands_before_statements_are_for_the_cell() {
        check(":time\nf()", true, None, "//\nf()");
        check(
            "\n// slow\n:opt 3\n:time\nf()",
            true,
            Some("3"),
            "\n// slow\n//\n//\nf()",
        );
        check(
            ":dep itoa\n:time\nf()\n",
            true,
            None,
            ":dep itoa\n//\nf()\n",
        );
    }

    #[test]
    fn lanes_may_be_asked_for() {
        let options = Options::read(":lanes\n:time\nf()");
        assert!(options.lanes && options.time);
        assert_eq!(options.code, "//\n//\nf()");
        assert!(!Options::read(":lanes").lanes);
    }

    #[test]
    fn commands_alone_are_for_the_notebook() {
        check(":opt 2", false, None, ":opt 2");
        check(":time on\n", false, None, ":time on\n");
        check("", false, None, "");
    }

    #[test]
    fn only_the_head_is_read() {
        check("f();\n:time", false, None, "f();\n:time");
        check(":opt\nf()", false, None, ":opt\nf()");
    }

    #[test]
    fn a_level_that_rustc_does_not_know_is_named() {
        assert_eq!(wrong_level("s"), None);
        assert!(wrong_level("9").unwrap().contains("0, 1, 2, 3, s, z"));
    }
}
