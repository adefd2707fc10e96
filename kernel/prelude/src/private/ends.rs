//! Notes which channel was made where, and what a thread is about to wait for.
//!
//! `interleave-compiler` writes `Taken(&pair).note(site)` behind a call that makes a channel, and
//! `Awaits(&receiver).note(site)` before one that waits. A channel is known by its address, which
//! both of its ends hold.

use std::{
    ops::Deref,
    sync::{Arc, Barrier, MutexGuard, OnceLock, mpsc},
};

use crossbeam::channel as crossbeam;
use tokio::sync::{broadcast, mpsc as tokio_mpsc, oneshot, watch};

use super::locks::{Other, Taken, address};
use crate::host;

/// What a thread is about to wait for, perhaps.
#[allow(missing_debug_implementations, reason = "nobody keeps one")]
pub struct Awaits<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Deref for Awaits<'_, T> {
    type Target = Other;

    #[inline(always)]
    fn deref(&self) -> &Other {
        &Other
    }
}

/// The host's functions, and what was found out when this process started.
static HOST: OnceLock<Host> = OnceLock::new();

struct Host {
    made: unsafe extern "C" fn(usize, u32),
    awaits: unsafe extern "C" fn(u32, usize, usize),
    std: Flavors,
    crossbeam: [Flavors; 2],
    /// The same of tokio's, which have one kind each.
    tokio: Option<usize>,
    unbounded: Option<usize>,
    broadcast: Option<usize>,
    /// Where in a barrier the number of threads is that it waits for.
    barrier: Option<usize>,
}

/// Where in each kind of channel (of a bounded size, without a bound, without room) the number of its
/// senders is, or that of its receivers. std's channels are crossbeam's.
type Flavors = [Option<usize>; 3];

/// Finds that out: std and crossbeam tell nobody how many senders a channel has.
pub(super) fn look_at_channels() {
    // SAFETY: the host defines the symbols with these signatures.
    let found = unsafe {
        (
            host::lookup(c"interleave_host_made_channel"),
            host::lookup(c"interleave_host_awaits"),
        )
    };
    if let (Some(made), Some(awaits)) = found {
        HOST.get_or_init(|| Host {
            made,
            awaits,
            std: [
                count_in(|| mpsc::sync_channel::<u8>(1), sender),
                count_in(mpsc::channel::<u8>, sender),
                count_in(|| mpsc::sync_channel::<u8>(0), sender),
            ],
            crossbeam: [in_crossbeam(sender), in_crossbeam(receiver)],
            tokio: count_in(|| tokio_mpsc::channel::<u8>(1), sender),
            unbounded: count_in(tokio_mpsc::unbounded_channel::<u8>, sender),
            broadcast: count_in(|| broadcast::channel::<u8>(1), sender),
            barrier: size_in_barrier(),
        });
    }
}

fn in_crossbeam<E>(
    end: impl Fn(&Ends<crossbeam::Sender<u8>, crossbeam::Receiver<u8>>) -> E,
) -> Flavors {
    [
        count_in(|| crossbeam::bounded(1), &end),
        count_in(crossbeam::unbounded, &end),
        count_in(|| crossbeam::bounded(0), &end),
    ]
}

type Ends<S, R> = (S, R);

fn sender<S: Clone, R>(ends: &Ends<S, R>) -> S {
    ends.0.clone()
}

fn receiver<S, R: Clone>(ends: &Ends<S, R>) -> R {
    ends.1.clone()
}

/// Where in such a channel the number of an end is: the one word that is so always.
fn count_in<S, R, E>(
    make: impl Fn() -> Ends<S, R>,
    end: impl Fn(&Ends<S, R>) -> E,
) -> Option<usize> {
    const MANY: usize = 211;
    let ends = make();
    let channel = shared_address(&ends.0, &ends.1)?;
    let mut clones = Vec::new();
    let mut places: Option<Vec<usize>> = None;
    for _ in 0..3 {
        clones.extend(std::iter::repeat_with(|| end(&ends)).take(MANY));
        let count = clones.len() + 1;
        // SAFETY: it is the address of a box, or an `Arc`, which such channels are in.
        let size = unsafe { libc::malloc_usable_size(channel as *mut libc::c_void) };
        let offsets = (0..size / size_of::<usize>()).map(|index| index * size_of::<usize>());
        // SAFETY: the words are in the box, and those that are not initialised are only compared.
        let word = |offset: usize| unsafe { ((channel + offset) as *const usize).read_volatile() };
        let is_it = |offset: &usize| word(*offset) == count;
        places = Some(match places {
            None => offsets.filter(is_it).collect(),
            Some(places) => places.into_iter().filter(is_it).collect(),
        });
    }
    match places?[..] {
        [place] => Some(place),
        _ => None,
    }
}

fn size_in_barrier() -> Option<usize> {
    let sizes = [9091, 9103];
    let barriers = sizes.map(Barrier::new);
    let is_it = |index: &usize| {
        let mut both = barriers.iter().zip(sizes);
        both.all(|(barrier, size)| words(barrier)[*index] == size)
    };
    let mut found = (0..words(&barriers[0]).len()).filter(is_it);
    let index = found.next()?;
    found.next().is_none().then_some(index * size_of::<usize>())
}

/// The words of a value, which may only be compared: some may be padding.
fn words<T>(value: &T) -> Vec<usize> {
    let first = std::ptr::from_ref(value).cast::<usize>();
    let count = if align_of::<T>() < align_of::<usize>() {
        0
    } else {
        size_of::<T>() / size_of::<usize>()
    };
    // SAFETY: so many words lie in the value, at a fitting address.
    (0..count)
        .map(|index| unsafe { first.add(index).read_volatile() })
        .collect()
}

/// The address that both ends of a channel hold.
fn shared_address<S, R>(sender: &S, receiver: &R) -> Option<usize> {
    /// No object lies below; kinds of channels are told apart by smaller numbers.
    const LOWEST: usize = 1 << 16;
    let theirs = words(receiver);
    let is_shared = |word: &usize| *word >= LOWEST && theirs.contains(word);
    words(sender).into_iter().find(is_shared)
}

fn made<S, R>(sender: &S, receiver: &R, site: u32) {
    if let Some(host) = HOST.get()
        && let Some(channel) = shared_address(sender, receiver)
    {
        // SAFETY: it takes the two numbers, and nothing else.
        unsafe { (host.made)(channel, site) };
    }
}

/// Notes that the thread is about to wait for an object, and where a number is that belongs to it.
fn awaits(site: u32, object: usize, count_at: usize) {
    if let Some(host) = HOST.get() {
        // SAFETY: it takes the numbers, and nothing else.
        unsafe { (host.awaits)(site, object, count_at) };
    }
}

/// Where the number of ends is on the other side of a channel.
enum Count {
    /// So many bytes behind the channel's address.
    At(Option<usize>),
    /// There is one as long as this one waits.
    One,
}

static ONE: usize = 1;

/// An end of a channel, from which the channel's address can be had.
trait End: Sized {
    /// That of the other ends, given the word beside the address.
    fn others(host: &Host, kind: usize) -> Count;

    fn note(&self, site: u32) {
        let Some(host) = HOST.get() else { return };
        let [first, second] = two_words(self);
        // An enum of boxes begins with its kind; the rest begin with the address.
        let (channel, kind) = if first < 16 {
            (second, first)
        } else {
            (first, 0)
        };
        let count_at = match Self::others(host, kind) {
            Count::At(offset) => offset.map_or(0, |offset| channel + offset),
            Count::One => address(&ONE),
        };
        awaits(site, channel, count_at);
    }
}

fn two_words<T>(value: &T) -> [usize; 2] {
    const { assert!(align_of::<T>() == align_of::<usize>()) };
    let first = std::ptr::from_ref(value).cast::<usize>();
    let second = if size_of::<T>() < 2 * size_of::<usize>() {
        0
    } else {
        // SAFETY: the value has two words. Should the second be padding: it is only compared.
        unsafe { first.add(1).read_volatile() }
    };
    // SAFETY: it has one word.
    [unsafe { first.read_volatile() }, second]
}

/// Says where the number of the other ends is.
macro_rules! counts {
    ($($end:ty, $host:pat, $kind:pat => $count:expr;)*) => { $(
        impl<T> End for $end {
            fn others($host: &Host, $kind: usize) -> Count {
                $count
            }
        }
    )* };
}

counts! {
    Std<T>, host, kind => Count::At(host.std.get(kind).copied().flatten());
    mpsc::SyncSender<T>, _, _ => Count::One;
    Crossbeam<T>, host, kind => Count::At(host.crossbeam[0].get(kind).copied().flatten());
    crossbeam::Sender<T>, host, kind => Count::At(host.crossbeam[1].get(kind).copied().flatten());
    Tokio<T>, host, _ => Count::At(host.tokio);
    Unbounded<T>, host, _ => Count::At(host.unbounded);
    tokio_mpsc::Sender<T>, _, _ => Count::One;
    oneshot::Receiver<T>, _, _ => Count::One;
    broadcast::Receiver<T>, host, _ => Count::At(host.broadcast);
}

type Std<T> = mpsc::Receiver<T>;
type Crossbeam<T> = crossbeam::Receiver<T>;
type Tokio<T> = tokio_mpsc::Receiver<T>;
type Unbounded<T> = tokio_mpsc::UnboundedReceiver<T>;

/// Implements `note` for the ends of a channel, and for what leads to one.
macro_rules! ends {
    ($($end:ty: $($same:ty),*;)*) => { $($(
        impl<T> Awaits<'_, $same> {
            /// Notes that the thread is about to wait for it.
            pub fn note(&self, site: u32) {
                let end: &$end = self.0;
                end.note(site);
            }
        }
    )*)* };
}

ends! {
    Std<T>: Std<T>, &Std<T>, &mut Std<T>, Arc<Std<T>>, MutexGuard<'_, Std<T>>,
        parking_lot::MutexGuard<'_, Std<T>>;
    mpsc::SyncSender<T>: mpsc::SyncSender<T>, &mpsc::SyncSender<T>;
    Crossbeam<T>: Crossbeam<T>, &Crossbeam<T>, Arc<Crossbeam<T>>;
    crossbeam::Sender<T>: crossbeam::Sender<T>, &crossbeam::Sender<T>;
    Tokio<T>: Tokio<T>, &mut Tokio<T>;
    Unbounded<T>: Unbounded<T>, &mut Unbounded<T>;
    tokio_mpsc::Sender<T>: tokio_mpsc::Sender<T>, &tokio_mpsc::Sender<T>;
    oneshot::Receiver<T>: oneshot::Receiver<T>;
    broadcast::Receiver<T>: broadcast::Receiver<T>, &mut broadcast::Receiver<T>;
}

/// Implements `note` for barriers.
macro_rules! barriers {
    ($($barrier:ty;)*) => { $(
        impl Awaits<'_, $barrier> {
            /// Notes that the thread is about to wait there, and for how many.
            pub fn note(&self, site: u32) {
                let barrier: &Barrier = self.0;
                let at = address(barrier);
                let size = HOST.get().and_then(|host| host.barrier);
                awaits(site, at, size.map_or(0, |offset| at + offset));
            }
        }
    )* };
}

barriers! {
    Barrier;
    &Barrier;
    Arc<Barrier>;
    &Arc<Barrier>;
}

/// Implements `note` for what makes a channel.
macro_rules! makers {
    ($($sender:ident, $receiver:ident in $module:ident;)*) => { $(
        impl<T> Taken<'_, ($module::$sender<T>, $module::$receiver<T>)> {
            /// Notes where the channel was made.
            pub fn note(&self, site: u32) {
                made(&self.0.0, &self.0.1, site);
            }
        }
    )* };
}

makers! {
    Sender, Receiver in mpsc;
    SyncSender, Receiver in mpsc;
    Sender, Receiver in crossbeam;
    Sender, Receiver in tokio_mpsc;
    UnboundedSender, UnboundedReceiver in tokio_mpsc;
    Sender, Receiver in oneshot;
    Sender, Receiver in broadcast;
    Sender, Receiver in watch;
}

#[cfg(test)]
mod tests;
