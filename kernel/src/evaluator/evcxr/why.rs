//! Why threads are stuck, as a student reads of it: under the cell as soon as it is known, and with
//! `:why`.

use std::collections::BTreeMap;

use interleave_protocol::{Stuck, StuckThread, ThreadKind, TookPoisoned};
use serde_json::Value;

use self::waits::{View, Wait};
use super::{places::Places, threads::words};

mod channels;
mod holder;
mod part;
mod picture;
mod several;
pub(super) mod shown;
pub(super) mod waits;

/// What is said of threads that are stuck.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Diagnosis {
    /// The number in `In [n]`.
    cell: Option<usize>,
    /// Whether the cell itself is among them, rather than only threads that it has started.
    is_cell: bool,
    /// Whether all of them are tasks.
    are_tasks: bool,
    headline: String,
    rows: Vec<Row>,
    /// The threads of which each waits for the next; when the last waits for the first, they are a
    /// circle.
    chain: Vec<Link>,
    is_circle: bool,
    others: usize,
    hint: Option<String>,
}

/// A thread, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row(String);

/// A thread in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    name: String,
    /// What it waits for: the end of the next thread, or something that the next one has.
    waits_for: String,
    /// Who has that, but is no thread of the chain.
    end: Option<String>,
}

/// What to do about it.
const ADVICE: &str = "Interrupt the kernel (■) to stop it; variables are kept.";

/// The answer to `:why` when there is nothing to explain.
const NOTHING: &str = "No thread is stuck now.";

/// Puts into words what the host has found. `cell` is the number of the cell in `In [n]`.
pub(super) fn diagnose(stuck: &Stuck, cell: Option<usize>, places: &Places) -> Diagnosis {
    let view = View {
        stuck,
        cell,
        places,
    };
    let waits = Wait::all(view);
    let rows = waits.iter().map(|wait| wait.sentence(&waits));
    let rows = rows.chain(more_tasks(stuck)).map(Row).collect();
    let (circle, is_circle) = chain(&waits);
    let is_cell = stuck
        .threads
        .iter()
        .any(|it| it.thread.kind == ThreadKind::Cells);
    let chain = circle
        .iter()
        .map(|index| Link {
            name: waits[*index].name.clone(),
            waits_for: waits[*index].short(),
            end: waits[*index].end(),
        })
        .collect();
    Diagnosis {
        cell,
        is_cell,
        headline: headline(&waits, &circle, is_circle),
        are_tasks: stuck.threads.is_empty(),
        rows,
        chain,
        is_circle,
        others: stuck.others,
        hint: hint(&waits, &circle, is_circle),
    }
}

/// Of those tasks that are not described the number.
fn more_tasks(stuck: &Stuck) -> Option<String> {
    match stuck.other_tasks {
        0 => None,
        1 => Some("1 more task waits".to_owned()),
        more => Some(format!("{more} more tasks wait")),
    }
}

/// Those, as indices, of which each waits for the next, and whether the last waits for the first: the
/// first circle, or else what the first one waits for.
fn chain(waits: &[Wait]) -> (Vec<usize>, bool) {
    let mut longest = Vec::new();
    for start in 0..waits.len() {
        let mut passed = vec![start];
        while let Some(next) = waits[passed[passed.len() - 1]].next(waits) {
            if let Some(begin) = passed.iter().position(|index| *index == next) {
                return (passed.split_off(begin), true);
            }
            passed.push(next);
        }
        if longest.is_empty() {
            longest = passed;
        }
    }
    (longest, false)
}

/// What those are that wait.
fn noun(waits: &[&Wait]) -> &'static str {
    let tasks = waits.iter().filter(|wait| wait.is_task()).count();
    match tasks {
        0 => "thread",
        tasks if tasks == waits.len() => "task",
        _ => "thread or task",
    }
}

fn headline(waits: &[Wait], circle: &[usize], is_circle: bool) -> String {
    let lost = waits.iter().any(Wait::is_lost);
    let circle: Vec<&Wait> = circle
        .iter()
        .filter_map(|index| waits.get(*index))
        .collect();
    let noun = noun(&circle);
    let all = match noun {
        "thread or task" => "threads and tasks".to_owned(),
        noun => format!("{noun}s"),
    };
    let is_guessed = circle.iter().any(|wait| wait.is_guessed());
    match &circle[..] {
        [only] if is_circle && only.is_at_permit() => {
            format!("a {noun} waits for a permit of which it has taken the newest itself")
        }
        [_] if is_circle && is_guessed => {
            format!("a {noun} waits for a lock that it probably holds itself")
        }
        [_, _, ..] if is_circle && is_guessed => {
            let length = circle.len();
            format!("{length} {all} probably wait for each other, in a circle")
        }
        [only] if is_circle && only.is_at_channel() => if only.receives() {
            "a thread waits for a message that only it could send itself"
        } else {
            "a thread waits for room that only it could make itself"
        }
        .to_owned(),
        [_] if is_circle => format!("a {noun} waits for a lock that it holds itself"),
        [_, _, ..] if is_circle => {
            format!("{} {all} wait for each other, in a circle", circle.len())
        }
        _ if lost => "a thread waits for a lock that nobody gives back".to_owned(),
        _ if waits.len() == 1 => "it waits, and no thread is left that could end that".to_owned(),
        _ if waits.iter().any(Wait::is_task) => {
            "every thread and task waits for another".to_owned()
        }
        _ => "every thread waits for another".to_owned(),
    }
}

fn hint(waits: &[Wait], circle: &[usize], is_circle: bool) -> Option<String> {
    let circle: Vec<&Wait> = circle
        .iter()
        .filter_map(|index| waits.get(*index))
        .collect();
    let all_locks = waits.iter().filter(|wait| wait.is_at_lock()).count();
    let length = circle.len();
    if is_circle && length > 1 && all_locks >= length {
        let those = if noun(&circle) == "task" {
            "Tasks"
        } else {
            "Threads"
        };
        return Some(format!(
            "{those} that take several locks in the same order cannot do that."
        ));
    }
    if is_circle && length > 1 && waits.iter().filter(|wait| wait.receives()).count() >= length {
        return Some(
            "Each waits for a message before it sends one: one of them must send first.".into(),
        );
    }
    if is_circle && length == 1 && all_locks > 0 && !waits.iter().any(Wait::is_at_permit) {
        return Some("Drop the first guard before you lock again.".into());
    }
    waits.iter().find_map(Wait::hint)
}

impl Diagnosis {
    /// Under the cell.
    pub(super) fn data(&self) -> BTreeMap<String, Value> {
        let subject = if self.is_cell {
            "This cell is stuck"
        } else {
            match self.are_tasks {
                true => "Tasks of this cell are stuck",
                false => "Threads of this cell are stuck",
            }
        };
        let advice = self.is_cell.then_some(ADVICE);
        representations(self.text(subject, advice), self.html(subject, advice))
    }

    /// In one sentence, without a full stop.
    pub(super) fn sentence(&self) -> &str {
        &self.headline
    }

    /// Whether the cell itself is among what is stuck.
    pub(super) fn is_about_cell(&self) -> bool {
        self.is_cell
    }

    /// Of which cell, for an answer elsewhere.
    fn subject(&self, is_over: bool) -> String {
        let cell = self
            .cell
            .map_or_else(|| "A cell".to_owned(), |cell| format!("In[{cell}]"));
        let those = if self.are_tasks { "Tasks" } else { "Threads" };
        match (self.is_cell, is_over) {
            (true, true) => format!("{cell} was stuck"),
            (true, false) => format!("{cell} is stuck"),
            (false, true) => format!("{those} of {cell} were stuck"),
            (false, false) => format!("{those} of {cell} are stuck"),
        }
    }

    fn title(&self, subject: &str) -> String {
        format!("{subject}: {}.", self.headline)
    }

    fn remarks(&self) -> Vec<String> {
        let others = match self.others {
            0 => None,
            1 => Some("1 more thread waits, too (:threads).".to_owned()),
            count => Some(format!("{count} more threads wait, too (:threads).")),
        };
        others.into_iter().chain(self.hint.clone()).collect()
    }

    fn text(&self, subject: &str, advice: Option<&str>) -> String {
        let mut lines = vec![self.title(subject)];
        lines.extend(self.rows.iter().map(|Row(row)| format!("  {row}")));
        if let Some(drawn) = self.drawn() {
            lines.push(format!("  {drawn}"));
        }
        lines.extend(self.remarks());
        lines.extend(advice.map(str::to_owned));
        lines.join("\n")
    }

    /// The chain on one line: `main --lock a--> left --lock b--> main`.
    fn drawn(&self) -> Option<String> {
        let first = self.chain.first()?;
        if self.chain.len() < 2 {
            return None;
        }
        let mut text = first.name.clone();
        for (link, next) in self.chain.iter().zip(self.chain.iter().skip(1)) {
            text += &format!(" --{}--> {}", link.waits_for, next.name);
        }
        if let Some(last) = self.chain.last().filter(|_| self.is_circle) {
            text += &format!(" --{}--> {}", last.waits_for, first.name);
        }
        Some(text)
    }

    fn html(&self, subject: &str, advice: Option<&str>) -> String {
        let markup = maud::html! {
            div {
                p { b { (self.title(subject)) } }
                @if let Some(picture) = picture::draw(&self.chain, self.is_circle) {
                    img src=(picture) alt=(self.drawn().unwrap_or_default());
                }
                ul { @for Row(row) in &self.rows { li { (with_code(row)) } } }
                @for remark in self.remarks() { p { (with_code(&remark)) } }
                @if let Some(advice) = advice { p { (advice) } }
            }
        };
        markup.into_string()
    }
}

/// Who has poisoned a lock, as a remark on the panic that comes of it.
pub(super) fn who_poisoned(took: &TookPoisoned, places: &Places) -> String {
    let lock = places.site(took.site).map(|(_, site)| site.receiver);
    let lock = lock.map_or_else(|| "a lock".to_owned(), |name| format!("lock `{name}`"));
    let place = places.site(took.culprit.site);
    let place = place.map_or_else(String::new, |(place, _)| {
        format!(" since {}", waits::line(places, place))
    });
    let who = words::name(took.culprit.number, took.culprit.name.as_deref());
    let probably = if took.culprit.is_certain {
        ""
    } else {
        "probably "
    };
    format!("{lock} is poisoned: {probably}{who} panicked, or was stopped, while it held it{place}")
}

/// What stands between backquotes is code.
fn with_code(text: &str) -> maud::Markup {
    maud::html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// The answer to `:why`: what is stuck now, and the cell that was so last.
pub(super) fn answer(now: &[Diagnosis], last: Option<&Diagnosis>) -> BTreeMap<String, Value> {
    let parts = now.iter().map(|it| (it, false));
    let parts = parts.chain(last.map(|it| (it, true)));
    let (mut texts, mut html) = (Vec::new(), String::new());
    if now.is_empty() {
        texts.push(NOTHING.to_owned());
        html = maud::html! { p { (NOTHING) } }.into_string();
    }
    for (diagnosis, is_over) in parts {
        let subject = diagnosis.subject(is_over);
        texts.push(diagnosis.text(&subject, None));
        html += &diagnosis.html(&subject, None);
    }
    representations(texts.join("\n\n"), html)
}

fn representations(text: String, html: String) -> BTreeMap<String, Value> {
    BTreeMap::from([
        ("text/plain".to_owned(), Value::from(text)),
        ("text/html".to_owned(), Value::from(html)),
    ])
}

/// The thread of a stuck one.
fn name(thread: &StuckThread) -> String {
    words::name(thread.thread.number, thread.thread.name.as_deref())
}

#[cfg(test)]
mod tests;
