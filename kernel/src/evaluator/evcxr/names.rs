//! Names in code: the one under a cursor, a type's short one, the one that a completion inserts.

/// The end of the name at `cursor`, or of the function whose argument list `cursor` is in; `None`
/// when there is none. Both are byte offsets.
pub(super) fn end_of_name(code: &str, cursor: usize) -> Option<usize> {
    let after = code.get(cursor..)?;
    let rest = after
        .find(|letter| !is_name_part(letter))
        .unwrap_or(after.len());
    let end = cursor + rest;
    if code.get(..end)?.ends_with(is_name_part) {
        return Some(end);
    }
    let open = unclosed_parenthesis(code.get(..cursor)?)?;
    // evcxr's hover knows a method by the parenthesis behind it.
    code.get(..open)?
        .ends_with(is_name_part)
        .then_some(open + 1)
}

fn unclosed_parenthesis(code: &str) -> Option<usize> {
    let mut closed = 0;
    for (at, letter) in code.char_indices().rev() {
        match letter {
            ')' => closed += 1,
            '(' if closed == 0 => return Some(at),
            '(' => closed -= 1,
            ';' | '{' | '}' => return None,
            _ => {}
        }
    }
    None
}

fn is_name_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// `core::num::error::ParseIntError` → `ParseIntError`.
pub(super) fn short(type_name: &str) -> String {
    let mut short = String::new();
    let mut start = 0;
    for (at, letter) in type_name.char_indices() {
        if !is_name_part(letter) && letter != ':' {
            short.push_str(last_segment(&type_name[start..at]));
            short.push(letter);
            start = at + letter.len_utf8();
        }
    }
    short.push_str(last_segment(&type_name[start..]));
    short
}

fn last_segment(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// What to insert of what rust-analyzer proposes.
///
/// It fills in names for the arguments, which are no code. A function that takes some is inserted
/// as its bare name: with a parenthesis, JupyterLab would list `push_mut` before `push(`.
pub(super) fn insertion(code: &str) -> String {
    let code = code.trim_end_matches(';');
    let Some((name, rest)) = code.split_once('(') else {
        return code.to_owned();
    };
    let is_call = rest.ends_with(')') && name.ends_with(is_name_part);
    if !is_call || rest == ")" {
        return code.to_owned();
    }
    name.to_owned()
}

/// Whether a completion is one of the names by which cells show their values.
pub(super) fn is_internal(code: &str) -> bool {
    code.starts_with("interleave_probe") || code.starts_with("evcxr_display")
}

/// The line that declares a name, in the text that explains it: `pub fn push(&mut self, value: T)`.
pub(super) fn declaration(explanation: &str, name: &str) -> Option<String> {
    let keywords = [
        "fn ", "let ", "static ", "const ", "struct ", "enum ", "trait ", "mod ", "type ",
    ];
    let declares = |line: &&str| {
        let has_name = line
            .split(|letter| !is_name_part(letter))
            .any(|word| word == name);
        has_name && (keywords.iter().any(|keyword| line.contains(keyword)) || line.contains(": "))
    };
    let line = explanation
        .lines()
        .take_while(|line| !line.starts_with("---"))
        .find(declares)?;
    Some(line.trim().trim_end_matches([' ', '{']).to_owned())
}

/// Headings as a pane of documentation has them, not as a page does.
pub(super) fn small_headings(html: &str) -> String {
    let mut html = html.to_owned();
    for level in ["1", "2", "3"] {
        html = html
            .replace(&format!("<h{level}>"), "<h4>")
            .replace(&format!("</h{level}>"), "</h4>");
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_at_the_cursor_is_found() {
        assert_eq!(end_of_name("let x = foo;", 9), Some(11));
        assert_eq!(end_of_name("foo", 3), Some(3));
        assert_eq!(end_of_name("v.push(", 7), Some(7));
        assert_eq!(end_of_name("v.push(f(1), ", 13), Some(7));
        assert_eq!(end_of_name("f(1); ", 6), None);
        assert_eq!(end_of_name("", 0), None);
        assert_eq!(end_of_name("值", 1), None);
    }

    #[test]
    fn types_lose_their_paths() {
        assert_eq!(short("core::num::error::ParseIntError"), "ParseIntError");
        assert_eq!(
            short("alloc::boxed::Box<dyn core::error::Error>"),
            "Box<dyn Error>"
        );
    }

    #[test]
    fn a_function_is_inserted_without_its_arguments() {
        assert_eq!(insertion("push(value);"), "push");
        assert_eq!(insertion("len()"), "len()");
        assert_eq!(insertion("HashMap"), "HashMap");
        assert_eq!(insertion("if v {\n    \n}"), "if v {\n    \n}");
    }

    #[test]
    fn the_declaration_is_found_among_the_words_about_it() {
        let text = "alloc::vec::Vec\n\nimpl<T, A> Vec<T, A>\npub fn push(&mut self, value: T)\nwhere\n---\nAppends";
        assert_eq!(
            declaration(text, "push").unwrap(),
            "pub fn push(&mut self, value: T)"
        );
        assert_eq!(
            declaration("let v: Vec<i32>", "v").unwrap(),
            "let v: Vec<i32>"
        );
        assert_eq!(declaration("nothing here", "v"), None);
    }
}
