//! `ProgressBar`: one output that grows.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{DisplayHandle, MimeBundle, Show, display, table::escape};

/// Front ends drop messages when there are too many, and the eye does not see more.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const TEXT_WIDTH: usize = 10;

/// Shows how far a piece of work has come: `[#####     ] 50%`.
///
/// It appears with the first step, and redraws itself in its place, at most every 0.05 seconds.
/// The end is always drawn. A clone is another handle of the same bar, for another thread.
///
/// ```
/// use interleave::display::{ProgressBar, Show};
/// use std::thread;
///
/// let bar = ProgressBar::new(4).label("downloads");
/// let threads = [1, 2].map(|_| {
///     let bar = bar.clone();
///     thread::spawn(move || bar.inc(1))
/// });
/// threads.into_iter().for_each(|thread| thread.join().unwrap());
/// assert_eq!(bar.show().plain(), "downloads [#####     ] 50%");
/// bar.finish();
/// assert_eq!(bar.show().plain(), "downloads [##########] 100%");
/// ```
#[derive(Clone)]
pub struct ProgressBar {
    bar: Arc<Mutex<Bar>>,
}

struct Bar {
    label: String,
    done: u64,
    total: u64,
    output: Option<DisplayHandle>,
    drawn_at: Option<Instant>,
    /// The page does not show the last step yet.
    stale: bool,
}

impl ProgressBar {
    /// Makes a bar for `total` steps. It is not shown yet. A bar of no steps is full.
    ///
    /// ```
    /// use interleave::display::ProgressBar;
    ///
    /// assert_eq!(format!("{:?}", ProgressBar::new(200)), "[          ] 0%");
    /// assert_eq!(format!("{:?}", ProgressBar::new(0)), "[##########] 100%");
    /// ```
    pub fn new(total: u64) -> ProgressBar {
        let bar = Bar {
            label: String::new(),
            done: 0,
            total,
            output: None,
            drawn_at: None,
            stale: false,
        };
        ProgressBar {
            bar: Arc::new(Mutex::new(bar)),
        }
    }

    /// Sets the text before the bar.
    ///
    /// ```
    /// use interleave::display::ProgressBar;
    ///
    /// let bar = ProgressBar::new(3).label("pages");
    /// assert_eq!(format!("{bar:?}"), "pages [          ] 0%");
    /// ```
    pub fn label(self, label: impl Into<String>) -> ProgressBar {
        self.bar.lock().label = label.into();
        self
    }

    /// Goes on by a number of steps, but not beyond the end.
    ///
    /// ```
    /// use interleave::display::{ProgressBar, Show};
    ///
    /// let bar = ProgressBar::new(8);
    /// for _page in 0..6 {
    ///     bar.inc(1);
    /// }
    /// assert_eq!(bar.show().plain(), "[#######   ] 75%");
    /// bar.inc(100);
    /// assert_eq!(bar.show().plain(), "[##########] 100%");
    /// ```
    pub fn inc(&self, steps: u64) {
        let mut bar = self.bar.lock();
        let done = bar.done.saturating_add(steps);
        bar.move_to(done);
    }

    /// Goes to a step, forwards or backwards. Beyond the end counts as the end.
    ///
    /// ```
    /// use interleave::display::{ProgressBar, Show};
    ///
    /// let bytes = ProgressBar::new(4096);
    /// bytes.set(3072);
    /// bytes.set(2048); // Something has to be fetched again.
    /// assert_eq!(bytes.show().plain(), "[#####     ] 50%");
    /// ```
    pub fn set(&self, done: u64) {
        self.bar.lock().move_to(done);
    }

    /// Goes to the end.
    ///
    /// For work that ends before all steps were made:
    ///
    /// ```
    /// use interleave::display::{ProgressBar, Show};
    ///
    /// let bar = ProgressBar::new(1000);
    /// let root = (1..=1000).inspect(|_| bar.inc(1)).find(|n| n * n == 144);
    /// assert_eq!(root, Some(12));
    /// bar.finish();
    /// assert_eq!(bar.show().plain(), "[##########] 100%");
    /// ```
    pub fn finish(&self) {
        self.set(u64::MAX);
    }
}

impl Bar {
    fn move_to(&mut self, done: u64) {
        self.done = done.min(self.total);
        self.stale = true;
        let now = Instant::now();
        let rested = self
            .drawn_at
            .is_none_or(|last| now - last >= SHORTEST_PAUSE);
        if rested || self.done == self.total {
            self.drawn_at = Some(now);
            self.draw();
        }
    }

    fn draw(&mut self) {
        self.stale = false;
        let bundle = self.show();
        match &self.output {
            Some(output) => output.update(&bundle),
            None => self.output = Some(display(&bundle)),
        }
    }

    fn show(&self) -> MimeBundle {
        let (done, total) = (u128::from(self.done), u128::from(self.total));
        let percent = (done * 100).checked_div(total).unwrap_or(100);
        let filled = percent as usize * TEXT_WIDTH / 100;
        let text = format!("[{:TEXT_WIDTH$}] {percent}%", "#".repeat(filled));
        let text = format!("{} {text}", self.label);
        let html = format!(
            r#"{} <progress value="{percent}" max="100"></progress> {percent}% ({done}/{total})"#,
            escape(&self.label),
        );
        MimeBundle::text(text.trim_start()).with("text/html", html)
    }
}

/// The last step may have come too soon after the one before to be drawn.
impl Drop for Bar {
    fn drop(&mut self) {
        if self.stale {
            self.draw();
        }
    }
}

impl Show for ProgressBar {
    fn show(&self) -> MimeBundle {
        self.bar.lock().show()
    }
}

/// The same text as on the page: `downloads [#####     ] 50%`.
impl fmt::Debug for ProgressBar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.show().plain())
    }
}
