//! Finds the statics in a source.

use std::ops::Range;

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Expr, Ident, Item, ItemStatic, Macro, StaticMutability, Token, Type, Visibility,
    parse::ParseStream, visit::Visit,
};

/// A static, wherever it stands.
pub(super) struct Static {
    /// The name of the item at the top of the source that it is, or is in, as the kernel reports it;
    /// of a macro, the names of all its statics, as `A B!`.
    pub(super) item_name: String,
    /// Tells it from all others: the names of what it is in, and its own.
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) visibility: String,
    pub(super) name: String,
    pub(super) ty: String,
    /// The whole definition; of one in a macro, the whole macro.
    pub(super) range: Range<usize>,
    /// Its own definition.
    pub(super) own: Range<usize>,
    /// What it is made of: that item; of one in a macro at the top of the source, its own definition.
    pub(super) tokens: TokenStream,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Static,
    Mutable,
    ThreadLocal,
    /// Of a `lazy_static!`, which the prelude makes a `LazyLock`.
    Lazy,
}

/// The statics of a source, in order.
pub(super) fn statics(items: &[Item]) -> Vec<Static> {
    items
        .iter()
        .filter(|item| !is_cell_function(item))
        .flat_map(in_item)
        .collect()
}

/// What an item is called. A macro may have several names.
pub(crate) fn names(item: &Item) -> Vec<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Impl(item) => return vec![without_spaces(&item.self_ty)],
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Macro(item) => {
            let found = in_macro(&item.mac);
            return found.iter().map(|it| it.name.to_string()).collect();
        }
        Item::Use(item) => return used_names(&item.tree),
        _ => return Vec::new(),
    };
    vec![name.to_string()]
}

/// As the kernel writes the type of an `impl`.
fn without_spaces(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}

fn used_names(tree: &syn::UseTree) -> Vec<String> {
    match tree {
        syn::UseTree::Path(path) => used_names(&path.tree),
        syn::UseTree::Name(name) => vec![name.ident.to_string()],
        syn::UseTree::Rename(rename) => vec![rename.rename.to_string()],
        syn::UseTree::Group(group) => group.items.iter().flat_map(used_names).collect(),
        syn::UseTree::Glob(_) => Vec::new(),
    }
}

/// The type of a static, in which a lifetime that is left out is `'static`: in a declaration rustc
/// wants to see it.
fn type_of(ty: &Type) -> String {
    with_lifetimes(ty.to_token_stream()).to_string()
}

fn with_lifetimes(tokens: TokenStream) -> TokenStream {
    let mut written = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    // The two tokens before.
    let mut before = [String::new(), String::new()];
    while let Some(token) = tokens.next() {
        let text = token.to_string();
        // What a function takes and gives has lifetimes of each call.
        let is_given = before == ["-", ">"];
        let is_taken = matches!(before[1].as_str(), "fn" | "Fn" | "FnMut" | "FnOnce");
        let next = tokens.peek().map(ToString::to_string).unwrap_or_default();
        match token {
            TokenTree::Group(group) if !is_taken => {
                let inside = with_lifetimes(group.stream());
                written.extend([TokenTree::from(Group::new(group.delimiter(), inside))]);
            }
            TokenTree::Punct(mark) if mark.as_char() == '&' && next != "'" && !is_given => {
                written.extend(quote!(&'static));
            }
            TokenTree::Punct(mark) if mark.as_char() == '\'' && next == "_" => {
                tokens.next();
                written.extend(quote!('static));
            }
            other => written.extend([other]),
        }
        before = [std::mem::take(&mut before[1]), text];
    }
    written
}

/// The function that evcxr calls is there once: what is in it is not repeated.
fn is_cell_function(item: &Item) -> bool {
    matches!(item, Item::Fn(function) if function.sig.ident.to_string().starts_with("run_user_code_"))
}

fn in_item(item: &Item) -> Vec<Static> {
    let Some(item_name) = names(item).into_iter().next() else {
        return Vec::new();
    };
    let mut finder = Finder {
        item,
        item_name,
        above: Vec::new(),
        found: Vec::new(),
    };
    finder.visit_item(item);
    finder.found
}

struct Finder<'a> {
    item: &'a Item,
    item_name: String,
    above: Vec<String>,
    found: Vec<Static>,
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if let Item::Macro(call) = item {
            return self.macro_call(&call.mac, super::range(call));
        }
        self.above.push(names(item).concat());
        syn::visit::visit_item(self, item);
        self.above.pop();
    }

    fn visit_stmt_macro(&mut self, call: &'ast syn::StmtMacro) {
        self.macro_call(&call.mac, super::range(call));
    }

    fn visit_item_static(&mut self, found: &'ast ItemStatic) {
        if found.attrs.iter().any(names_a_symbol) {
            return;
        }
        let kind = match found.mutability {
            StaticMutability::Mut(_) => Kind::Mutable,
            _ => Kind::Static,
        };
        let range = super::range(found);
        self.found.push(Static {
            item_name: self.item_name.clone(),
            path: self.path_of(&found.ident, self.above.join("::")),
            kind,
            visibility: found.vis.to_token_stream().to_string(),
            name: found.ident.to_string(),
            ty: type_of(&found.ty),
            own: range.clone(),
            range,
            tokens: self.item.to_token_stream(),
        });
    }
}

impl Finder<'_> {
    /// The statics of a `thread_local!` or `lazy_static!`.
    fn macro_call(&mut self, call: &Macro, range: Range<usize>) {
        let is_top = self.above.is_empty();
        let all = in_macro(call);
        let names: Vec<String> = all.iter().map(|found| found.name.to_string()).collect();
        for found in all {
            let name = found.name.to_string();
            let above = self.above.iter().chain([&name]).cloned();
            let path = Vec::from_iter(above).join("::");
            self.found.push(Static {
                item_name: if is_top {
                    format!("{}!", names.join(" "))
                } else {
                    self.item_name.clone()
                },
                path: self.path_of(&found.name, path),
                kind: found.kind,
                visibility: found.visibility.to_token_stream().to_string(),
                name,
                ty: type_of(&found.ty),
                own: found.own,
                range: range.clone(),
                tokens: if is_top {
                    found.tokens
                } else {
                    self.item.to_token_stream()
                },
            });
        }
    }

    /// Two blocks of one function may each have a static of the same name.
    fn path_of(&self, name: &Ident, path: String) -> String {
        match self
            .found
            .iter()
            .filter(|other| name == &other.name)
            .count()
        {
            0 => path,
            equals => format!("{path}#{equals}"),
        }
    }
}

/// Whether the student has chosen a symbol, which then is the identity.
fn names_a_symbol(attribute: &Attribute) -> bool {
    let text = attribute.meta.to_token_stream().to_string();
    text.contains("no_mangle") || text.contains("export_name")
}

fn in_macro(call: &Macro) -> Vec<InMacro> {
    let name = call.path.segments.last();
    let name = name.map(|segment| segment.ident.to_string());
    let found = match name.as_deref() {
        Some("thread_local") => {
            call.parse_body_with(|input: ParseStream<'_>| in_macro_body(input, Kind::ThreadLocal))
        }
        // That of the crate of this name makes types of its own.
        Some("lazy_static") if call.path.segments.len() == 1 => {
            call.parse_body_with(|input: ParseStream<'_>| in_macro_body(input, Kind::Lazy))
        }
        _ => return Vec::new(),
    };
    found.unwrap_or_default()
}

/// A static in a macro.
struct InMacro {
    kind: Kind,
    own: Range<usize>,
    tokens: TokenStream,
    visibility: Visibility,
    name: Ident,
    ty: Type,
}

fn in_macro_body(input: ParseStream<'_>, kind: Kind) -> syn::Result<Vec<InMacro>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        let start = input.span().byte_range().start;
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility: Visibility = input.parse()?;
        input.parse::<Token![static]>()?;
        if kind == Kind::Lazy {
            input.parse::<Token![ref]>()?;
        }
        let name: Ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty: Type = input.parse()?;
        input.parse::<Token![=]>()?;
        let value = input.parse::<Expr>()?;
        let semicolon = input.parse::<Option<Token![;]>>()?;
        let end = semicolon.map_or_else(|| super::range(&value), |mark| super::range(&mark));
        found.push(InMacro {
            kind,
            own: start..end.end,
            tokens: quote!(#(#attributes)* #visibility static #name: #ty = #value;),
            visibility,
            name,
            ty,
        });
    }
    Ok(found)
}
