//! What the student calls the locks that threads wait for.

use std::collections::{BTreeMap, HashMap};

use interleave_compiler::sites::Site;
use interleave_lanes::Event;
use interleave_protocol::{FutexUse, LockHolder, ThreadState, What};

use super::super::places::{Place, Places};

/// The calls of each cell that wait, by its number in `In [n]`.
#[derive(Debug, Default)]
pub(super) struct Calls(HashMap<usize, Vec<(Place, Site)>>);

impl Calls {
    /// Names by the address of the futex, as they stand where a thread waited first.
    pub(super) fn names(&mut self, events: &[Event], places: &Places) -> BTreeMap<u64, String> {
        let mut names = BTreeMap::new();
        for event in events {
            if let What::LockKept { address, call } = event.what
                && let Some((_, site)) = places.site(LockHolder::call(call))
            {
                names.insert(address, site.receiver);
            }
            if let What::Is(ThreadState::Futex {
                address, used_by, ..
            }) = event.what
                && matches!(used_by, FutexUse::Lock | FutexUse::Condvar)
                && !names.contains_key(&address)
                && let Some(at) = event.at
                && let Some(name) = self.name(at, places)
            {
                names.insert(address, name);
            }
        }
        names
    }

    fn name(&mut self, at: interleave_lanes::Place, places: &Places) -> Option<String> {
        let calls = self.0.entry(at.cell);
        let calls = calls.or_insert_with(|| places.calls(at.cell));
        let is_it = |(place, site): &&(Place, Site)| {
            // A line table names the method, or where the whole call begins.
            let begins = (place.column + site.start).checked_sub(site.column);
            place.line == at.line && (place.column == at.column || begins == Some(at.column))
        };
        let names_lock = |(_, site): &&(Place, Site)| {
            matches!(site.method.as_str(), "lock" | "read" | "write")
                || site.method.starts_with("wait")
        };
        let found = calls.iter().filter(is_it).find(names_lock);
        found.map(|(_, site)| site.receiver.clone())
    }
}
