//! A program that was pasted into a cell.

use ra_ap_syntax::{
    AstNode, SyntaxNode,
    ast::{self, HasAttrs, HasName},
};

use super::super::{
    report::{CellText, Mark, Remark, Report},
    syntax::parsed::Parsed,
};

/// What to say of a cell that defines `main` and has no statement: nothing calls it.
pub(super) fn warning(cell: &CellText) -> Option<Report> {
    let parsed = Parsed::of(&cell.code);
    let statements: Vec<SyntaxNode> = parsed.statements().collect();
    if !statements
        .iter()
        .all(|node| ast::Item::can_cast(node.kind()))
    {
        return None;
    }
    let main = statements
        .into_iter()
        .filter_map(ast::Fn::cast)
        .find(is_main)?;
    let call = if main.async_token().is_some() && !becomes_sync(&main) {
        "main().await"
    } else {
        "main()"
    };
    let end = cell.code.trim_end().len();
    Some(Report {
        is_warning: true,
        code: None,
        message: "`main` is defined here, and a cell does not call it".to_owned(),
        marks: vec![Mark {
            cell: cell.clone(),
            span: parsed.bytes(main.name()?.syntax().text_range())?,
            label: String::new(),
            primary: true,
        }],
        remarks: vec![Remark {
            is_help: true,
            message: "call it, here or in another cell".to_owned(),
            marks: Vec::new(),
            changes: vec![(cell.clone(), end..end, format!("\n{call}"))],
        }],
    })
}

fn is_main(function: &ast::Fn) -> bool {
    let has_parameters = || {
        function
            .param_list()
            .is_some_and(|list| list.params().next().is_some())
    };
    function.name().is_some_and(|name| name.text() == "main") && !has_parameters()
}

/// `#[tokio::main]` and its like make a function that waits by itself.
fn becomes_sync(function: &ast::Fn) -> bool {
    function.attrs().any(|attribute| attribute.path().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(code: &str) -> Option<String> {
        let cell = CellText {
            title: "In[1]".to_owned(),
            code: code.to_owned(),
        };
        let [help] = warning(&cell)?.remarks.try_into().ok()?;
        Some(help.changes[0].2.trim().to_owned())
    }

    #[test]
    fn a_program_is_told_how_it_is_called() {
        let check = |code: &str, expected: &str| assert_eq!(call(code).as_deref(), Some(expected));
        check("use std::thread;\nfn f() {}\nfn main() { f() }\n", "main()");
        check("async fn main() {}", "main().await");
        check("#[tokio::main]\nasync fn main() {}", "main()");
    }

    #[test]
    fn a_cell_that_does_something_is_no_program() {
        for code in [
            "fn main() {}\nmain();",
            "fn main() {}\nmain()",
            "fn main() {}\nlet x = 1;",
            "fn main(n: i32) {}",
            "fn f() {}",
            "mod m { fn main() {} }",
            "",
        ] {
            assert_eq!(call(code), None, "{code}");
        }
    }
}
