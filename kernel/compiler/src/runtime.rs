//! The tokio runtime starts with the first cell that can need it.
//!
//! `tokio::spawn` and tokio's timers look for a runtime around them. Only tokio itself and crates that
//! use it can do that, and a cell cannot reach them without a name: its own, or the name of an item
//! or a variable whose cell had to name them. So a source that holds none of these names, as a word
//! anywhere, cannot be the first to need the runtime. Its threads would take memory, time at the
//! start, and the possibility of a snapshot (see the host's `snapshot`).

/// Where evcxr's function begins: before a student's statements, on lines of its own
/// (`code_to_compile` in `eval_context.rs` of evcxr 0.22), with variables and without.
const BEGINNINGS: [&str; 2] = [
    "  -> *mut evcxr_internal_runtime::VariableStore {",
    "evcxr_variable_store: *mut u8) -> *mut u8 {",
];

/// What is put there.
const ENTER: &str = " ::interleave::private::enter_runtime();";

/// Makes the cell enter the runtime if its source names one of the crates.
pub fn enter_if_named(source: String, crates: &[String]) -> String {
    let is_named = words(&source).any(|word| {
        // Included text is not seen here.
        word == "tokio" || word == "include" || crates.iter().any(|name| name == word)
    });
    if is_named { enter(&source) } else { source }
}

fn words(source: &str) -> impl Iterator<Item = &str> {
    source.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

/// The function is generated last, and begins once.
fn enter(source: &str) -> String {
    let end = source
        .rmatch_indices('\n')
        .map(|(end, _)| end)
        .find(|end| BEGINNINGS.iter().any(|line| source[..*end].ends_with(line)));
    match end {
        Some(end) => format!("{}{ENTER}{}", &source[..end], &source[end..]),
        None => source.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(statement: &str) -> String {
        let beginning = BEGINNINGS[1];
        format!("pub extern \"C\" fn run_user_code_0(\n{beginning}\n{statement}\n}}\n")
    }

    #[track_caller]
    fn check(statement: &str, expected: bool) {
        let crates = ["reqwest".to_owned()];
        let changed = enter_if_named(cell(statement), &crates);
        assert_eq!(changed.contains("enter_runtime"), expected, "{changed}");
        assert_eq!(changed.lines().count(), cell(statement).lines().count());
        assert!(changed.contains(&format!("\n{statement}\n")), "{changed}");
    }

    #[test]
    fn only_a_cell_that_names_a_crate_enters() {
        check("tokio::spawn(work());", true);
        check("use ::tokio as t;", true);
        check("reqwest::get(url);", true);
        check("let tokio_like = my_tokio;", false);
        check("rayon::join(a, b);", false);
    }

    #[test]
    fn a_cell_with_variables_enters_too() {
        let source = format!("fn f() {{ tokio::spawn(g()); }}\n{}\nf();\n", BEGINNINGS[0]);
        let expected = source.replace(BEGINNINGS[0], &format!("{}{ENTER}", BEGINNINGS[0]));
        assert_eq!(enter_if_named(source, &[]), expected);
    }
}
