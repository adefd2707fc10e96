//! Which threads and tasks can never go on: the rules, without looking at any.

use std::collections::{BTreeMap, BTreeSet};

/// A thread, or a task that waits, as one look found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) number: u64,
    /// The cell that it works for; 0 for none.
    pub(super) cell: u64,
    /// Whether it is the thread of the cells.
    pub(super) runs_cells: bool,
    pub(super) state: State,
}

/// What a thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It runs, or goes on by itself: after some time, or when something comes from outside.
    Acts,
    /// It waits for work, which others would have to bring, and is not missed.
    Idle,
    /// It waits for what another thread would have to do.
    Waits(For),
    /// It never runs again.
    Left,
}

/// What a thread waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// A lock that this one has, as far as is known for certain.
    Lock(Option<u64>),
    /// The end of a thread or a task.
    End(u64),
    /// A message, a wake-up, a lock whose holder is not known: any thread might bring it.
    Anyone,
}

/// Threads that can never go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The cell that they work for.
    pub(super) cell: u64,
    /// Whether no thread can act.
    pub(super) everyone: bool,
    /// Their numbers. Each before the one that it waits for, as far as possible.
    pub(super) waiting: Vec<u64>,
}

/// Finds them, by cell.
pub(super) fn find(seen: &[Seen]) -> Vec<Found> {
    let look = Look::new(seen);
    let mut found: BTreeMap<u64, Found> = BTreeMap::new();
    let everyone = look.nobody_acts();
    for thread in seen {
        let is_stuck = match thread.state {
            State::Waits(_) => everyone == Some(thread.cell) || look.is_doomed(thread.number),
            _ => false,
        };
        if is_stuck {
            let of_cell = found.entry(thread.cell).or_insert_with(|| Found {
                cell: thread.cell,
                everyone: everyone == Some(thread.cell),
                waiting: Vec::new(),
            });
            of_cell.waiting.push(thread.number);
        }
    }
    found
        .into_values()
        .map(|found| Found {
            waiting: look.in_order(&found.waiting),
            ..found
        })
        .collect()
}

/// The first bit of a task's number is set.
fn is_task(number: u64) -> bool {
    number >> 63 == 1
}

struct Look<'a> {
    seen: &'a [Seen],
    by_number: BTreeMap<u64, &'a Seen>,
}

impl<'a> Look<'a> {
    fn new(seen: &'a [Seen]) -> Self {
        let by_number = seen.iter().map(|thread| (thread.number, thread)).collect();
        Self { seen, by_number }
    }

    /// The cell that runs, if it waits and no thread of the process can do anything.
    fn nobody_acts(&self) -> Option<u64> {
        let cell = self
            .seen
            .iter()
            .find(|it| it.runs_cells && it.cell != 0 && it.state != State::Left)?;
        let is_over = |thread: &Seen| thread.state != State::Acts;
        let is_waiting = matches!(cell.state, State::Waits(_));
        (is_waiting && self.seen.iter().all(is_over)).then_some(cell.cell)
    }

    /// Whether a thread can never go on, whatever others do: it waits, directly or through others,
    /// in a circle, for one that never runs again, or for a lock that an ended one has.
    fn is_doomed(&self, number: u64) -> bool {
        let mut passed = BTreeSet::new();
        let mut number = number;
        while passed.insert(number) {
            number = match self.by_number.get(&number).map(|thread| thread.state) {
                Some(State::Left) => return true,
                Some(State::Waits(For::Lock(Some(next)))) => {
                    if !self.by_number.contains_key(&next) {
                        // A task that is not among these does not wait.
                        return !is_task(next);
                    }
                    next
                }
                Some(State::Waits(For::End(next))) => next,
                _ => return false,
            };
        }
        true
    }

    fn waits(&self, number: u64) -> bool {
        let thread = self.by_number.get(&number);
        thread.is_some_and(|thread| matches!(thread.state, State::Waits(_)))
    }

    fn next(&self, number: u64) -> Option<u64> {
        match self.by_number.get(&number)?.state {
            State::Waits(For::Lock(Some(next)) | For::End(next)) => Some(next),
            _ => None,
        }
    }

    /// Begins with the thread of the cells, or the oldest; goes on with what that waits for.
    fn in_order(&self, threads: &[u64]) -> Vec<u64> {
        let mut first = threads.to_vec();
        first.sort_by_key(|number| {
            let runs_cells = self.by_number.get(number).is_some_and(|it| it.runs_cells);
            (!runs_cells, *number)
        });
        let mut order = Vec::new();
        for start in first {
            let mut next = Some(start);
            while let Some(number) = next
                && self.waits(number)
                && !order.contains(&number)
            {
                order.push(number);
                next = self.next(number);
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: u64 = 3;
    const MAIN: u64 = 1;

    fn thread(number: u64, state: State) -> Seen {
        Seen {
            number,
            cell: CELL,
            runs_cells: number == MAIN,
            state,
        }
    }

    fn lock(holder: u64) -> State {
        State::Waits(For::Lock(Some(holder)))
    }

    const MESSAGE: State = State::Waits(For::Anyone);

    #[track_caller]
    fn check(states: &[State], everyone: bool, expected: &[u64]) {
        let seen: Vec<Seen> = (MAIN..)
            .zip(states)
            .map(|(number, state)| thread(number, *state))
            .collect();
        let found = find(&seen);
        if expected.is_empty() {
            assert_eq!(found, []);
        } else {
            let waiting = expected.to_vec();
            assert_eq!(
                found,
                [Found {
                    cell: CELL,
                    everyone,
                    waiting
                }]
            );
        }
    }

    #[test]
    fn a_circle_is_stuck_whoever_else_runs() {
        check(&[lock(2), lock(1), State::Acts], false, &[1, 2]);
        check(&[State::Acts, lock(3), lock(2)], false, &[2, 3]);
        // With those that wait for it.
        check(
            &[State::Waits(For::End(3)), State::Acts, lock(4), lock(3)],
            false,
            &[1, 3, 4],
        );
        check(&[lock(1), State::Acts], false, &[1]);
        check(
            &[State::Waits(For::End(2)), State::Waits(For::End(1))],
            true,
            &[1, 2],
        );
    }

    #[test]
    fn a_lock_that_nobody_gives_back_is_waited_for_in_vain() {
        check(&[State::Acts, lock(77)], false, &[2]);
        check(&[State::Acts, State::Left, lock(2)], false, &[3]);
    }

    #[test]
    fn a_thread_that_acts_may_help() {
        check(&[MESSAGE, State::Acts], false, &[]);
        check(&[lock(2), MESSAGE, State::Acts], false, &[]);
        check(&[State::Waits(For::End(2)), State::Acts], false, &[]);
        check(
            &[State::Waits(For::Lock(None)), lock(3), State::Acts],
            false,
            &[],
        );
    }

    #[test]
    fn tasks_in_a_circle_are_stuck_and_others_may_run() {
        const A: u64 = 1 << 63 | 1;
        const B: u64 = 1 << 63 | 2;
        let end = State::Waits(For::End(A));
        let found = |states: [(u64, State); 3]| {
            let seen = states.map(|(number, state)| thread(number, state));
            find(&seen).pop().map(|found| found.waiting)
        };
        let circle = [(MAIN, end), (A, lock(B)), (B, lock(A))];
        assert_eq!(found(circle), Some(vec![MAIN, A, B]));
        let busy = [(MAIN, State::Acts), (A, lock(B)), (B, lock(A))];
        assert_eq!(found(busy), Some(vec![A, B]));
        // Of a task that runs, or is about to.
        assert_eq!(found([(MAIN, State::Acts), (A, lock(B)), (2, end)]), None);
    }

    #[test]
    fn nobody_is_left_to_help() {
        check(&[MESSAGE], true, &[1]);
        check(&[lock(2), MESSAGE, State::Idle], true, &[1, 2]);
        check(&[State::Idle, MESSAGE], false, &[]);
        let left = Seen {
            cell: 2,
            runs_cells: true,
            ..thread(2, State::Left)
        };
        assert!(find(&[left, thread(MAIN, MESSAGE)])[0].everyone);
        check(&[State::Acts, MESSAGE, MESSAGE], false, &[]);
    }

    #[test]
    fn threads_of_earlier_cells_only_count_as_unable() {
        let early = Seen {
            cell: 1,
            ..thread(2, MESSAGE)
        };
        let found = find(&[thread(MAIN, MESSAGE), early]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].cell, &found[0].waiting[..]), (CELL, &[MAIN][..]));
        let idle = Seen {
            cell: 0,
            ..thread(MAIN, MESSAGE)
        };
        assert_eq!(find(&[idle, early]), []);
        let busy = Seen {
            state: State::Acts,
            ..early
        };
        assert_eq!(find(&[thread(MAIN, MESSAGE), busy]), []);
    }
}
