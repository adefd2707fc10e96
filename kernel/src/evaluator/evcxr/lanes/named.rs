//! What the student calls that which threads wait for.

use std::collections::{BTreeMap, HashMap};

use interleave_compiler::sites::Site;
use interleave_lanes::Event;
use interleave_protocol::{FutexUse, LockHolder, ThreadState, What};

use super::super::{
    awaited,
    places::{Place, Places},
};

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

    /// What threads wait for that is no lock, by the places where they do.
    pub(super) fn awaited(
        &mut self,
        events: &[Event],
        places: &Places,
    ) -> BTreeMap<interleave_lanes::Place, String> {
        let waits = events.iter().filter_map(|event| match event.what {
            What::Is(ThreadState::Futex { used_by, .. }) => Some((event.at?, used_by)),
            _ => None,
        });
        let named = waits.filter_map(|(at, used_by)| {
            let found = self.find(at, places, |site| label(site, used_by).is_some());
            Some((at, label(found?, used_by)?))
        });
        named.collect()
    }

    fn name(&mut self, at: interleave_lanes::Place, places: &Places) -> Option<String> {
        let names_lock = |site: &Site| {
            matches!(site.method.as_str(), "lock" | "read" | "write")
                || site.method.starts_with("wait")
        };
        let found = self.find(at, places, names_lock);
        found.map(|site| site.receiver.clone())
    }

    /// The call at a place that is of this kind.
    fn find(
        &mut self,
        at: interleave_lanes::Place,
        places: &Places,
        is_meant: impl Fn(&Site) -> bool,
    ) -> Option<&Site> {
        let calls = self.0.entry(at.cell);
        let calls = calls.or_insert_with(|| places.calls(at.cell));
        let is_it = |(place, site): &&(Place, Site)| {
            // A line table names the method, or where the whole call begins.
            let begins = (place.column + site.start).checked_sub(site.column);
            place.line == at.line && (place.column == at.column || begins == Some(at.column))
        };
        let mut sites = calls.iter().filter(is_it).map(|(_, site)| site);
        sites.find(|site| is_meant(site))
    }
}

/// What a thread waits for in such a call, that is no lock, with the student's name for it.
fn label(site: &Site, used_by: FutexUse) -> Option<String> {
    let what = awaited::What::of_call(used_by, Some(site)).filter(|_| used_by != FutexUse::Lock)?;
    let is_told = !matches!(what, awaited::What::Future(_)) && what.name().is_some();
    is_told.then(|| what.label())
}
