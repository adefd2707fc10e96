//! With what an expression begins: what is put before the one is put before the other.

use syn::Expr;

/// What an expression begins with, if that is an expression, too.
pub(crate) fn first_part(expression: &Expr) -> Option<&Expr> {
    Some(match expression {
        Expr::Assign(it) => &it.left,
        Expr::Await(it) => &it.base,
        Expr::Binary(it) => &it.left,
        Expr::Call(it) => &it.func,
        Expr::Cast(it) => &it.expr,
        Expr::Field(it) => &it.base,
        Expr::Index(it) => &it.expr,
        Expr::MethodCall(it) => &it.receiver,
        Expr::Range(syn::ExprRange {
            start: Some(start), ..
        }) => start,
        Expr::Try(it) => &it.expr,
        _ => return None,
    })
}
