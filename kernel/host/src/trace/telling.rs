//! Sends what was noted to the kernel.

use std::{
    collections::HashMap,
    io,
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use interleave_protocol::{Awaited, HostEvent, ThreadState, TraceBatch, TraceEvent, What};
use rustix::thread::futex;

use super::{
    RING, SHARES,
    record::{Happened, Record},
};
use crate::{
    link,
    observe::{self, Symbol, Waiting},
    service,
};

/// So long events wait for more.
const PAUSE: Duration = Duration::from_millis(100);

/// At most so many events are in one message: others wait meanwhile to send something.
const MESSAGE: usize = 500;

/// 1 while the thread of this module waits for the first event.
static RESTS: AtomicU32 = AtomicU32::new(0);

/// Where addresses lie. Held by whoever takes events out of the queue.
static SYMBOLS: LazyLock<Mutex<Symbols>> = LazyLock::new(Mutex::default);

/// Starts the thread that tells the kernel from time to time.
pub(crate) fn start() -> io::Result<()> {
    service::spawn("interleave-trace", || {
        loop {
            rest();
            thread::sleep(PAUSE);
            let _work = service::at_work();
            tell();
        }
    })
}

/// In a copy of the process: nothing has happened yet, and the thread is to be started anew.
pub(crate) fn begin_anew() {
    RING.clear();
    let _ = SHARES.take_lost().count();
    RESTS.store(0, SeqCst);
}

/// Returns when there is something to tell. Meanwhile the thread does nothing.
fn rest() {
    loop {
        // Before the look into the queue: who puts something in then sees that it has to wake us.
        RESTS.store(1, SeqCst);
        if !RING.is_empty() {
            RESTS.store(0, SeqCst);
            return;
        }
        // An error means that somebody was faster, or a signal.
        let _ = futex::wait(&RESTS, futex::Flags::PRIVATE, 1, None);
        if RESTS.load(SeqCst) == 0 {
            return;
        }
    }
}

/// There is something in the queue.
pub(super) fn wake() {
    if RESTS.load(SeqCst) != 0 && RESTS.swap(0, SeqCst) != 0 {
        // Past `syscall`, by which other threads wake and which is watched. It cannot fail.
        let _ = futex::wake(&RESTS, futex::Flags::PRIVATE, 1);
    }
}

/// Sends all that has happened by now.
pub(crate) fn tell() {
    let mut symbols = SYMBOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut records = records();
    // A thread may look at the clock, and another one be faster to take a place in the queue.
    records.sort_by_key(|record| record.who().time);
    for records in records.chunks(MESSAGE) {
        let batch = symbols.batch(records);
        link::send(&HostEvent::Trace(batch));
    }
    for (cell, lost) in SHARES.take_lost() {
        let batch = TraceBatch {
            lost,
            ..TraceBatch::default()
        };
        link::send_for(cell, &HostEvent::Trace(batch));
    }
}

/// Takes out what threads have begun to note by now.
fn records() -> Vec<Record> {
    /// A thread that is just about to write is waited for, unless the system does not let it run.
    const PATIENCE: u32 = 100;
    const LOOK: Duration = Duration::from_micros(100);
    let end = RING.claimed();
    let mut records = Vec::new();
    let mut looks = 0;
    while RING.taken() < end && looks < PATIENCE {
        match RING.take() {
            Some(record) => records.push(record),
            None => {
                looks += 1;
                thread::sleep(LOOK);
            }
        }
    }
    records
}

/// Where addresses lie. Most events come from few places.
#[derive(Default)]
struct Symbols(HashMap<usize, Option<Symbol>>);

impl Symbols {
    fn batch(&mut self, records: &[Record]) -> TraceBatch {
        let mut batch = TraceBatch::default();
        let mut known = HashMap::new();
        for record in records {
            let Some(what) = self.what(record) else {
                continue;
            };
            let who = record.who();
            let addresses = record.places();
            let at = (!addresses.is_empty()).then(|| {
                *known.entry(addresses).or_insert_with_key(|addresses| {
                    self.learn(addresses);
                    batch.stacks.push(observe::places(self.found(addresses)));
                    batch.stacks.len() - 1
                })
            });
            batch.events.push(TraceEvent {
                time: who.time,
                cell: who.cell,
                thread: who.thread,
                task: who.task,
                at,
                what,
            });
        }
        batch
    }

    fn what(&mut self, record: &Record) -> Option<What> {
        Some(match record.happened() {
            Happened::Nothing => return None,
            Happened::CellBegan => What::CellBegan,
            Happened::CellEnded => What::CellEnded,
            Happened::Spawned { thread } => What::Spawned { thread },
            Happened::ThreadBegan(kind) => What::ThreadBegan { kind },
            Happened::Named => What::Named {
                name: record.text(),
            },
            Happened::ThreadEnded => What::ThreadEnded,
            Happened::Waits(waiting) => What::Is(self.state(waiting, record)),
            Happened::Runs => What::Is(ThreadState::Running),
            Happened::Wakes { address } => What::Wakes { address },
            Happened::Prints(stream) => What::Prints {
                stream,
                text: record.text(),
            },
            Happened::TaskSpawned(task) => What::TaskSpawned { task },
            Happened::TaskNamed(task) => What::TaskNamed {
                task,
                name: record.text(),
            },
            Happened::TaskEntered => What::TaskEntered {
                given: record.text(),
            },
            Happened::TaskLeft { is_over } => What::TaskLeft {
                is_over,
                gave: record.text(),
                awaits: self.awaited(record),
            },
            Happened::TaskWoken(task) => What::TaskWoken { task },
            Happened::LockKept { address, call } => What::LockKept { address, call },
            Happened::TaskLost(task) => What::TaskLost { task },
            Happened::State { kind, id } => What::State {
                kind,
                id,
                state: record.text(),
            },
        })
    }

    /// What a task waits for, as the functions say that have kept its waker.
    fn awaited(&mut self, record: &Record) -> Option<Awaited> {
        let keepers = record.innermost();
        self.learn(&keepers);
        observe::awaited(self.found(&keepers))
    }

    fn state(&mut self, waiting: Waiting, record: &Record) -> ThreadState {
        let innermost = record.innermost();
        self.learn(&innermost);
        match waiting {
            // A record has the number of the thread in place of its handle.
            Waiting::Join { handle: number } => ThreadState::Joining {
                thread: (number != 0).then_some(number),
            },
            waiting => observe::state(waiting, self.found(&innermost), record.who().time),
        }
    }

    fn learn(&mut self, addresses: &[usize]) {
        const MOST: usize = 20_000;
        if self.0.len() > MOST {
            self.0.clear();
        }
        for address in addresses {
            let find = || observe::symbol(*address);
            self.0.entry(*address).or_insert_with(find);
        }
    }

    fn found<'a>(&'a self, addresses: &'a [usize]) -> impl Iterator<Item = &'a Symbol> {
        let found = addresses.iter().map(|address| self.0.get(address));
        found.filter_map(|symbol| symbol?.as_ref())
    }
}
