//! Names for people, made from the names that the compiler gives to types.

/// A type without the paths of its parts: `Vec<String>`, not `alloc::vec::Vec<alloc::…>`.
pub(crate) fn short_type<T: ?Sized>() -> String {
    shorten(std::any::type_name::<T>())
}

/// The function that a future, an async block or a closure was written in.
///
/// The compiler calls what `async fn hello` returns `krate::hello::{{closure}}`. The top level of
/// a cell has no name worth showing.
pub(crate) fn function<T: ?Sized>() -> String {
    function_of(std::any::type_name::<T>())
}

/// As [`function`], of the function or closure that somebody else is to call.
pub(crate) fn job<F>(_: &F) -> String {
    job_of(std::any::type_name::<F>())
}

/// The same, of a type's full name.
pub(crate) fn job_of(type_name: &str) -> String {
    let name = function_of(type_name);
    if name == ASYNC_BLOCK {
        "<closure>".into()
    } else {
        name
    }
}

const ASYNC_BLOCK: &str = "<async block>";

/// As [`function`], of a type's full name. Of a future in a box, it is that of the future.
pub(crate) fn function_of(type_name: &str) -> String {
    let unboxed = type_name.strip_prefix("core::pin::Pin<alloc::boxed::Box<");
    let unboxed = unboxed.and_then(|rest| rest.strip_suffix(">>"));
    let mut path = unboxed
        .filter(|inner| !inner.starts_with("dyn "))
        .unwrap_or(type_name);
    let is_block = path.ends_with("::{{closure}}");
    while let Some(outer) = path.strip_suffix("::{{closure}}") {
        path = outer;
    }
    let name = last_segment(path);
    if is_block && name.starts_with("run_user_code") {
        ASYNC_BLOCK.into()
    } else {
        name
    }
}

fn shorten(full: &str) -> String {
    full.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .map(|token| token.rsplit("::").next().unwrap_or(token))
        .collect()
}

/// The last part of a path, without generic arguments: `hello` of `a::<impl b::C>::hello<i32>`.
fn last_segment(path: &str) -> String {
    let mut depth = 0;
    let mut bare = String::new();
    for c in path.chars() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    bare.rsplit("::")
        .find(|part| !part.is_empty())
        .unwrap_or(path)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use super::*;

    #[test]
    fn types_lose_their_paths_at_every_depth() {
        assert_eq!(short_type::<i32>(), "i32");
        assert_eq!(short_type::<&str>(), "&str");
        assert_eq!(short_type::<Vec<Option<String>>>(), "Vec<Option<String>>");
        assert_eq!(
            short_type::<(std::num::ParseIntError, [u8; 2])>(),
            "(ParseIntError, [u8; 2])"
        );
    }

    #[test]
    fn functions_are_found_behind_closures_and_generics() {
        assert_eq!(last_segment("ctx::hello"), "hello");
        assert_eq!(last_segment("hello"), "hello");
        assert_eq!(last_segment("ctx::hello<alloc::string::String>"), "hello");
        assert_eq!(last_segment("<ctx::A<i32> as ctx::B>::greet"), "greet");
        assert_eq!(last_segment("ctx::<impl ctx::A<i32>>::greet<u8>"), "greet");
        assert_eq!(
            last_segment("core::pin::Pin<alloc::boxed::Box<dyn a::B>>"),
            "Pin"
        );
    }

    #[test]
    fn the_top_level_of_a_cell_has_no_name() {
        fn name_of<F>(_: F) -> String {
            function::<F>()
        }
        fn run_user_code_3() -> [String; 2] {
            [name_of(async {}), job(&|| ())]
        }
        async fn hello() {}
        assert_eq!(run_user_code_3(), [ASYNC_BLOCK, "<closure>"]);
        assert_eq!(name_of(hello()), "hello");
        assert_eq!(job(&hello), "hello");
        assert_eq!(name_of(Box::pin(hello())), "hello");
        let dynamic: Pin<Box<dyn Future<Output = ()>>> = Box::pin(hello());
        assert_eq!(name_of(dynamic), "Pin");
    }
}
