//! Leaves alone the variables that a cell does not mention.
//!
//! evcxr takes every variable of the notebook out of the store at the beginning of every cell, and
//! puts it back at the end. Here a variable whose name is nowhere in the student's statements stays
//! where it is. So a cell that never ends keeps only what it works with, and a cell costs the same
//! with fifty variables as with none. Whether a variable still has its type is always checked.
//!
//! A cell whose panics evcxr does not catch keeps all: it is compiled only for its errors, in which
//! rustc names variables that are spelled like one that it does not find.

use std::{collections::BTreeSet, ops::Range};

/// Blanks out the lines that take and put the variables that the cell does not mention.
pub(super) fn leave_unused(lines: &mut [String], function: Range<usize>) {
    let function = &mut lines[function];
    let catches = |line: &String| line.contains("std::panic::catch_unwind(");
    if !function.iter().any(catches) {
        return;
    }
    let words = mentioned(function);
    // A macro such as `paste!` makes names out of parts.
    if function.iter().any(|line| line.contains("[<")) {
        return;
    }
    let is_unused = |name: &str| !words.contains(name.trim_start_matches("r#"));
    let unused: BTreeSet<String> = function
        .iter()
        .filter_map(|line| taken(line))
        .filter(|name| is_unused(name))
        .map(str::to_owned)
        .collect();
    for line in function {
        let name = taken(line).or_else(|| put(line).map(|(name, _)| name));
        if name.is_some_and(|name| unused.contains(name)) {
            line.clear();
        }
    }
}

/// Every word of the function that is not in a line about one variable: also those in texts, since
/// `println!("{x}")` names `x`, and those in comments, which do no harm.
fn mentioned(function: &[String]) -> BTreeSet<String> {
    let about_one =
        |line: &str| taken(line).is_some() || put(line).is_some() || checked(line).is_some();
    function
        .iter()
        .filter(|line| !about_one(line))
        .flat_map(|line| line.split(|letter: char| !letter.is_alphanumeric() && letter != '_'))
        .map(str::to_owned)
        .collect()
}

/// The variable of a line that evcxr wrote to take it. A type that the student wrote on several
/// lines is on several lines here; such a variable is always taken.
pub(crate) fn taken(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("let ")?;
    let rest = rest.strip_prefix("mut ").unwrap_or(rest);
    let (name, rest) = rest.split_once(" = evcxr_variable_store.take_variable::<")?;
    rest.ends_with(&format!(">(stringify!({name}));"))
        .then_some(name)
}

/// The variable of a line that evcxr wrote to keep it, and its type.
pub(crate) fn put(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("evcxr_variable_store.put_variable::<")?;
    let name = rest.strip_suffix(");")?.rsplit_once(", ")?.1;
    let ty = rest.strip_suffix(&format!(">(stringify!({name}), {name});"))?;
    Some((name, ty))
}

/// The variable of a line that evcxr wrote to check its type, and that type.
pub(crate) fn checked(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("vars_ok &= evcxr_variable_store.check_variable::<")?;
    let name = rest.strip_suffix("));")?.rsplit_once('(')?.1;
    let ty = rest.strip_suffix(&format!(">(stringify!({name}));"))?;
    Some((name, ty))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: &str =
        "vars_ok &= evcxr_variable_store.check_variable::<(i32, i32)>(stringify!(a));
let mut a = evcxr_variable_store.take_variable::<(i32, i32)>(stringify!(a));
let r#in = evcxr_variable_store.take_variable::<i32>(stringify!(r#in));
let long = evcxr_variable_store.take_variable::<Vec<
i32>>(stringify!(long));
match std::panic::catch_unwind(
CELL
evcxr_variable_store.put_variable::<u8>(stringify!(new), new);
})) { 
evcxr_variable_store.put_variable::<(i32, i32)>(stringify!(a), a);
evcxr_variable_store.put_variable::<i32>(stringify!(r#in), r#in);
evcxr_variable_store.put_variable::<Vec<
i32>>(stringify!(long), long);";

    /// The names in the lines that are left, of those that take, and of those that put.
    fn left(cell: &str) -> (Vec<String>, Vec<String>) {
        let source = FUNCTION.replace("CELL", cell);
        let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
        let before = lines.clone();
        let all = 0..lines.len();
        leave_unused(&mut lines, all);
        assert!(
            lines
                .iter()
                .zip(&before)
                .all(|(line, before)| line.is_empty() || line == before)
        );
        assert!(lines[0].contains("check_variable"));
        let names = |name: fn(&str) -> Option<&str>| {
            lines
                .iter()
                .filter_map(|line| name(line).map(str::to_owned))
                .collect()
        };
        (names(taken), names(|line| put(line).map(|(name, _)| name)))
    }

    #[track_caller]
    fn check(cell: &str, expected: &[&str]) {
        let (taken, mut put) = left(cell);
        assert_eq!(taken, expected, "{cell}");
        // The cell's own.
        assert_eq!(put.remove(0), "new");
        assert_eq!(put, expected, "{cell}");
    }

    #[test]
    fn only_what_the_cell_mentions_is_taken() {
        check("let new = 1;", &[]);
        check("let new = a.0;", &["a"]);
        check("let new = all;", &[]);
        check("f(\"{a:?}\");", &["a"]);
        check("f(r#in);", &["r#in"]);
        check("// a in", &["a", "r#in"]);
        check("paste! { [<x y>] }", &["a", "r#in"]);
    }

    #[test]
    fn a_variable_whose_type_has_several_lines_is_always_taken() {
        let mut lines: Vec<String> = FUNCTION.lines().map(str::to_owned).collect();
        let all = 0..lines.len();
        leave_unused(&mut lines, all);
        assert_eq!(lines.join("\n").matches("long").count(), 4);
    }

    #[test]
    fn a_cell_that_is_compiled_for_its_errors_takes_all() {
        let source = FUNCTION.replace("catch_unwind", "");
        let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
        let all = 0..lines.len();
        leave_unused(&mut lines, all);
        assert_eq!(lines.join("\n"), source);
    }
}
