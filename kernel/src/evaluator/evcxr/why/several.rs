//! What a future awaits at once: the branches of `select!` and `join!`, and the like.

use interleave_protocol::{CodeAddress, FutureWait, Location};

use super::{super::places::Places, waits::line};

/// Of those that have kept the waker of a future in one poll, those that may wake it. A future that has
/// gone on from one `.await` to the next in that poll does not wait for the first any more; one that
/// awaits several things at once polls them from one place, or from code of a library.
pub(super) fn awaited_at_once<'a>(waits: &'a [FutureWait], places: &Places) -> Vec<&'a FutureWait> {
    let Some((last, earlier)) = waits.split_last() else {
        return Vec::new();
    };
    let earlier = earlier
        .iter()
        .filter(|wait| are_polled_from_one_place(&wait.at, &last.at, places));
    earlier.chain([last]).collect()
}

fn are_polled_from_one_place(a: &[CodeAddress], b: &[CodeAddress], places: &Places) -> bool {
    let mut both = a.iter().rev().zip(b.iter().rev());
    let Some((a, b)) = both.find(|(a, b)| a != b) else {
        return false;
    };
    let [a, b] = [a, b].map(|address| places.locations(address));
    let is_of_cell = |locations: &[Location]| {
        let first = locations.first();
        first.is_some_and(|first| places.of_panic(first).is_some())
    };
    !is_of_cell(&a) && !is_of_cell(&b) || !a.is_empty() && a == b
}

/// The macro by which so many things are awaited: ``the first of `a` and `b` (In[3]:4)``.
pub(super) fn combined(stack: &[CodeAddress], count: usize, places: &Places) -> Option<String> {
    let (place, site) = stack.iter().find_map(|address| {
        let (place, call) = places.waits_at(std::slice::from_ref(address))?;
        let (_, site) = call?;
        site.method.ends_with('!').then_some((place, site))
    })?;
    let branches = &site.receiver;
    let place = line(places, place);
    Some(match site.method.as_str() {
        "select!" => format!("the first of {branches} ({place})"),
        _ if count == 1 => format!("the last that is not done of {branches} ({place})"),
        _ => format!("all of {branches} ({place})"),
    })
}
