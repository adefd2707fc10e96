//! Changes the source that evcxr generated for a cell before rustc sees it.
//!
//! No line is added or removed and nothing is put before a student's code on its line, so that
//! every place that rustc names is still the place that evcxr knows. The generated lines are those
//! of evcxr 0.22 (`wrap_user_code` and `apply` in `eval_context.rs`); the tests hold samples.
//!
//! What changes, and why:
//!
//! - the variable store is the prelude's, compiled once, instead of a module in each cell;
//! - what evcxr prints as a marker on standard output becomes a call of the prelude, which tells
//!   the kernel, so that a cell can neither forge nor tear it;
//! - a variable that the cell does not mention stays in the store;
//! - a destructor that panics when the cell is over ends the cell, not the process;
//! - the value of a cell is shown through the prelude's `Show`, or else `Debug`;
//! - crate attributes that forbid something warn instead;
//! - `print!` and `dbg!` are the prelude's also inside a module of the cell;
//! - a cell that awaits runs on the prelude's event loop, and one that uses `?` inside a
//!   closure that returns `Result`: for that cell only.

use interleave_protocol::{CellFacts, unkept};

/// The source without what the kernel put around parts of it; see [`unkept`].
pub fn without_marks(generated: &str) -> String {
    generated
        .replace(unkept::OPEN, "")
        .replace(unkept::CLOSE, "")
}

mod unused;

pub(crate) use unused::{checked, put, taken};

/// The changed source.
pub fn rewrite(generated: &str, facts: &CellFacts) -> String {
    let mut lines: Vec<String> = generated.lines().map(str::to_owned).collect();
    let Some(header) = function_header(&lines) else {
        return generated.to_owned();
    };
    lint_mildly(&mut lines[..header]);
    reach_into_modules(&mut lines[..header]);
    if let Some(display) = lines.iter().rposition(|line| line == ").evcxr_display();") {
        lines[display] = ").interleave_probe().evcxr_display();".to_owned();
    }
    for line in &mut lines[header..] {
        // With `:types` and in its second try evcxr shows a text that it formats itself.
        *line = line.replace(
            "evcxr_send_text_plain(&format!(",
            "::interleave::private::show_text(&format!(",
        );
    }
    // The last one is evcxr's; a student may print the same.
    let panicked = |line: &String| line.trim() == r#"println!("EVCXR_PANIC_NOTIFICATION");"#;
    let catches = lines.iter().rposition(panicked);
    if let Some(line) = catches {
        lines[line] = "::interleave::private::cell_panicked();".to_owned();
    }
    wrap_user_code(&mut lines, header, facts);
    let function = header..lines.len();
    unused::leave_unused(&mut lines, function);
    // A variable whose name is used again is dropped at the end of the function, behind evcxr's
    // `catch_unwind`. The host catches what its destructor says; without this the process aborts.
    lines[header] = lines[header].replacen("extern \"C\"", "extern \"C-unwind\"", 1);
    if catches.is_some() {
        use_compiled_catch(&mut lines[header..]);
    }
    use_compiled_store(&mut lines);
    let mut rewritten = lines.join("\n");
    rewritten.push('\n');
    rewritten
}

/// Replaces the function that catches a panic of the cell, the first one in the cell's function: nearly
/// all of std's is generic.
fn use_compiled_catch(lines: &mut [String]) {
    const STD: &str = "std::panic::catch_unwind(";
    const CATCH: &str = "::interleave::private::catch_unwind(";
    let Some(open) = lines.iter().position(|line| line.contains(STD)) else {
        return;
    };
    lines[open] = lines[open].replacen(STD, CATCH, 1);
    let close = lines.iter().rposition(|line| line == "}).is_err() {");
    if let Some(closure) = lines[open].strip_suffix("(||{")
        && let Some(close) = close.filter(|_| !closure.ends_with("Safe"))
    {
        // Where there are no variables, evcxr writes nothing around the closure.
        lines[open] = format!("{closure}(std::panic::AssertUnwindSafe(||{{");
        lines[close] = "})).is_err() {".to_owned();
    }
}

/// Makes warnings of what the student's crate attributes forbid. They hold for all that evcxr
/// generates, too, and a cell is not the whole program that lints such as `unused_imports` judge: an
/// error would stop this cell and each later one, since evcxr keeps such attributes.
fn lint_mildly(lines: &mut [String]) {
    let before_imports = lines
        .iter_mut()
        .take_while(|line| !line.starts_with("use "));
    for line in before_imports {
        for strict in ["#![deny(", "#![forbid("] {
            // As long as it was, so that columns stay what they are.
            let mild = format!("#![warn{}(", " ".repeat(strict.len() - "#![warn(".len()));
            *line = line.replace(strict, &mild);
        }
    }
}

/// Puts the prelude's macros in the place of std's inside of modules, too, where no `use` of the cell's
/// reaches: there is nothing more outer than what `#[macro_use]` names, and the last one counts.
fn reach_into_modules(lines: &mut [String]) {
    if let Some(line) = lines
        .iter_mut()
        .find(|line| *line == "use interleave::print;")
    {
        line.push_str(" #[macro_use(dbg, print)] extern crate interleave as _;");
    }
}

/// Index of the line that begins the function to call. It is generated last.
fn function_header(lines: &[String]) -> Option<usize> {
    lines
        .iter()
        .rposition(|line| line.starts_with("pub extern \"C\" fn run_user_code_"))
}

/// Replaces the body of `mod evcxr_internal_runtime` by empty lines.
fn use_compiled_store(lines: &mut [String]) {
    const MODULE: &str = "mod evcxr_internal_runtime {";
    let Some(start) = lines.iter().rposition(|line| line == MODULE) else {
        return;
    };
    let end = lines[start..]
        .windows(2)
        .position(|pair| pair[0] == "}" && pair[1] == "#[unsafe(no_mangle)]");
    let Some(end) = end.map(|offset| start + offset) else {
        return;
    };
    lines[start] = format!("{MODULE} pub(super) use ::interleave::private::variables::*;");
    lines[start + 1..end].fill(String::new());
}

/// What to write before and after a student's statements.
struct Wrapping {
    open: &'static str,
    close: &'static str,
}

impl Wrapping {
    fn of(facts: &CellFacts) -> Option<Self> {
        let (open, close) = match (facts.awaits, facts.question_mark) {
            (false, false) => return None,
            (true, false) => ("::interleave::asyncio::run(async {", "});"),
            (false, true) => (
                "let _ = (|| -> ::std::result::Result<(), ::interleave::private::UserError> {",
                "::std::result::Result::Ok(()) })();",
            ),
            (true, true) => (
                "let _ = ::interleave::asyncio::run(async {",
                "::std::result::Result::Ok::<(), ::interleave::private::UserError>(()) });",
            ),
        };
        Some(Self { open, close })
    }
}

fn wrap_user_code(lines: &mut [String], header: usize, facts: &CellFacts) {
    let Some(wrapping) = Wrapping::of(facts) else {
        return;
    };
    let below = |lines: &[String], wanted: &str| {
        lines[header..]
            .iter()
            .position(|line| line == wanted)
            .map(|offset| header + offset)
    };
    let last = |lines: &[String], wanted: &str| lines.iter().rposition(|line| line == wanted);

    if let (Some(open), Some(close)) = (
        below(lines, "  std::panic::AssertUnwindSafe(||{"),
        last(lines, "})) { "),
    ) {
        // Panics are caught, and there are variables.
        lines[open].push_str(wrapping.open);
        lines[close].insert_str(0, wrapping.close);
    } else if let (Some(open), Some(close)) = (
        below(lines, "if std::panic::catch_unwind(||{"),
        last(lines, "}).is_err() {"),
    ) {
        // Panics are caught, and there are no variables.
        lines[open] = format!(
            "if std::panic::catch_unwind(std::panic::AssertUnwindSafe(||{{{}",
            wrapping.open
        );
        lines[close] = format!("{}}})).is_err() {{", wrapping.close);
    } else if let Some(close) = last(lines, "evcxr_variable_store") {
        // Panics are not caught: evcxr compiles once more like this to get better messages.
        let open = lines[header..close]
            .iter()
            .rposition(|line| is_before_user_code(line))
            .map(|offset| header + offset);
        if let Some(open) = open {
            lines[open].push_str(wrapping.open);
            lines[close].insert_str(0, wrapping.close);
        }
    }
}

/// Whether evcxr writes the line between the head of the function and the student's code.
fn is_before_user_code(line: &str) -> bool {
    line == "evcxr_variable_store: *mut u8) -> *mut u8 {"
        || line == "if !vars_ok {return evcxr_variable_store;}}"
        || (line.starts_with("let ") && line.contains(" = evcxr_variable_store.take_variable::<"))
}

#[cfg(test)]
mod tests;
