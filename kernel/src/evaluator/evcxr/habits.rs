//! What a cell that is no Rust was meant as: many students know Python and IPython first.

use std::ops::Range;

use super::{
    commands,
    report::{Mark, Remark, Report},
    syntax::head_length,
};

/// How a line begins that is Python's, and what to write in Rust.
const LINES: [(&str, &str); 9] = [
    (
        "%",
        "what begins with `%` is IPython's. Here `:time` above statements shows how long they \
         take, `?NAME` explains a name, and `:help` lists the commands",
    ),
    (
        "import ",
        "in Rust: `use std::thread;`. `threading`, `concurrent` and `asyncio` are there already",
    ),
    (
        "from ",
        "in Rust: `use std::{thread, time::Duration};`. `threading`, `concurrent` and `asyncio` \
         are there already",
    ),
    ("def ", "in Rust: `fn double(n: i32) -> i32 { 2 * n }`"),
    (
        "async def ",
        "in Rust: `async fn double(n: i32) -> i32 { 2 * n }`",
    ),
    (
        "class ",
        "in Rust: `struct Point { x: i32, y: i32 }`, and `impl Point { … }` for what it can do",
    ),
    (
        "with ",
        "in Rust a guard ends with its block: `{ let mut value = lock.lock().unwrap(); *value += 1; }`",
    ),
    ("elif ", "in Rust: `else if n > 1 { … }`"),
    (
        "try:",
        "in Rust an error is a value: `match f() { Ok(value) => …, Err(error) => … }`, or `f()?`",
    ),
];

/// Functions and modules that Python has, and what serves in Rust.
const NAMES: [(&str, &str); 8] = [
    ("range", "in Rust: `for i in 0..3 { … }`"),
    ("len", "in Rust: `values.len()`"),
    (
        "input",
        "in Rust: `let mut line = String::new(); std::io::stdin().read_line(&mut line)?;`",
    ),
    ("str", "in Rust: `n.to_string()`, or `format!(\"{n}\")`"),
    (
        "int",
        "in Rust: `text.parse::<i32>()?`, or `x as i32` for a number",
    ),
    (
        "time",
        "in Rust: `std::thread::sleep`, with a `std::time::Duration`",
    ),
    (
        "sleep",
        "in Rust: `std::thread::sleep`, with a `std::time::Duration`",
    ),
    (
        "enumerate",
        "in Rust: `for (i, value) in values.iter().enumerate() { … }`",
    ),
];

/// evcxr's words for a command that it does not know (`process_command` in `command_context.rs`).
const UNKNOWN_COMMAND: &str = "Unrecognised command ";

/// How much two commands are alike if one may have been meant by the other, from 0 to 1.
const ALIKE: f64 = 0.8;

/// Adds to the errors of a cell what they cannot know. Where a line is Python, the rest of what the
/// compiler says about it only leads away.
pub(super) fn explain(reports: &mut Vec<Report>) {
    let Some(first) = reports.first_mut() else {
        return;
    };
    if let Some(command) = first.message.strip_prefix(UNKNOWN_COMMAND) {
        let (message, help) = match commands::description(command) {
            Some(description) => (
                format!("this is not how `{command}` is used"),
                description.to_owned(),
            ),
            None => (
                format!("there is no command `{command}`"),
                help_for_unknown(command),
            ),
        };
        first.message = message;
        first.remarks.push(remark(help));
        return;
    }
    let main = first.marks.iter().find(|mark| mark.primary);
    let Some(used) = main.or(first.marks.first()) else {
        return;
    };
    let line = line(used);
    let is_in_head = line.start < head_length(&used.cell.code);
    let help = help_for_line(&used.cell.code[line.clone()]).filter(|_| !is_in_head);
    if let Some(help) = help {
        *first = Report {
            message: "this line is not Rust".to_owned(),
            marks: vec![Mark {
                span: line,
                label: String::new(),
                ..used.clone()
            }],
            remarks: vec![remark(help)],
            ..Report::default()
        };
        reports.truncate(1);
    } else if let Some("E0425" | "E0423" | "E0433") = first.code.as_deref()
        && let Some(help) = help_for_name(&used.cell.code[used.span.clone()])
    {
        first.remarks.push(remark(help.to_owned()));
    }
}

fn help_for_line(line: &str) -> Option<String> {
    let begins = |word: &str| line.starts_with(word);
    let is_block = line.ends_with(':') && ["if ", "for ", "while ", "else"].into_iter().any(begins);
    let is_command = || {
        let word = line.split_whitespace().next();
        word.is_some_and(|word| commands::names().any(|name| name == word))
    };
    if let Some((_, help)) = LINES.iter().find(|(word, _)| begins(word)) {
        Some((*help).to_owned())
    } else if is_block {
        Some("in Rust a block stands in braces: `for i in 0..3 { … }`".to_owned())
    } else if is_command() {
        Some("a command stands above the statements, or alone in its cell".to_owned())
    } else {
        None
    }
}

fn help_for_name(name: &str) -> Option<&'static str> {
    let (_, help) = NAMES.iter().find(|(known, _)| *known == name)?;
    Some(help)
}

fn help_for_unknown(command: &str) -> String {
    let similar = commands::names()
        .map(|known| (strsim::jaro_winkler(command, known), known))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    match similar {
        Some((_, known)) if known != ":help" => {
            format!("a similar one is `{known}`; `:help` lists all")
        }
        _ => "`:help` lists the commands".to_owned(),
    }
}

/// The line that a mark begins in, without the white space around it.
fn line(mark: &Mark) -> Range<usize> {
    let (before, after) = mark.cell.code.split_at(mark.span.start);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let end = after
        .find('\n')
        .map_or(mark.cell.code.len(), |end| before.len() + end);
    let line = &mark.cell.code[start..end];
    let indent = line.len() - line.trim_start().len();
    start + indent..start + line.trim_end().len().max(indent)
}

fn remark(message: String) -> Remark {
    Remark {
        is_help: true,
        message,
        marks: Vec::new(),
        changes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::evcxr::report::CellText;

    fn report(message: &str, code: Option<&str>, cell: &str, marked: &str) -> Report {
        let start = cell.find(marked).unwrap();
        Report {
            code: code.map(str::to_owned),
            message: message.to_owned(),
            marks: vec![Mark {
                cell: CellText {
                    title: "In[1]".to_owned(),
                    code: cell.to_owned(),
                },
                span: start..start + marked.len(),
                label: String::new(),
                primary: true,
            }],
            ..Report::default()
        }
    }

    #[track_caller]
    fn check(mut reports: Vec<Report>, expected: &[&str]) {
        explain(&mut reports);
        let drawn: String = reports.iter().flat_map(Report::draw).collect();
        for part in expected {
            assert!(drawn.contains(part), "{drawn}");
        }
    }

    #[test]
    fn of_a_line_of_python_one_error_is_left() {
        let cell = "let x = 1;\n  import threading";
        let mut reports = vec![
            report("expected `;`", None, cell, " threading"),
            report("not a value", Some("E0423"), cell, "threading"),
        ];
        reports[0].remarks.push(remark("add `;` here".to_owned()));
        explain(&mut reports);
        let [only] = reports.as_slice() else {
            panic!("{reports:?}");
        };
        let drawn = only.draw().join("\n");
        assert!(
            drawn.contains("this line is not Rust") && drawn.contains("use std::thread;"),
            "{drawn}"
        );
        assert!(!drawn.contains("add `;`"), "{drawn}");
        assert_eq!(&cell[only.marks[0].span.clone()], "import threading");
    }

    #[test]
    fn rust_that_looks_alike_is_left_alone() {
        let cell = "for i in 0..3 { f(\nimporter, len(v)) }";
        for marked in ["for", "importer", "v))"] {
            let mut reports = vec![report("wrong", Some("E0425"), cell, marked)];
            explain(&mut reports);
            assert!(reports[0].remarks.is_empty(), "{reports:?}");
        }
    }

    #[test]
    fn blocks_and_names_of_python_are_known() {
        let line = "for i in range(3):";
        check(vec![report("wrong", None, line, "range")], &["braces"]);
        let line = "f(len(v));";
        check(
            vec![report("cannot find function", Some("E0425"), line, "len")],
            &["values.len()"],
        );
    }

    #[test]
    fn a_command_below_statements_is_told_where_it_belongs() {
        let cell = "let x = 1;\n:vars";
        check(
            vec![report("wrong", None, cell, ":vars")],
            &["above the statements"],
        );
        check(
            vec![report("no such crate", None, ":dep none\n1", ":dep none")],
            &["no such crate"],
        );
    }

    #[test]
    fn a_command_that_is_unknown_or_misused_is_told_from_the_others() {
        let unknown = |command: &str| {
            vec![report(
                &format!("{UNKNOWN_COMMAND}{command}"),
                None,
                command,
                command,
            )]
        };
        check(
            unknown(":vras"),
            &["no command `:vras`", "a similar one is `:vars`"],
        );
        check(unknown(":xyzzy"), &["`:help` lists the commands"]);
        check(
            unknown(":memory"),
            &["not how `:memory` is used", "limit 4GB"],
        );
    }
}
