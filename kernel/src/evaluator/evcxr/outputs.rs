//! Where the output of each cell goes, and how much of it.

use std::collections::{BTreeMap, HashMap};

use interleave_protocol::{Display, DisplayRole};
use serde_json::Value;

use super::{
    limit::{Limit, Meter, Notice},
    text::Utf8Stream,
};
use crate::evaluator::{Output, OutputSink, Stream};

/// Text is passed on in pieces of about so many bytes.
const PIECE: usize = 64 * 1024;

/// Whose output it is that a thread, or a task, prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Owner {
    /// The cell that started the thread.
    #[default]
    Birth,
    /// The newest cell, as in Python before threads knew their cell.
    Current,
}

/// What a notebook has chosen with `:output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Settings {
    pub(super) limit: Limit,
    pub(super) owner: Owner,
}

/// The outputs of all cells.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    pub(super) settings: Settings,
    /// In the order in which they were run.
    cells: Vec<CellOutput>,
    /// Places in `cells`, by the host's count.
    of_host: HashMap<u64, usize>,
    /// Text that may be joined by more.
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    cell: usize,
    stream: Stream,
    text: String,
}

#[derive(Debug)]
struct CellOutput {
    sink: OutputSink,
    meter: Meter,
    partial: [Utf8Stream; 2],
}

impl Outputs {
    /// From now on this is the newest cell.
    pub(super) fn begin(&mut self, sink: OutputSink) {
        self.flush();
        self.cells.push(CellOutput {
            sink,
            meter: Meter::default(),
            partial: Default::default(),
        });
    }

    /// The newest cell runs; the host counts it so.
    pub(super) fn started(&mut self, host_count: u64) {
        let newest = self.newest();
        self.of_host
            .extend(newest.map(|newest| (host_count, newest)));
    }

    /// A new host counts anew.
    pub(super) fn forget_host(&mut self) {
        self.of_host.clear();
    }

    /// The newest cell has ended: passes on what was kept back, and says of each cell how much of
    /// its output is not shown.
    pub(super) fn end(&mut self) {
        if let Some(newest) = self.newest() {
            for stream in [Stream::Stdout, Stream::Stderr] {
                let rest = self.cells[newest].partial[stream as usize].finish();
                self.add(newest, stream, &rest);
            }
        }
        self.flush();
        let limit = self.settings.limit;
        for (number, cell) in self.cells.iter_mut().enumerate() {
            if let Some(notice) = cell.meter.last_notice(limit) {
                cell.say(number, notice);
            }
        }
    }

    /// Takes what a cell wrote, which may end within a character.
    pub(super) fn bytes(&mut self, host_count: u64, stream: Stream, bytes: &[u8]) {
        let Some(cell) = self.place(host_count) else {
            return;
        };
        let text = self.cells[cell].partial[stream as usize].decode(bytes);
        self.add(cell, stream, &text);
    }

    /// Takes something that a cell shows.
    pub(super) fn send(&mut self, host_count: u64, output: Output) {
        let Some(cell) = self.place(host_count) else {
            return;
        };
        if let Output::Stream { stream, text } = output {
            self.add(cell, stream, &text);
            return;
        }
        self.flush();
        let limit = self.settings.limit;
        self.cells[cell].show(limit, output);
        self.notify(cell);
    }

    /// Says something about a cell that is not its own output, so that no limit counts it.
    pub(super) fn remark(&mut self, host_count: u64, text: String) {
        self.remark_with(host_count, plain(text));
    }

    /// The same with more than text.
    pub(super) fn remark_with(&mut self, host_count: u64, display: Display) {
        if let Some(cell) = self.place(host_count) {
            self.show_beside(cell, Output::Display(display));
        }
    }

    /// The place of the newest cell among all.
    pub(super) fn newest(&self) -> Option<usize> {
        self.cells.len().checked_sub(1)
    }

    /// Shows beside the output of the cell with this place what is not its own.
    pub(super) fn show_beside(&mut self, cell: usize, output: Output) {
        self.flush();
        if let Some(cell) = self.cells.get(cell) {
            cell.sink.send(output);
        }
    }

    /// Passes on the text that waits for more of it.
    pub(super) fn flush(&mut self) {
        let Some(Pending { cell, stream, text }) = self.pending.take() else {
            return;
        };
        let limit = self.settings.limit;
        let CellOutput { sink, meter, .. } = &mut self.cells[cell];
        let shown = meter.text(limit, stream, &text);
        if !shown.is_empty() {
            let text = shown.to_owned();
            sink.send(Output::Stream { stream, text });
        }
        self.notify(cell);
    }

    /// Joins text to what waits, if it goes on with it.
    fn add(&mut self, cell: usize, stream: Stream, more: &str) {
        if more.is_empty() {
            return;
        }
        match &mut self.pending {
            Some(pending) if pending.cell == cell && pending.stream == stream => {
                pending.text.push_str(more);
            }
            _ => {
                self.flush();
                let text = more.to_owned();
                self.pending = Some(Pending { cell, stream, text });
            }
        }
        if self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.text.len() >= PIECE)
        {
            self.flush();
        }
    }

    fn notify(&mut self, number: usize) {
        let cell = &mut self.cells[number];
        if let Some(notice) = cell.meter.notice(self.settings.limit) {
            cell.say(number, notice);
        }
    }

    /// The cell that the host counts so. What no cell caused goes to the newest one, also after its
    /// end.
    pub(super) fn place(&self, host_count: u64) -> Option<usize> {
        let born = match self.settings.owner {
            Owner::Birth => self.of_host.get(&host_count).copied(),
            Owner::Current => None,
        };
        born.or(self.newest())
    }
}

fn plain(text: String) -> Display {
    Display {
        data: BTreeMap::from([("text/plain".to_owned(), Value::from(text))]),
        ..Display::default()
    }
}

impl CellOutput {
    fn show(&mut self, limit: Limit, output: Output) {
        let is_shown = match &output {
            Output::Display(display) => match display.role {
                DisplayRole::Show => self.meter.display(limit, output.size()),
                // The one value of a cell; and what replaces something adds nothing.
                DisplayRole::Result | DisplayRole::Update => true,
            },
            Output::Failure(_) => self.meter.display(limit, output.size()),
            Output::Clear { .. } => {
                self.meter.clear();
                true
            }
            _ => true,
        };
        if is_shown {
            self.sink.send(output);
        }
    }

    fn say(&self, number: usize, notice: Notice) {
        let role = if notice.again {
            DisplayRole::Update
        } else {
            DisplayRole::Show
        };
        // Names of the displays of cells have another form.
        let id = format!("interleave-output-{}-{number}", std::process::id());
        self.sink.send(Output::Display(Display {
            role,
            display_id: Some(id),
            ..plain(notice.text)
        }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Default, Clone)]
    struct Page(Arc<Mutex<Vec<String>>>);

    impl Page {
        fn sink(&self) -> OutputSink {
            let page = Arc::clone(&self.0);
            OutputSink::new(move |output| {
                let text = match output {
                    Output::Stream { stream, text } => format!("{stream:?} {text}"),
                    Output::Display(display) => {
                        format!("{:?} {}", display.role, display.data["text/plain"])
                    }
                    other => format!("{other:?}"),
                };
                page.lock().unwrap().push(text);
            })
        }

        fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    fn two_cells() -> (Outputs, [Page; 2]) {
        let mut outputs = Outputs::default();
        let pages = [Page::default(), Page::default()];
        for (page, count) in pages.iter().zip(7..) {
            outputs.begin(page.sink());
            outputs.started(count);
        }
        (outputs, pages)
    }

    #[test]
    fn neighbours_are_joined_and_each_cell_gets_its_own() {
        let (mut outputs, [first, second]) = two_cells();
        for (cell, text) in [(7, "a"), (7, "b"), (8, "c"), (99, "d")] {
            outputs.bytes(cell, Stream::Stdout, text.as_bytes());
        }
        outputs.bytes(7, Stream::Stderr, b"e");
        outputs.flush();
        assert_eq!(first.take(), ["Stdout ab", "Stderr e"]);
        assert_eq!(second.take(), ["Stdout cd"]);
        outputs.settings.owner = Owner::Current;
        outputs.bytes(7, Stream::Stdout, b"late");
        outputs.flush();
        assert_eq!(second.take(), ["Stdout late"]);
    }

    #[test]
    fn a_character_that_two_cells_cut_stays_whole_and_half_a_one_is_not_lost() {
        let (mut outputs, [first, second]) = two_cells();
        let [start, end] = ["é".as_bytes()[0], "é".as_bytes()[1]];
        outputs.bytes(7, Stream::Stdout, &[start]);
        outputs.bytes(8, Stream::Stdout, &[start]);
        outputs.bytes(7, Stream::Stdout, &[end]);
        outputs.end();
        assert_eq!(first.take(), ["Stdout é"]);
        assert_eq!(second.take(), ["Stdout \u{fffd}"]);
    }

    #[test]
    fn what_is_too_much_is_counted_and_the_notice_says_so_once_more_at_the_end() {
        let (mut outputs, [first, _]) = two_cells();
        outputs.settings.limit = Limit(Some(2_000));
        outputs.bytes(7, Stream::Stdout, &[b'x'; 3_000]);
        outputs.flush();
        outputs.bytes(7, Stream::Stdout, &[b'x'; 500]);
        outputs.end();
        let [text, notice, again] = &first.take()[..] else {
            panic!("three outputs are expected")
        };
        assert_eq!(text.len(), "Stdout ".len() + 2_000);
        assert!(notice.starts_with("Show \"… 2 kB of 3 kB"), "{notice}");
        assert!(again.starts_with("Update \"… 2 kB of 3.5 kB"), "{again}");
        outputs.end();
        assert_eq!(first.take(), [""; 0]);
    }
}
