//! Finds where checkpoints can stand.

use std::ops::Range;

use syn::{
    Attribute, Block, Expr, MacroDelimiter, Signature, Stmt,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::{CALL, CLOSE, OPEN};
use crate::leading::first_part;

/// Functions of std that do not return. Behind any other that does not, rustc may find a checkpoint
/// that is never reached.
const NEVER_RETURN: [&str; 4] = ["abort", "exit", "panic_any", "resume_unwind"];
/// Macros that do not go on, the common ones.
const NEVER_GO_ON: [&str; 5] = ["bail", "panic", "todo", "unimplemented", "unreachable"];

pub(super) struct Finder {
    pub(super) pieces: Vec<(usize, &'static str)>,
    pub(super) followers: Vec<(usize, Range<usize>)>,
    /// Where the function that evcxr calls may have checkpoints.
    cell: Range<usize>,
    in_cell: bool,
    optimised: bool,
    code: Code,
}

/// What the code that is being looked at may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Ordinary,
    /// Evaluated by the compiler. A closure in it is not.
    Constant,
    /// Called from C, through which nothing can unwind.
    Foreign,
}

impl Finder {
    pub(super) fn new(cell: Range<usize>, optimised: bool) -> Self {
        Self {
            pieces: Vec::new(),
            followers: Vec::new(),
            cell,
            in_cell: false,
            optimised,
            code: Code::Ordinary,
        }
    }

    fn put(&mut self, at: usize, text: &'static str) {
        let is_ours = !self.in_cell || (self.cell.start <= at && at <= self.cell.end);
        if self.code == Code::Ordinary && is_ours {
            self.pieces.push((at, text));
        }
    }

    fn within(&mut self, code: Code, look: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.code, code);
        look(self);
        self.code = outside;
    }

    fn function(&mut self, attributes: &[Attribute], signature: &Signature, body: &Block) {
        let is_cell = signature.ident.to_string().starts_with("run_user_code_");
        let code = match &signature.abi {
            _ if signature.constness.is_some() => Code::Constant,
            Some(abi)
                if !is_cell && abi.name.as_ref().is_none_or(|name| name.value() != "Rust") =>
            {
                Code::Foreign
            }
            _ => Code::Ordinary,
        };
        let was_in_cell = self.in_cell;
        self.in_cell |= is_cell;
        self.within(code, |finder| {
            if !is_cell && finder.is_worth_it(body) {
                finder.begin(attributes, body);
            }
            finder.statements(body, true);
        });
        self.in_cell = was_in_cell;
    }

    /// Whether the body can take long. A loop in it has a checkpoint of its own.
    fn is_worth_it(&self, body: &Block) -> bool {
        !self.optimised || Calls::among(|calls| calls.visit_block(body))
    }

    fn begin(&mut self, attributes: &[Attribute], body: &Block) {
        // They would have to come first.
        let has_inner = attributes
            .iter()
            .any(|attribute| matches!(attribute.style, syn::AttrStyle::Inner(_)));
        if !has_inner {
            self.put(body.brace_token.span.open().byte_range().end, CALL);
        }
    }

    /// `ends_soon`: what comes after the last statement is a checkpoint anyway, or the end.
    fn statements(&mut self, block: &Block, ends_soon: bool) {
        let stmts = &block.stmts;
        for (index, stmt) in stmts.iter().enumerate() {
            self.visit_stmt(stmt);
            let is_last = index + 1 == stmts.len();
            let Some(end) = end_of_call(stmt) else {
                continue;
            };
            if is_last && ends_soon {
                continue;
            }
            self.put(end, CALL);
            if let Some(next) = stmts.get(index + 1) {
                self.followers.push((end, range(next)));
            }
        }
    }

    fn repeated(&mut self, attributes: &[Attribute], body: &Block) {
        self.begin(attributes, body);
        self.statements(body, true);
    }

    fn closure_body(&mut self, body: &Expr) {
        match body {
            Expr::Block(block) if block.label.is_none() => {
                if self.is_worth_it(&block.block) {
                    self.begin(&block.attrs, &block.block);
                }
                // Also the last statement of a cell counts: it is to end as one that was stopped.
                let is_cell = self.in_cell && range(body).start < self.cell.start;
                self.statements(&block.block, !is_cell);
            }
            _ => {
                let is_worth_it = !self.optimised || Calls::among(|calls| calls.visit_expr(body));
                if is_worth_it && can_be_last_in_a_block(body) {
                    let range = range(body);
                    self.put(range.start, OPEN);
                    self.visit_expr(body);
                    self.put(range.end, CLOSE);
                } else {
                    self.visit_expr(body);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.attrs, &item.sig, body);
        }
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.statements(block, false);
    }

    fn visit_expr_loop(&mut self, repeated: &'ast syn::ExprLoop) {
        self.repeated(&repeated.attrs, &repeated.body);
    }

    fn visit_expr_while(&mut self, repeated: &'ast syn::ExprWhile) {
        self.visit_expr(&repeated.cond);
        self.repeated(&repeated.attrs, &repeated.body);
    }

    fn visit_expr_for_loop(&mut self, repeated: &'ast syn::ExprForLoop) {
        self.visit_expr(&repeated.expr);
        if self.is_worth_it(&repeated.body) {
            self.begin(&repeated.attrs, &repeated.body);
        }
        self.statements(&repeated.body, true);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        let code = match self.code {
            _ if closure.constness.is_some() => Code::Constant,
            Code::Foreign => Code::Foreign,
            _ => Code::Ordinary,
        };
        self.within(code, |finder| finder.closure_body(&closure.body));
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.within(Code::Constant, |finder| {
            visit::visit_item_const(finder, item)
        });
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.within(Code::Constant, |finder| {
            visit::visit_item_static(finder, item)
        });
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.within(Code::Constant, |finder| {
            visit::visit_impl_item_const(finder, item)
        });
    }

    fn visit_trait_item_const(&mut self, item: &'ast syn::TraitItemConst) {
        self.within(Code::Constant, |finder| {
            visit::visit_trait_item_const(finder, item)
        });
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.within(Code::Constant, |finder| {
            visit::visit_variant(finder, variant)
        });
    }

    fn visit_type(&mut self, ty: &'ast syn::Type) {
        self.within(Code::Constant, |finder| visit::visit_type(finder, ty));
    }

    fn visit_pat(&mut self, pattern: &'ast syn::Pat) {
        self.within(Code::Constant, |finder| visit::visit_pat(finder, pattern));
    }

    fn visit_generics(&mut self, generics: &'ast syn::Generics) {
        self.within(Code::Constant, |finder| {
            visit::visit_generics(finder, generics)
        });
    }

    fn visit_generic_argument(&mut self, argument: &'ast syn::GenericArgument) {
        self.within(Code::Constant, |finder| {
            visit::visit_generic_argument(finder, argument)
        });
    }

    fn visit_expr_const(&mut self, constant: &'ast syn::ExprConst) {
        self.within(Code::Constant, |finder| {
            visit::visit_expr_const(finder, constant)
        });
    }

    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
        self.within(Code::Constant, |finder| finder.visit_expr(&repeat.len));
    }
}

/// The end of a statement that calls something and goes on behind it.
fn end_of_call(stmt: &Stmt) -> Option<usize> {
    let semicolon = match stmt {
        Stmt::Local(local) => &local.semi_token,
        Stmt::Expr(Expr::Return(_) | Expr::Break(_) | Expr::Continue(_), _) => return None,
        Stmt::Expr(Expr::Call(call), _) if last_name(&call.func, &NEVER_RETURN) => return None,
        Stmt::Expr(_, semicolon) => semicolon.as_ref()?,
        Stmt::Macro(call) => call.semi_token.as_ref()?,
        Stmt::Item(_) => return None,
    };
    let calls = Calls::among(|calls| calls.visit_stmt(stmt));
    calls.then(|| semicolon.span.byte_range().end)
}

fn range(spanned: &impl Spanned) -> Range<usize> {
    spanned.span().byte_range()
}

fn last_name(function: &Expr, names: &[&str]) -> bool {
    let Expr::Path(path) = function else {
        return false;
    };
    let last = path.path.segments.last();
    last.is_some_and(|segment| names.iter().any(|name| segment.ident == name))
}

/// Whether `{ statement; EXPRESSION }` has the value of the expression. What begins with a block
/// would end there as a statement: `match x { … }.len()`.
fn can_be_last_in_a_block(body: &Expr) -> bool {
    let first = innermost(body);
    let is_whole = std::ptr::eq(first, body);
    match first {
        Expr::Verbatim(_) => false,
        Expr::Macro(call) => matches!(
            call.mac.delimiter,
            MacroDelimiter::Paren(_) | MacroDelimiter::Bracket(_)
        ),
        Expr::Block(_)
        | Expr::Const(_)
        | Expr::ForLoop(_)
        | Expr::If(_)
        | Expr::Loop(_)
        | Expr::Match(_)
        | Expr::TryBlock(_)
        | Expr::Unsafe(_)
        | Expr::While(_) => is_whole,
        _ => true,
    }
}

/// The expression that begins all those that this one begins with.
fn innermost(expression: &Expr) -> &Expr {
    first_part(expression).map_or(expression, innermost)
}

/// Whether something is called, or repeated, by code itself: not by a closure or an item in it.
#[derive(Default)]
struct Calls(bool);

impl Calls {
    fn among(look: impl FnOnce(&mut Self)) -> bool {
        let mut calls = Self::default();
        look(&mut calls);
        calls.0
    }
}

impl<'ast> Visit<'ast> for Calls {
    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Async(_) | Expr::Closure(_) | Expr::Const(_) => {}
            Expr::Repeat(repeat) => self.visit_expr(&repeat.expr),
            Expr::Await(_)
            | Expr::Call(_)
            | Expr::ForLoop(_)
            | Expr::Loop(_)
            | Expr::MethodCall(_)
            | Expr::While(_) => self.0 = true,
            _ => visit::visit_expr(self, expression),
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let name = call
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string());
        self.0 |= !name.is_some_and(|name| NEVER_GO_ON.contains(&name.as_str()));
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}

    fn visit_type(&mut self, _: &'ast syn::Type) {}
}
