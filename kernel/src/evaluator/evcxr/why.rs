//! Why threads are stuck, as a student reads of it: under the cell as soon as it is known, and with
//! `:why`.

use std::collections::BTreeMap;

use interleave_protocol::{
    HolderFate, LockHolder, Stuck, StuckThread, ThreadKind, ThreadState, TookPoisoned,
};
use serde_json::Value;

use super::{places::Places, threads::words};

mod channels;
mod picture;
pub(super) mod shown;
pub(super) mod waits;

/// What is said of threads that are stuck.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Diagnosis {
    /// The number in `In [n]`.
    cell: Option<usize>,
    /// Whether the cell itself is among them, rather than only threads that it has started.
    is_cell: bool,
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
    let waits: Vec<waits::Wait> = stuck
        .threads
        .iter()
        .map(|thread| waits::Wait::of(thread, stuck, cell, places))
        .collect();
    let rows = waits.iter().map(|wait| wait.sentence(&stuck.threads));
    let rows = rows.chain(tasks(stuck, places)).map(Row).collect();
    let (circle, is_circle) = chain(stuck, &waits);
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
        headline: headline(stuck, &waits, &circle, is_circle),
        rows,
        chain,
        is_circle,
        others: stuck.others,
        hint: hint(stuck, &waits, circle.len(), is_circle),
    }
}

/// Tasks of the cell that wait; so many are named.
fn tasks(stuck: &Stuck, places: &Places) -> Vec<String> {
    const NAMED: usize = 4;
    let named = stuck.tasks.iter().take(NAMED).map(|task| {
        let place = places.of_panic(&task.spawned_at);
        let place = place.map_or_else(String::new, |place| {
            format!(" ({})", waits::line(places, place))
        });
        format!("task {}, spawned{place}, waits to be woken", task.id)
    });
    let more = match stuck.tasks.len().saturating_sub(NAMED) {
        0 => None,
        1 => Some("1 more task waits to be woken".to_owned()),
        more => Some(format!("{more} more tasks wait to be woken")),
    };
    named.chain(more).collect()
}

/// The threads, as indices, of which each waits for the next, and whether the last waits for the
/// first: the first circle, or else what the first thread waits for.
fn chain(stuck: &Stuck, waits: &[waits::Wait]) -> (Vec<usize>, bool) {
    let mut longest = Vec::new();
    for start in 0..stuck.threads.len() {
        let mut passed = vec![start];
        while let Some(next) = next(stuck, waits, passed[passed.len() - 1]) {
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

/// The thread for which one waits.
fn next(stuck: &Stuck, waits: &[waits::Wait], index: usize) -> Option<usize> {
    let waiting = stuck.threads.get(index)?;
    if let Some(channel) = &waits.get(index)?.channel {
        return channel.only_other();
    }
    let number = match (&waiting.holder, waiting.thread.state) {
        (Some(holder), _) => holder.number,
        (None, ThreadState::Joining { thread }) => thread?,
        _ => return None,
    };
    let mut threads = stuck.threads.iter();
    threads.position(|other| other.thread.number == number)
}

fn headline(stuck: &Stuck, waits: &[waits::Wait], circle: &[usize], is_circle: bool) -> String {
    let lost = waits.iter().any(|wait| wait.is_lost());
    let first = circle.first().and_then(|first| waits.get(*first));
    let at_channel = first.filter(|first| first.channel.is_some());
    let is_guessed = circle.iter().any(|index| waits[*index].is_guessed());
    match circle.len() {
        1 if is_circle && is_guessed => {
            "a thread waits for a lock that it probably holds itself".to_owned()
        }
        length @ 2.. if is_circle && is_guessed => {
            format!("{length} threads probably wait for each other, in a circle")
        }
        1 if is_circle && let Some(first) = at_channel => if first.receives() {
            "a thread waits for a message that only it could send itself"
        } else {
            "a thread waits for room that only it could make itself"
        }
        .to_owned(),
        1 if is_circle => "a thread waits for a lock that it holds itself".to_owned(),
        length @ 2.. if is_circle => format!("{length} threads wait for each other, in a circle"),
        _ if lost => "a thread waits for a lock that nobody gives back".to_owned(),
        _ if stuck.threads.len() == 1 => {
            "it waits, and no thread is left that could end that".to_owned()
        }
        _ => "every thread waits for another".to_owned(),
    }
}

fn hint(stuck: &Stuck, waits: &[waits::Wait], length: usize, is_circle: bool) -> Option<String> {
    let all_locks = stuck
        .threads
        .iter()
        .filter(|it| it.holder.is_some())
        .count();
    if is_circle && length > 1 && all_locks >= length {
        return Some("Threads that take several locks in the same order cannot do that.".into());
    }
    if is_circle && length > 1 && waits.iter().filter(|wait| wait.receives()).count() >= length {
        return Some(
            "Each waits for a message before it sends one: one of them must send first.".into(),
        );
    }
    if is_circle && length == 1 && all_locks > 0 {
        return Some("Drop the first guard before you lock again.".into());
    }
    waits.iter().find_map(waits::Wait::hint)
}

impl Diagnosis {
    /// Under the cell.
    pub(super) fn data(&self) -> BTreeMap<String, Value> {
        let subject = if self.is_cell {
            "This cell is stuck"
        } else {
            "Threads of this cell are stuck"
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
        match (self.is_cell, is_over) {
            (true, true) => format!("{cell} was stuck"),
            (true, false) => format!("{cell} is stuck"),
            (false, true) => format!("Threads of {cell} were stuck"),
            (false, false) => format!("Threads of {cell} are stuck"),
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

/// How a holder is called.
fn name_of(holder: &LockHolder) -> String {
    match holder.fate {
        HolderFate::Left => "a thread that an interrupt has left behind".to_owned(),
        _ => words::name(holder.number, holder.name.as_deref()),
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
