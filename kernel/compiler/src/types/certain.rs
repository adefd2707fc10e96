//! Of which types it is certain that the words which rustc has for them mean them in every cell.
//!
//! rustc names some types by paths that lead nowhere from a cell: they are private, or unstable, or a
//! crate stands there under another name. And it leaves out or confuses lifetimes where a type is
//! "for all" of them. So here are only paths that were tried, and nothing with lifetimes of its own.

use std::collections::BTreeSet;

use syn::Item;

use crate::statics::find;

const PRIMITIVE: [&str; 17] = [
    "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str", "u128", "u16",
    "u32", "u64", "u8", "usize",
];

/// Words of the language that may stand in a type.
const KEYWORDS: [&str; 2] = ["const", "mut"];

/// Crates whose paths are certain. Whoever gives one of these names to something else has no certain types.
const CRATES: [&str; 2] = ["crossbeam", "std"];

/// What a lesson makes variables of, by module; the tests try each. The rest is looked up.
const PATHS: [(&str, &str); 25] = [
    ("crossbeam::channel", "Receiver Sender"),
    ("std::borrow", "Cow"),
    ("std::boxed", "Box"),
    ("std::cell", "Cell OnceCell RefCell"),
    ("std::cmp", "Ordering Reverse"),
    (
        "std::collections",
        "BTreeMap BTreeSet BinaryHeap HashMap HashSet LinkedList VecDeque",
    ),
    ("std::fs", "File"),
    ("std::io", "Error Stdin Stdout"),
    ("std::iter", "Enumerate Rev Skip StepBy Take Zip"),
    ("std::num", "NonZero ParseFloatError ParseIntError Wrapping"),
    ("std::ops", "Range RangeFrom RangeInclusive"),
    ("std::option", "Option"),
    ("std::path", "Path PathBuf"),
    ("std::pin", "Pin"),
    ("std::rc", "Rc Weak"),
    ("std::result", "Result"),
    ("std::slice", "Iter"),
    ("std::str", "Chars Lines SplitWhitespace"),
    ("std::string", "String"),
    (
        "std::sync",
        "Arc Barrier Condvar Mutex Once OnceLock PoisonError RwLock Weak",
    ),
    (
        "std::sync::atomic",
        "AtomicBool AtomicI32 AtomicI64 AtomicIsize AtomicU32 AtomicU64 AtomicU8 AtomicUsize Ordering",
    ),
    (
        "std::sync::mpsc",
        "Receiver RecvError SendError Sender SyncSender TryRecvError",
    ),
    ("std::thread", "JoinHandle Thread ThreadId"),
    ("std::time", "Duration Instant SystemTime"),
    ("std::vec", "IntoIter Vec"),
];

/// The words that mean the same in each cell.
#[derive(Debug)]
pub(crate) struct Certain {
    /// Names of the types that stand beside the cell's function. `None` if a word has another meaning
    /// there than everywhere.
    own: Option<BTreeSet<String>>,
}

impl Certain {
    /// In a source, and those of later cells.
    pub(crate) fn of(source: &str) -> Self {
        let items = syn::parse_file(source).map_or_else(|_| Vec::new(), |file| file.items);
        // An `impl` goes by the name of its type.
        let named = items.iter().filter(|item| !matches!(item, Item::Impl(_)));
        let mut names = named.flat_map(find::names);
        let taken =
            names.any(|name| PRIMITIVE.contains(&name.as_str()) || CRATES.contains(&name.as_str()));
        let types = items.iter().filter_map(|item| match item {
            Item::Enum(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Union(item) => Some(&item.ident),
            _ => None,
        });
        Self {
            own: (!taken).then(|| types.map(ToString::to_string).collect()),
        }
    }

    /// Whether a type, with `'static` for every lifetime, means in each cell what it means in this one.
    pub(crate) fn holds(&self, ty: &str) -> bool {
        let is_letter = |letter: char| letter.is_alphanumeric() || "_:'".contains(letter);
        let is_mark = |letter: char| "<>()[],;&* ".contains(letter);
        let Some(own) = &self.own else {
            return false;
        };
        let mut words = ty.split(is_mark).filter(|word| !word.is_empty());
        ty.chars()
            .all(|letter| is_letter(letter) || is_mark(letter))
            && words.all(|word| is_certain(word, own))
    }
}

fn is_certain(word: &str, own: &BTreeSet<String>) -> bool {
    let is_known = |(module, name)| {
        let mut modules = PATHS.iter();
        modules
            .any(|(known, names)| *known == module && names.split(' ').any(|known| known == name))
    };
    word == "'static"
        || PRIMITIVE.contains(&word)
        || KEYWORDS.contains(&word)
        || own.contains(word)
        || word.chars().all(|letter| letter.is_ascii_digit())
        || word.rsplit_once("::").is_some_and(is_known)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_type_is_certain_if_each_word_of_it_is() {
        let certain_here = Certain::of("struct Point; trait Other {} mod m { struct Point; }");
        for certain in [
            "i32",
            "()",
            "Point",
            "&'static str",
            "*const u8",
            "[(u8, Point); 3]",
            "std::sync::Arc<std::sync::Mutex<std::option::Option<Point>>>",
            "std::str::Chars<'static>",
        ] {
            assert!(certain_here.holds(certain), "{certain}");
        }
        for other in [
            "Other",
            "m::Point",
            "std::iter::Map<std::ops::Range<i32>, {closure}>",
            "fn(i32) -> i32",
            "std::boxed::Box<dyn std::fmt::Debug>",
            "impl std::fmt::Debug",
            "for<'a> fn(&'a str)",
            "std::vec::Vec<_>",
            "a::b::Vec<i32>",
            "std::sync::Other",
        ] {
            assert!(!certain_here.holds(other), "{other}");
        }
    }

    #[test]
    fn nothing_is_certain_where_its_words_mean_something_else() {
        for taken in ["mod std {}", "use a as std;", "struct u8;"] {
            assert!(!Certain::of(taken).holds("std::vec::Vec<u8>"), "{taken}");
        }
    }

    #[test]
    fn each_path_of_std_leads_somewhere() {
        let paths = PATHS.iter().filter(|(module, _)| module.starts_with("std"));
        let uses: String = paths
            .flat_map(|(module, names)| {
                let names = names.split(' ');
                names.map(move |name| format!("const _: () = {{ use {module}::{name}; }};\n"))
            })
            .collect();
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("paths.rs");
        std::fs::write(&source, format!("#![allow(unused)]\n{uses}")).unwrap();
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(rustc)
            .args([
                "--edition=2024",
                "--crate-type=lib",
                "--emit=metadata",
                "--out-dir",
            ])
            .arg(directory.path())
            .arg(&source)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
}
