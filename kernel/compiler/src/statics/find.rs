//! Finds the statics in a source.

use std::ops::Range;

use quote::ToTokens;
use syn::{
    Attribute, Expr, Ident, Item, ItemMacro, ItemStatic, StaticMutability, Token, Type, Visibility,
    parse::{Parse, ParseStream},
    visit::Visit,
};

/// A static, wherever it stands.
pub(super) struct Static<'a> {
    /// The item at the top of the source that it is, or is in.
    pub(super) item: &'a Item,
    /// That item's name, as the kernel reports it.
    pub(super) item_name: String,
    /// Tells it from all others: the names of what it is in, and its own.
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) visibility: String,
    pub(super) name: String,
    pub(super) ty: String,
    /// The whole definition; of a thread local, the whole macro.
    pub(super) range: Range<usize>,
    /// The end of the definition.
    pub(super) item_end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Static,
    Mutable,
    ThreadLocal,
}

/// The statics of a source, in order.
pub(super) fn statics(items: &[Item]) -> Vec<Static<'_>> {
    items
        .iter()
        .filter(|item| !is_cell_function(item))
        .flat_map(in_item)
        .collect()
}

/// What an item is called. A `thread_local!` may have several names.
pub(super) fn names(item: &Item) -> Vec<String> {
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
            return thread_locals(item)
                .iter()
                .map(|it| it.name.to_string())
                .collect();
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

/// The function that evcxr calls is there once: what is in it is not repeated.
fn is_cell_function(item: &Item) -> bool {
    matches!(item, Item::Fn(function) if function.sig.ident.to_string().starts_with("run_user_code_"))
}

fn in_item(item: &Item) -> Vec<Static<'_>> {
    if let Item::Macro(macro_item) = item {
        return in_thread_local(item, macro_item);
    }
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

/// A `thread_local!` at the top of the source.
fn in_thread_local<'a>(item: &'a Item, macro_item: &ItemMacro) -> Vec<Static<'a>> {
    let range = super::range(macro_item);
    let locals = thread_locals(macro_item).into_iter();
    locals
        .map(|local| Static {
            item,
            item_name: local.name.to_string(),
            path: local.name.to_string(),
            kind: Kind::ThreadLocal,
            visibility: local.visibility.to_token_stream().to_string(),
            name: local.name.to_string(),
            ty: local.ty.to_token_stream().to_string(),
            range: range.clone(),
            item_end: range.end,
        })
        .collect()
}

struct Finder<'a> {
    item: &'a Item,
    item_name: String,
    above: Vec<String>,
    found: Vec<Static<'a>>,
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        self.above.push(names(item).concat());
        syn::visit::visit_item(self, item);
        self.above.pop();
    }

    fn visit_item_static(&mut self, found: &'ast ItemStatic) {
        if found.attrs.iter().any(names_a_symbol) {
            return;
        }
        // Two blocks of one function may each have a static of the same name.
        let path = self.above.join("::");
        let equals = self
            .found
            .iter()
            .filter(|other| found.ident == other.name)
            .count();
        let range = super::range(found);
        self.found.push(Static {
            item: self.item,
            item_name: self.item_name.clone(),
            path: if equals == 0 {
                path
            } else {
                format!("{path}#{equals}")
            },
            kind: match found.mutability {
                StaticMutability::Mut(_) => Kind::Mutable,
                _ => Kind::Static,
            },
            visibility: found.vis.to_token_stream().to_string(),
            name: found.ident.to_string(),
            ty: found.ty.to_token_stream().to_string(),
            item_end: range.end,
            range,
        });
    }
}

/// Whether the student has chosen a symbol, which then is the identity.
fn names_a_symbol(attribute: &Attribute) -> bool {
    let text = attribute.meta.to_token_stream().to_string();
    text.contains("no_mangle") || text.contains("export_name")
}

fn thread_locals(item: &ItemMacro) -> Vec<ThreadLocal> {
    let is_thread_local = item
        .mac
        .path
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "thread_local");
    let locals = is_thread_local.then(|| item.mac.parse_body::<ThreadLocals>());
    locals
        .and_then(Result::ok)
        .map_or_else(Vec::new, |locals| locals.0)
}

/// The inside of a `thread_local!`.
struct ThreadLocals(Vec<ThreadLocal>);

struct ThreadLocal {
    visibility: Visibility,
    name: Ident,
    ty: Type,
}

impl Parse for ThreadLocals {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut locals = Vec::new();
        while !input.is_empty() {
            input.call(Attribute::parse_outer)?;
            let visibility = input.parse()?;
            input.parse::<Token![static]>()?;
            let name = input.parse()?;
            input.parse::<Token![:]>()?;
            let ty = input.parse()?;
            input.parse::<Token![=]>()?;
            input.parse::<Expr>()?;
            input.parse::<Option<Token![;]>>()?;
            locals.push(ThreadLocal {
                visibility,
                name,
                ty,
            });
        }
        Ok(Self(locals))
    }
}
