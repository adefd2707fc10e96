//! Rich output: tables, pictures, formulas, and outputs that change while a cell runs.
//!
//! A front end picks the best representation that it can show, so every value carries plain text
//! as well. In an ordinary `cargo run` there is no front end, and the text is printed.
//!
//! ```
//! use interleave::display::{Html, display};
//!
//! let status = display(&Html::from("<b>working …</b>"));
//! status.update(&Html::from("<b>done</b>")); // The same output, not a second one.
//! ```

mod media;
mod mime;
mod progress;
mod table;

use std::{
    fmt::Debug,
    process,
    sync::atomic::{AtomicUsize, Ordering},
};

use interleave_protocol::{Display, DisplayRole, HostEvent};

pub use media::{Html, Json, Latex, Markdown, Png, Svg};
pub use mime::MimeBundle;
pub use progress::ProgressBar;
pub use table::Table;

use crate::host;

/// How a value is shown in a notebook. The one trait to implement for rich output.
///
/// Unlike [`Debug`], which is one text for programmers, this is several
/// representations of the same value. A value at the end of a cell is shown by it too.
///
/// ```
/// use interleave::display::{MimeBundle, Show};
///
/// struct Colour(u8, u8, u8);
///
/// impl Show for Colour {
///     fn show(&self) -> MimeBundle {
///         let Colour(r, g, b) = self;
///         let html = format!(r#"<span style="background: rgb({r},{g},{b})">&emsp;</span>"#);
///         MimeBundle::text(format!("#{r:02x}{g:02x}{b:02x}")).with("text/html", html)
///     }
/// }
///
/// assert_eq!(Colour(255, 0, 0).show().plain(), "#ff0000");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no rich output",
    label = "this cannot be displayed",
    note = "implement `Show` for `{Self}`, or call `display_debug` to show its `Debug` text"
)]
pub trait Show {
    /// The representations, one of which should be plain text.
    ///
    /// ```
    /// use interleave::display::{Show, Table};
    ///
    /// let bundle = Table::new(["n", "n²"]).row([3, 9]).show();
    /// assert_eq!(bundle.data().len(), 2); // For a page, and for a terminal.
    /// assert!(bundle.data().contains_key("text/html"));
    /// assert!(bundle.data().contains_key("text/plain"));
    /// ```
    fn show(&self) -> MimeBundle;
}

/// Shows a value now, while the cell runs, above the cell's own result.
///
/// The handle can change the output later. Dropping it leaves the output as it is.
///
/// ```
/// use interleave::display::{Table, display};
///
/// let mut squares = Table::new(["n", "n²"]).row([2, 4]);
/// let output = display(&squares);
/// squares.push([3, 9]); // The page still shows one row …
/// output.update(&squares); // … and now it shows two.
/// assert_ne!(display(&squares), output); // Another output, of the same table.
/// ```
pub fn display<T: Show + ?Sized>(value: &T) -> DisplayHandle {
    static COUNT: AtomicUsize = AtomicUsize::new(1);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    // With the process, because a restarted kernel begins to count again in the same notebook.
    let handle = DisplayHandle {
        display_id: format!("interleave-{}-{number}", process::id()),
    };
    send(
        value.show(),
        DisplayRole::Show,
        Some(handle.display_id.clone()),
    );
    handle
}

/// Shows the [`Debug`] text of a value, as `{value:#?}` prints it.
///
/// ```
/// use interleave::display::display_debug;
///
/// display_debug(&Some([1, 2, 3]));
/// ```
pub fn display_debug<T: Debug + ?Sized>(value: &T) -> DisplayHandle {
    display(&MimeBundle::text(format!("{value:#?}")))
}

/// Removes what the cell has shown so far. With `wait`, only when the next output comes, so that
/// the page does not flicker.
///
/// Does nothing in an ordinary program: what is printed cannot be taken back.
///
/// A countdown in one place. Unlike with [`DisplayHandle::update`], every number is a new output:
///
/// ```
/// use interleave::display::{Markdown, clear_output, display};
///
/// let numbers = [3, 2, 1].map(|n| {
///     clear_output(true);
///     display(&Markdown::from(format!("# {n}")))
/// });
/// assert_ne!(numbers[0], numbers[1]);
/// ```
pub fn clear_output(wait: bool) {
    host::send(&HostEvent::ClearOutput { wait });
}

/// An output on the page, which can be changed from any cell and any thread.
///
/// A clone is another handle of the same output.
///
/// ```
/// use interleave::display::{Markdown, display};
/// use std::thread;
///
/// let status = display(&Markdown::from("*working …*"));
/// let to_update = status.clone();
/// let worker = thread::spawn(move || {
///     to_update.update(&Markdown::from("**done**"));
///     to_update
/// });
/// assert_eq!(worker.join().unwrap(), status);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayHandle {
    display_id: String,
}

impl DisplayHandle {
    /// Puts another value in the place of the one that is shown.
    ///
    /// In an ordinary program it is printed below.
    ///
    /// ```
    /// use interleave::display::{Markdown, Table, display};
    ///
    /// let output = display(&Markdown::from("*computing …*"));
    /// let id = output.display_id().to_owned();
    /// output.update(&Table::new(["n", "n²"]).row([3, 9])); // It may be of another type.
    /// assert_eq!(output.display_id(), id);
    /// ```
    pub fn update<T: Show + ?Sized>(&self, value: &T) {
        send(
            value.show(),
            DisplayRole::Update,
            Some(self.display_id.clone()),
        );
    }

    /// The name by which the front end knows this output. No two outputs share one.
    ///
    /// ```
    /// use interleave::display::display_debug;
    ///
    /// let (first, second) = (display_debug(&1), display_debug(&1));
    /// assert_ne!(first.display_id(), second.display_id());
    /// ```
    pub fn display_id(&self) -> &str {
        &self.display_id
    }
}

/// Sends a value to the page. Without a page, prints its text.
pub(crate) fn send(bundle: MimeBundle, role: DisplayRole, display_id: Option<String>) {
    let text = bundle.plain().to_owned();
    let (data, metadata) = bundle.into_parts();
    let event = HostEvent::Display(Display {
        role,
        data,
        metadata,
        display_id,
    });
    if !host::send(&event) {
        println!("{text}");
    }
}
