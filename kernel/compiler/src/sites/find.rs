//! Finds the calls.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use proc_macro2::Span;
use syn::{
    Expr, ExprMethodCall, Stmt,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::{NAMELESS, OPEN, Site, WAIT, WAITED, close, ends, macros};
use crate::leading::first_part;

/// Take a lock, and have no arguments.
const LOCKS: [&str; 6] = ["lock", "read", "write", "try_lock", "try_read", "try_write"];
/// The same of tokio's, but for those with the same names; they may have arguments.
const OF_TOKIO: [&str; 13] = [
    "acquire",
    "acquire_many",
    "acquire_owned",
    "acquire_many_owned",
    "try_acquire",
    "try_acquire_owned",
    "lock_owned",
    "read_owned",
    "write_owned",
    "try_lock_owned",
    "blocking_lock",
    "blocking_read",
    "blocking_write",
];
/// Of a condition variable: take a lock again, which is their first argument.
const WAITS: [&str; 4] = ["wait", "wait_while", "wait_timeout", "wait_timeout_while"];
/// Wait for something that can be noted before: what it is.
const NAMED: [&str; 3] = ["recv", "send", "wait"];
/// Wait for something else.
const OTHERS: [&str; 8] = [
    "recv_timeout",
    "send_timeout",
    "join",
    "result",
    "block_on",
    "call_once",
    "get_or_init",
    "notified",
];
/// Functions that wait.
const FUNCTIONS: [&str; 4] = ["scope", "park", "block_on", "run"];
/// So much of a name is kept.
const LENGTH: usize = 40;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In the order of their numbers.
    pub(crate) sites: Vec<Site>,
    /// Where those begin that are noted, and what is to stand there; the outer one first.
    pub(crate) opens: Vec<(usize, String)>,
    /// The same of where they end; at one place the inner one is last.
    pub(crate) closes: Vec<(usize, String)>,
    /// Whether there are calls that may take locks where nothing can be noted: within macros.
    pub(crate) takes_unseen: bool,
}

/// Finds them in the source of a cell.
pub(crate) fn find(source: &str, file: &syn::File, cell: u64) -> Found {
    let mut finder = Finder {
        source,
        cell,
        found: Found::default(),
        bare: HashSet::new(),
        unneeded: HashSet::new(),
        channels: HashMap::new(),
        bodies: Vec::new(),
    };
    let (channels, bodies) = ends::find(file);
    let channels = channels.into_iter().map(|channel| (channel.at, channel));
    finder.channels.extend(channels);
    finder.bodies = bodies;
    finder.visit_file(file);
    finder.found
}

struct Finder<'a> {
    source: &'a str,
    cell: u64,
    found: Found,
    /// Calls around which nothing can be written.
    bare: HashSet<Range<usize>>,
    /// Calls whose value is given back at once.
    unneeded: HashSet<Range<usize>>,
    /// By where they are made.
    channels: HashMap<usize, ends::Channel>,
    bodies: Vec<ends::Body>,
}

impl Finder<'_> {
    fn remember(&mut self, whole: &Expr, receiver: &Expr, method: &str, at: Span) -> usize {
        let column = |span: Span| span.start().column + 1;
        let text = self.source.get(range(receiver)).unwrap_or_default();
        self.found.sites.push(Site {
            line: at.start().line,
            start: column(whole.span()),
            column: column(at),
            receiver: short(text),
            method: method.to_owned(),
            ends: Vec::new(),
            bodies: Vec::new(),
        });
        self.found.sites.len() - 1
    }

    /// Writes the note around an expression whose value may be a guard.
    fn note(&mut self, whole: &Expr, site: usize) {
        let range = range(whole);
        if self.bare.contains(&range) || self.unneeded.contains(&range) {
            return;
        }
        if let Some(number) = Site::number(self.cell, site) {
            self.found.opens.push((range.start, OPEN.to_owned()));
            self.found.closes.push((range.end, close(number)));
        }
    }

    /// Writes the note before an expression that waits for what has a name, or is what another
    /// expression gives.
    fn note_before(&mut self, whole: &Expr, awaited: &Expr, site: usize) {
        let (whole, inner) = (range(whole), range(awaited));
        let Some(number) = Site::number(self.cell, site).filter(|_| !self.bare.contains(&whole))
        else {
            return;
        };
        let name = self.source.get(inner.clone()).unwrap_or_default();
        if is_place(awaited) {
            if name.is_ascii() && !name.contains('\n') {
                let [open, then, end] = WAIT;
                let open = format!("{open}{name}{then}{number}{end}");
                self.found.opens.push((whole.start, open));
                self.found.closes.push((whole.end, WAITED[0].to_owned()));
            }
        } else if matches!(awaited, Expr::MethodCall(_) | Expr::Try(_))
            && whole.start == inner.start
        {
            let [open, then, end] = NAMELESS;
            self.found.opens.push((whole.start, open.to_owned()));
            self.found.closes.push((whole.end, WAITED[1].to_owned()));
            self.found
                .closes
                .push((inner.end, format!("{then}{number}{end}")));
        }
    }

    fn method_call(&mut self, whole: &Expr, call: &ExprMethodCall) {
        let name = call.method.to_string();
        let is_lock = takes_lock(call);
        let is_wait = WAITS.contains(&name.as_str());
        let is_named = NAMED.contains(&name.as_str());
        if is_lock || is_wait || is_named || OTHERS.contains(&name.as_str()) {
            // Of a barrier, as opposed to a condition variable.
            let method = if name == "wait" && call.args.is_empty() {
                "wait()"
            } else {
                &name
            };
            let site = self.remember(whole, &call.receiver, method, call.method.span());
            if is_lock || is_wait && !call.args.is_empty() {
                self.note(whole, site);
            } else if is_named {
                self.note_before(whole, &call.receiver, site);
            }
        }
    }

    fn call(&mut self, whole: &Expr, call: &syn::ExprCall) {
        if ends::is_maker(call) {
            return self.channel(whole, call);
        }
        let Expr::Path(function) = &*call.func else {
            return;
        };
        let last = function.path.segments.last();
        let name = last.and_then(|last| FUNCTIONS.iter().find(|known| last.ident == **known));
        if let Some(name) = name {
            let argument = call
                .args
                .first()
                .filter(|argument| !matches!(argument, Expr::Closure(_)));
            let receiver = argument.unwrap_or(whole);
            self.remember(whole, receiver, name, whole.span());
        }
    }

    fn channel(&mut self, whole: &Expr, call: &syn::ExprCall) {
        let at = range(whole).start;
        let site = self.remember(whole, &call.func, "channel", whole.span());
        if let Some(channel) = self.channels.remove(&at) {
            let [sender, receiver] = channel.names;
            self.found.sites[site].receiver = format!("{sender}, {receiver}");
            self.found.sites[site].ends = channel.ends;
            self.found.sites[site].bodies = self.bodies.clone();
        }
        self.note(whole, site);
    }

    /// What a loop goes over: a receiver, perhaps.
    fn repeated(&mut self, over: &Expr) {
        let site = self.remember(over, over, "for", over.span());
        let receiver = match over {
            Expr::Reference(of) => &of.expr,
            Expr::MethodCall(call) if call.method == "iter" || call.method == "into_iter" => {
                &call.receiver
            }
            _ => over,
        };
        if is_place(receiver) {
            self.note_before(over, receiver, site);
        }
    }

    /// An expression where a statement may stand: it ends with a block at its beginning, unless that
    /// is followed by a dot or a question mark.
    fn statement(&mut self, expression: &Expr) {
        let mut outer = expression;
        while let Some(inner) = first_part(outer) {
            let goes_on = matches!(
                outer,
                Expr::MethodCall(_) | Expr::Field(_) | Expr::Try(_) | Expr::Await(_)
            );
            if !goes_on {
                self.leave_bare(inner);
            }
            outer = inner;
        }
    }

    fn leave_bare(&mut self, expression: &Expr) {
        self.bare.insert(range(expression));
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::MethodCall(call) => self.method_call(expression, call),
            Expr::Await(awaited) => {
                let site =
                    self.remember(expression, &awaited.base, "await", awaited.await_token.span);
                if let Expr::MethodCall(call) = &*awaited.base
                    && takes_lock(call)
                {
                    self.leave_bare(&awaited.base);
                    self.note(expression, site);
                } else if let Expr::Path(_) = &*awaited.base {
                    self.note_before(&awaited.base, &awaited.base, site);
                }
            }
            Expr::Call(call) => self.call(expression, call),
            Expr::ForLoop(repeated) => self.repeated(&repeated.expr),
            Expr::Repeat(repeat) => return self.visit_expr(&repeat.expr),
            Expr::Closure(closure) => self.statement(&closure.body),
            _ => {}
        }
        visit::visit_expr(self, expression);
    }

    fn visit_stmt(&mut self, stmt: &'ast Stmt) {
        match stmt {
            Stmt::Expr(expression, semicolon) => {
                self.statement(expression);
                if semicolon.is_some() {
                    self.unneeded.insert(range(expression));
                }
            }
            Stmt::Local(local) if matches!(local.pat, syn::Pat::Wild(_)) => {
                if let Some(init) = &local.init {
                    self.unneeded.insert(range(&init.expr));
                }
            }
            _ => {}
        }
        visit::visit_stmt(self, stmt);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.statement(&arm.body);
        visit::visit_arm(self, arm);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some((name, branches)) = macros::combines(call, self.source) {
            let (column, at) = (
                call.path.span().start().column + 1,
                call.path.span().start(),
            );
            self.found.sites.push(Site {
                line: at.line,
                start: column,
                column,
                receiver: branches,
                method: name.to_owned(),
                ends: Vec::new(),
                bodies: Vec::new(),
            });
        }
        match macros::arguments(call) {
            Some(arguments) => arguments
                .iter()
                .for_each(|argument| self.visit_expr(argument)),
            None => self.found.takes_unseen |= macros::takes_lock(call.tokens.clone(), &LOCKS),
        }
    }

    // The rest is evaluated by the compiler, or is no code.

    fn visit_signature(&mut self, _: &'ast syn::Signature) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if item.sig.constness.is_none() {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if item.sig.constness.is_none() {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}

    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}

    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}

    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}

    fn visit_variant(&mut self, _: &'ast syn::Variant) {}

    fn visit_type(&mut self, _: &'ast syn::Type) {}

    fn visit_pat(&mut self, _: &'ast syn::Pat) {}

    fn visit_generics(&mut self, _: &'ast syn::Generics) {}

    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}

    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
}

fn takes_lock(call: &ExprMethodCall) -> bool {
    let is_in = |names: &[&str]| names.iter().any(|name| call.method == name);
    is_in(&LOCKS) && call.args.is_empty() || is_in(&OF_TOKIO)
}

fn range(spanned: &impl Spanned) -> Range<usize> {
    spanned.span().byte_range()
}

/// Whether it names something that is there already, so that to look at it twice changes nothing.
fn is_place(expression: &Expr) -> bool {
    match expression {
        Expr::Path(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Index(index) => {
            is_place(&index.expr)
                && (is_place(&index.index) || matches!(*index.index, Expr::Lit(_)))
        }
        _ => false,
    }
}

/// A name on one line, if it is not too long.
fn short(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ").replace(" .", ".");
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
