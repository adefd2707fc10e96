//! How rustc writes a type, and how a cell has to.

/// What a type of rustc's is in a cell.
#[derive(Debug, PartialEq, Eq)]
pub enum Nameable {
    /// As it is written there.
    Type(String),
    /// It cannot be written; as a student can read it.
    No(String),
}

/// Reads a type that rustc has written with full paths.
pub fn as_rust(ty: &str) -> Nameable {
    // A function has a type of its own, which rustc writes as `fn(i32) {name}`.
    let is_function = ty
        .split('(')
        .next()
        .is_some_and(|head| head.ends_with("fn"));
    let ty = match ty.rsplit_once(" {") {
        Some((pointer, name)) if is_function && name.ends_with('}') => pointer,
        _ => ty,
    };
    if ty.contains(['{', '}']) || ty.contains("evcxr_analysis_wrapper") {
        return Nameable::No(without_places(ty));
    }
    Nameable::Type(with_static_lifetimes(&with_public_names(ty)))
}

/// rustc writes the crates behind `crossbeam` and `futures` by their own names, but their types are
/// reached by others: `pub use crossbeam_channel as channel;`.
fn with_public_names(ty: &str) -> String {
    ty.replace("crossbeam::crossbeam_", "crossbeam::")
        .replace("futures::futures_", "futures::")
}

/// What is kept borrows nothing that ends. rustc leaves such lifetimes out, and names all others.
fn with_static_lifetimes(ty: &str) -> String {
    let ty = ty.replace("'_", "'static");
    let mut parts = ty.split('&');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push('&');
        if !part.starts_with('\'') {
            text.push_str("'static ");
        }
        text.push_str(part);
    }
    text
}

/// `{closure@types.rs:1:2: 3:4}` → `{closure}`: the place is one in generated code.
fn without_places(ty: &str) -> String {
    let mut parts = ty.split('@');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.find('}').map_or(part, |end| &part[end..]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustc_writes_is_rust_or_not() {
        let check = |ty: &str, expected: Nameable| assert_eq!(as_rust(ty), expected, "{ty}");
        let same = |ty: &str| check(ty, Nameable::Type(ty.to_owned()));
        same("std::sync::Arc<std::sync::Mutex<i32>>");
        same("for<'a> fn(&'a str) -> usize");
        same("std::boxed::Box<(dyn std::ops::Fn(i32) -> i32 + std::marker::Send + 'static)>");
        check(
            "for<'a> fn(&'a str) -> usize {str::len}",
            Nameable::Type("for<'a> fn(&'a str) -> usize".to_owned()),
        );
        check("fn(i32) {m::f::<u8>}", Nameable::Type("fn(i32)".to_owned()));

        check(
            "&mut std::str::Split<'_, &str>",
            Nameable::Type("&'static mut std::str::Split<'static, &'static str>".to_owned()),
        );
        check(
            "crossbeam::crossbeam_channel::Sender<u8>",
            Nameable::Type("crossbeam::channel::Sender<u8>".to_owned()),
        );
        let no = |ty: &str, shown: &str| check(ty, Nameable::No(shown.to_owned()));
        no("Map<A, {closure@types.rs:1:2: 3:4}>", "Map<A, {closure}>");
        no("{async block@types.rs:1:2: 3:4}", "{async block}");
        no("{closure@types.rs:1:2: 3:4}", "{closure}");
        let local = "evcxr_analysis_wrapper::{closure#0}::Local";
        no(local, local);
    }
}
