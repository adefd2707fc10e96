//! What every cell can use without importing it: `use interleave::prelude::*`.
//!
//! The module `concurrent::futures` has a type `Future` and so has `asyncio`. Neither is here:
//! a cell that says `Future` without importing it means the trait of the standard library.

pub use crate::{
    asyncio, block_on, concurrent,
    display::{
        DisplayHandle, Html, Json, Latex, Markdown, MimeBundle, Png, ProgressBar, Show, Svg, Table,
        clear_output, display, display_debug,
    },
    generator::{Generator, GeneratorError, Yielder},
    lazy_static, threading,
};

// How the value of a cell is shown. Without names, so that they stand in nobody's way.
#[doc(hidden)]
pub use crate::private::{DebugValue as _, IntoProbe as _, ShowValue as _};
