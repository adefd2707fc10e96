//! Follows the ends of channels through a source, by names and scopes.

use syn::{
    Block, Expr, ExprCall, Local, Pat,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::{Body, Channel, End, Position, is_maker};

/// Finds them in a source, and all closures in which they may be.
pub(in super::super) fn find(file: &syn::File) -> (Vec<Channel>, Vec<Body>) {
    let mut follower = Follower::default();
    follower.visit_file(file);
    (follower.channels, follower.bodies)
}

#[derive(Debug, Default)]
struct Follower {
    channels: Vec<Channel>,
    bodies: Vec<Body>,
    scopes: Vec<Scope>,
    /// The call whose arguments are visited, by its lines.
    call: Option<(usize, usize)>,
}

#[derive(Debug)]
struct Scope {
    names: Vec<(String, Option<Held>)>,
    from: Position,
    until: Position,
    /// A closure or an `async` block: a value that is mentioned here is taken along, always or if
    /// it is moved.
    takes: Option<Takes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Takes {
    all: bool,
    body: Option<Body>,
}

/// A channel, and one of its variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    channel: usize,
    end: usize,
}

impl Follower {
    fn within(
        &mut self,
        spanned: &impl Spanned,
        takes: Option<Takes>,
        inner: impl FnOnce(&mut Self),
    ) {
        self.scopes.push(Scope {
            names: Vec::new(),
            from: start(spanned),
            until: end(spanned),
            takes,
        });
        inner(self);
        self.scopes.pop();
    }

    /// What a name means here, and how far out it is bound.
    fn resolve(&self, name: &str) -> Option<(usize, Held)> {
        self.scopes
            .iter()
            .enumerate()
            .rev()
            .find_map(|(depth, scope)| {
                let mut names = scope.names.iter().rev();
                let (_, held) = names.find(|(known, _)| known == name)?;
                Some((depth, *held))
            })
            .and_then(|(depth, held)| Some((depth, held?)))
    }

    /// A variable is mentioned. Returns what it is inside the closures that have taken it along.
    fn mention(&mut self, name: &str, is_moved: bool) -> Option<Held> {
        let (bound, mut held) = self.resolve(name)?;
        for depth in bound + 1..self.scopes.len() {
            let Scope {
                from, until, takes, ..
            } = self.scopes[depth];
            let Some(takes) = takes else { continue };
            // What an inner closure takes along has come through the outer ones.
            let takes_all = |scope: &Scope| scope.takes.is_some_and(|takes| takes.all);
            if is_moved || self.scopes[depth..].iter().any(takes_all) {
                self.moved(held, from.0);
                let end = &self.channels[held.channel].ends[held.end];
                let taken = End {
                    from,
                    until,
                    moved: None,
                    body: takes.body.or(end.body),
                    ..end.clone()
                };
                held = self.add(held.channel, taken);
                self.scopes[depth].names.push((name.to_owned(), Some(held)));
            }
        }
        Some(held)
    }

    fn moved(&mut self, held: Held, line: usize) {
        let moved = &mut self.channels[held.channel].ends[held.end].moved;
        *moved = Some(moved.map_or(line, |before| before.min(line)));
    }

    fn add(&mut self, channel: usize, end: End) -> Held {
        let ends = &mut self.channels[channel].ends;
        ends.push(end);
        Held {
            channel,
            end: ends.len() - 1,
        }
    }

    fn bind(&mut self, name: String, held: Option<Held>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.names.push((name, held));
        }
    }

    /// A variable that is bound here.
    fn new_end(&self, name: String, pat: &Pat, sends: bool) -> End {
        let innermost = |scope: &Scope| scope.takes?.body;
        End {
            name,
            from: start(pat),
            until: self.scopes.last().map_or_else(|| end(pat), |it| it.until),
            moved: None,
            is_kept: false,
            body: self.scopes.iter().rev().find_map(innermost),
            sends,
        }
    }

    /// `let pat = value;`: the value was not visited yet.
    fn bind_value(&mut self, pat: &Pat, value: &Expr) {
        let pat = without_type(pat);
        if let (Pat::Tuple(pats), Expr::Tuple(values)) = (pat, value)
            && pats.elems.len() == values.elems.len()
        {
            for (pat, value) in pats.elems.iter().zip(&values.elems) {
                self.bind_value(pat, value);
            }
            return;
        }
        if let Some(names) = two_names(pat)
            && let Some(call) = made(value)
        {
            visit::visit_expr(self, value);
            self.bind_channel(names, call, pat);
            return;
        }
        let from = self.end_in(value);
        if from.is_none() {
            self.visit_expr(value);
        }
        match (name_of(pat), from) {
            (Some(name), Some(held)) => {
                let sends = self.channels[held.channel].ends[held.end].sends;
                let end = self.new_end(name.clone(), pat, sends);
                let held = self.add(held.channel, end);
                self.bind(name, Some(held));
            }
            _ => self.visit_pat(pat),
        }
    }

    fn bind_channel(&mut self, names: [String; 2], call: &ExprCall, pat: &Pat) {
        let channel = self.channels.len();
        self.channels.push(Channel {
            at: call.span().byte_range().start,
            names: names.clone(),
            ends: Vec::new(),
        });
        for (name, sends) in names.into_iter().zip([true, false]) {
            let end = self.new_end(name.clone(), pat, sends);
            let held = self.add(channel, end);
            self.bind(name, Some(held));
        }
    }

    /// The end that an expression gives: `tx`, which is moved, `tx.clone()` or `Sender::clone(&tx)`.
    fn end_in(&mut self, value: &Expr) -> Option<Held> {
        let (line, _) = start(value);
        match value {
            Expr::Path(path) => {
                let held = self.mention(&path.path.get_ident()?.to_string(), true)?;
                self.moved(held, line);
                Some(held)
            }
            Expr::MethodCall(call) if call.method == "clone" => self.mentioned(&call.receiver),
            Expr::Call(call) if call.args.len() == 1 => {
                let Expr::Path(function) = &*call.func else {
                    return None;
                };
                let is_clone = function.path.segments.last()?.ident == "clone";
                let Some(Expr::Reference(of)) = call.args.first().filter(|_| is_clone) else {
                    return None;
                };
                self.mentioned(&of.expr)
            }
            _ => None,
        }
    }

    /// The end that a path names, which stays where it is.
    fn mentioned(&mut self, path: &Expr) -> Option<Held> {
        let Expr::Path(path) = path else { return None };
        self.mention(&path.path.get_ident()?.to_string(), false)
    }

    /// What is used where it is, without being moved.
    fn stays(&mut self, expression: &Expr) {
        match expression {
            Expr::Path(_) => _ = self.mentioned(expression),
            Expr::Paren(inner) => self.stays(&inner.expr),
            _ => self.visit_expr(expression),
        }
    }

    fn call_with(&mut self, whole: &impl Spanned, inner: impl FnOnce(&mut Self)) {
        let outer = self.call.replace((start(whole).0, end(whole).0));
        inner(self);
        self.call = outer;
    }

    /// A closure or an `async` block.
    fn taking(&mut self, all: bool, whole: &impl Spanned, inner: impl FnOnce(&mut Self)) {
        let call = self.call.take();
        let body = call.map(|call| Body {
            from: start(whole),
            until: end(whole),
            call,
        });
        self.bodies.extend(body);
        self.within(whole, Some(Takes { all, body }), inner);
        self.call = call;
    }

    /// evcxr keeps a variable for the next cells: that line is generated.
    fn is_kept(&mut self, call: &syn::ExprMethodCall) -> bool {
        if call.method != "put_variable" {
            return false;
        }
        let names = call.args.iter().filter_map(|argument| match argument {
            Expr::Path(path) => path.path.get_ident(),
            _ => None,
        });
        for name in names {
            if let Some((_, held)) = self.resolve(&name.to_string()) {
                self.channels[held.channel].ends[held.end].is_kept = true;
            }
        }
        true
    }
}

impl<'ast> Visit<'ast> for Follower {
    fn visit_block(&mut self, block: &'ast Block) {
        self.within(block, None, |this| visit::visit_block(this, block));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let outer = std::mem::take(&mut self.scopes);
        visit::visit_item_fn(self, item);
        self.scopes = outer;
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.within(arm, None, |this| visit::visit_arm(this, arm));
    }

    fn visit_local(&mut self, local: &'ast Local) {
        match &local.init {
            Some(init) => {
                self.bind_value(&local.pat, &init.expr);
                if let Some((_, otherwise)) = &init.diverge {
                    self.visit_expr(otherwise);
                }
            }
            None => self.visit_pat(&local.pat),
        }
    }

    /// A name in a pattern hides one further out.
    fn visit_pat_ident(&mut self, pat: &'ast syn::PatIdent) {
        self.bind(pat.ident.to_string(), None);
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Path(path) => {
                if let Some(name) = path.path.get_ident()
                    && let Some(held) = self.mention(&name.to_string(), true)
                {
                    self.moved(held, start(expression).0);
                }
            }
            Expr::MethodCall(call) if self.is_kept(call) => {}
            Expr::MethodCall(call) => self.call_with(expression, |this| {
                this.stays(&call.receiver);
                call.args
                    .iter()
                    .for_each(|argument| this.visit_expr(argument));
            }),
            Expr::Call(_) => {
                self.call_with(expression, |this| visit::visit_expr(this, expression));
            }
            Expr::Reference(reference) => self.stays(&reference.expr),
            Expr::Field(field) => self.stays(&field.base),
            Expr::Closure(closure) => {
                self.taking(closure.capture.is_some(), closure, |this| {
                    closure
                        .inputs
                        .iter()
                        .for_each(|input| this.visit_pat(input));
                    this.visit_expr(&closure.body);
                });
            }
            Expr::Async(block) => {
                self.taking(block.capture.is_some(), block, |this| {
                    this.visit_block(&block.block);
                });
            }
            Expr::ForLoop(repeated) => {
                self.visit_expr(&repeated.expr);
                self.within(expression, None, |this| {
                    this.visit_pat(&repeated.pat);
                    this.visit_block(&repeated.body);
                });
            }
            _ => visit::visit_expr(self, expression),
        }
    }

    /// What a macro does with a name that it is given is not known: printing borrows.
    fn visit_macro(&mut self, _: &'ast syn::Macro) {}
}

/// The call, in what takes its result.
fn made(value: &Expr) -> Option<&ExprCall> {
    match value {
        Expr::Call(call) if is_maker(call) => Some(call),
        _ => None,
    }
}

fn without_type(pat: &Pat) -> &Pat {
    match pat {
        Pat::Type(typed) => &typed.pat,
        _ => pat,
    }
}

fn name_of(pat: &Pat) -> Option<String> {
    match pat {
        Pat::Ident(ident) => Some(ident.ident.to_string()),
        _ => None,
    }
}

fn two_names(pat: &Pat) -> Option<[String; 2]> {
    let Pat::Tuple(pair) = pat else { return None };
    match [pair.elems.first()?, pair.elems.get(1)?].map(name_of) {
        [Some(first), Some(second)] => Some([first, second]),
        _ => None,
    }
}

fn start(spanned: &impl Spanned) -> Position {
    let start = spanned.span().start();
    (start.line, start.column + 1)
}

fn end(spanned: &impl Spanned) -> Position {
    let end = spanned.span().end();
    (end.line, end.column + 1)
}
