//! The channel or barrier at which a thread waits: where it was made, and who could end the wait.

use interleave_compiler::sites::{Body, End, Position, Site};
use interleave_protocol::{
    CellFacts, CodeAddress, Location, NamedWait, Stuck, StuckThread, ThreadState,
};

use super::{
    super::places::Places,
    waits::{self, View, Wait},
};

/// What is known of it.
#[derive(Debug)]
pub(super) struct Channel {
    /// Where it was made, and the names that its ends got there.
    made: Option<(String, Names)>,
    /// How many ends there are on the other side.
    count: Option<u64>,
    /// Who has the other ends.
    holders: Vec<Holder>,
    /// Whether the thread waits to receive, as opposed to send.
    receives: bool,
}

#[derive(Debug)]
struct Names {
    sender: String,
    receiver: String,
}

/// A variable that has an end.
#[derive(Debug)]
struct Holder {
    name: String,
    place: Option<String>,
    who: Who,
}

#[derive(Debug, PartialEq, Eq)]
enum Who {
    /// A thread, by its index among those that are stuck.
    Thread(usize),
    Task(u64),
    Notebook,
}

/// Where code of cells is, by the cell's number in paths and the place in its compiled source without
/// insertions.
type Frames = Vec<(u64, Position)>;

impl Channel {
    /// Of a thread or a task that waits at this call, and has noted what for.
    pub(super) fn of(
        noted: &[NamedWait],
        (number, site): (u32, &Site),
        View {
            stuck,
            cell,
            places,
        }: View<'_>,
    ) -> Option<Self> {
        let awaited = awaited(noted, number, site)?;
        let receives = !matches!(site.method.as_str(), "send" | "wait()");
        let made = awaited
            .made
            .and_then(|made| Some((made, places.site(made)?)));
        let holders = made
            .as_ref()
            .map_or_else(Vec::new, |(made, (place, site))| {
                let is_over = places.cell(place.cell).map(|source| source.number) != cell;
                let look = Look {
                    cell: Site::numbered(*made).0,
                    number: *made,
                    site,
                    is_over,
                    stuck,
                    places,
                };
                look.holders(receives)
            });
        Some(Self {
            made: made.map(|(_, (place, site))| (waits::line(places, place), names(&site))),
            count: awaited.count,
            holders,
            receives,
        })
    }

    /// `, made at In[4]:1, whose only sender is still there: …`
    pub(super) fn remark(&self, called: Option<&str>, waits: &[Wait]) -> String {
        let Some((place, names)) = &self.made else {
            return self.count_only();
        };
        let there = if self.receives {
            &names.receiver
        } else {
            &names.sender
        };
        let other_name = match called {
            Some(called) if !there.is_empty() && called != there => format!(" as `{there}`"),
            _ => String::new(),
        };
        format!(", made at {place}{other_name}{}", self.others(waits))
    }

    /// What the other ends do, in the singular.
    fn other(&self) -> &'static str {
        if self.receives { "sender" } else { "receiver" }
    }

    fn count_only(&self) -> String {
        match self.count {
            None | Some(0) => String::new(),
            Some(1) => format!(", which still has a {}", self.other()),
            Some(count) => format!(", which still has {count} {}s", self.other()),
        }
    }

    /// Who has the other ends.
    fn others(&self, waits: &[Wait]) -> String {
        let named = self.holders.iter().map(|holder| holder.words(waits));
        let list = named.collect::<Vec<_>>().join(", ");
        let other = self.other();
        match self.count {
            _ if self.holders.is_empty() => self.count_only(),
            Some(1) if self.is_complete() => format!(", whose only {other} is still there: {list}"),
            Some(count) if self.is_complete() => {
                format!(", whose {count} {other}s are still there: {list}")
            }
            Some(1) => format!(", whose only {other} is still there, probably {list}"),
            Some(count) => format!(", which still has {count} {other}s, probably {list}"),
            None => format!(", whose {other} is probably still there: {list}"),
        }
    }

    /// Whether who has an end is certain: as many were found as there are, and none is guessed.
    fn is_complete(&self) -> bool {
        let is_known = |holder: &Holder| matches!(holder.who, Who::Thread(_));
        self.count == Some(self.holders.len() as u64) && self.holders.iter().all(is_known)
    }

    /// The one thread that has the other side, by its place among those that wait.
    pub(super) fn only_other(&self, waits: &[Wait]) -> Option<usize> {
        let mut threads = self.holders.iter().map(|holder| match holder.who {
            // The threads come before the tasks.
            Who::Thread(index) => Some(index).filter(|index| *index < waits.len()),
            _ => None,
        });
        let first = threads.next()??;
        let is_one = self.is_complete() && threads.all(|index| index == Some(first));
        is_one.then_some(first)
    }

    /// A variable that should be dropped.
    pub(super) fn sender(&self) -> Option<&str> {
        let first = self.holders.first().filter(|_| self.receives)?;
        Some(&first.name)
    }
}

impl Holder {
    fn words(&self, waits: &[Wait]) -> String {
        let place = self.place.as_ref();
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        let who = match self.who {
            Who::Thread(index) => waits
                .get(index)
                .map_or_else(String::new, |wait| wait.name.clone()),
            Who::Task(id) => format!("task {id}"),
            Who::Notebook => return format!("`{}`{place}, a variable of the notebook", self.name),
        };
        format!("`{}`{place} in {who}", self.name)
    }
}

/// What was noted before this call; of `rx.recv().await`, before the call within.
fn awaited<'a>(noted: &'a [NamedWait], number: u32, site: &Site) -> Option<&'a NamedWait> {
    let noted = |number: u32| noted.iter().find(|it| it.site == number);
    noted(number).or_else(|| noted(number + 1).filter(|_| site.method == "await"))
}

fn names(site: &Site) -> Names {
    let (sender, receiver) = site.receiver.split_once(", ").unwrap_or_default();
    Names {
        sender: sender.to_owned(),
        receiver: receiver.to_owned(),
    }
}

/// Looks for those that have an end of a channel.
struct Look<'a> {
    /// The cell that has made it, as numbers of calls name cells.
    cell: u16,
    number: u32,
    site: &'a Site,
    /// Whether that cell is another than the stuck one.
    is_over: bool,
    stuck: &'a Stuck,
    places: &'a Places,
}

impl Look<'_> {
    fn holders(&self, receives: bool) -> Vec<Holder> {
        let threads = self.stuck.threads.iter();
        let threads: Vec<Frames> = threads.map(|it| self.frames(it.at_all())).collect();
        let ends = self.site.ends.iter();
        let wanted = ends.filter(|end| end.sends == receives);
        let holders = wanted.flat_map(|end| {
            let who = self.who_holds(end, &threads);
            let is_in_notebook = self.is_over && end.is_kept && who.is_empty();
            let notebook = is_in_notebook.then_some(Who::Notebook);
            let all: Vec<Who> = who.into_iter().chain(notebook).collect();
            all.into_iter().map(|who| self.holder(end, who))
        });
        holders.collect()
    }

    fn holder(&self, end: &End, who: Who) -> Holder {
        let place = self.places.beside_site(self.number, end.from);
        Holder {
            name: end.name.clone(),
            place: place.map(|place| waits::line(self.places, place)),
            who,
        }
    }

    fn who_holds(&self, end: &End, threads: &[Frames]) -> Vec<Who> {
        let is_at = |(cell, place): &(u64, Position)| {
            let body = Body::around(*place, &self.site.bodies);
            *cell as u16 == self.cell && body == end.body && end.holds_at(*place)
        };
        let threads = threads.iter().enumerate();
        let threads = threads.filter(|(_, frames)| frames.iter().any(is_at));
        let threads = threads.map(|(index, _)| Who::Thread(index));
        let tasks = self
            .stuck
            .tasks
            .iter()
            .filter_map(|task| task.state.as_ref());
        let tasks = tasks.filter(|task| self.is_given(end, &task.spawned_at));
        threads
            .chain(tasks.map(|task| Who::Task(task.id)))
            .collect()
    }

    /// Whether an end was given to what was spawned there: by the call whose closure it is in.
    fn is_given(&self, end: &End, spawned_at: &Location) -> bool {
        let Some((cell, place)) = self.position(spawned_at) else {
            return false;
        };
        let is_by = |body: Body| {
            let is_within = body.from <= place && place <= body.until;
            (body.call.0..=body.call.1).contains(&place.0) && !is_within
        };
        cell as u16 == self.cell && end.body.is_some_and(is_by)
    }

    fn frames<'a>(&self, addresses: impl Iterator<Item = &'a CodeAddress>) -> Frames {
        let locations = addresses.filter_map(|it| self.places.location_of_address(it));
        locations
            .filter_map(|location| self.position(&location))
            .collect()
    }

    /// The same of a place in compiled source with insertions.
    fn position(&self, location: &Location) -> Option<(u64, Position)> {
        let insertions = self.places.insertions(location)?;
        let line = location.line as usize;
        let column = insertions.column(line, location.column as usize);
        Some((CellFacts::id_in(&location.file)?, (line, column)))
    }
}

/// How many of those that a barrier waits for have come: `: 1 of 2 have come`.
pub(super) fn come(thread: &StuckThread, (number, site): (u32, &Site), stuck: &Stuck) -> String {
    let ThreadState::Futex { address, .. } = thread.thread.state else {
        return String::new();
    };
    let Some(size) = awaited(&thread.awaited, number, site).and_then(|awaited| awaited.count)
    else {
        return String::new();
    };
    let is_there = |other: &&StuckThread| matches!(other.thread.state, ThreadState::Futex { address: there, .. } if there == address);
    let here = stuck.threads.iter().filter(is_there).count();
    let have = if here == 1 { "has" } else { "have" };
    format!(": {here} of {size} {have} come")
}
