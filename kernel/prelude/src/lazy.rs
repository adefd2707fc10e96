//! Statics that are made when they are first used, in the words of older books.

/// Statics that are made when they are first used.
///
/// What the crate of this name has, made of [`LazyLock`](std::sync::LazyLock). New code says
/// `static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| …);`, which is the same.
///
/// # Examples
///
/// ```
/// use interleave::lazy_static;
///
/// lazy_static! {
///     static ref NAMES: Vec<String> = {
///         println!("made once");
///         vec!["Ada".to_string()]
///     };
/// }
///
/// assert_eq!(NAMES.len(), 1);
/// assert_eq!(NAMES[0], "Ada");
/// ```
#[macro_export]
macro_rules! lazy_static {
    ($($(#[$attribute:meta])* $visibility:vis static ref $name:ident: $type:ty = $value:expr;)*) => {
        $(
            $(#[$attribute])*
            $visibility static $name: ::std::sync::LazyLock<$type> =
                ::std::sync::LazyLock::new(|| $value);
        )*
    };
}
