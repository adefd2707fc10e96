//! Describes threads and tasks that are stuck, for the kernel.

use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed};

use interleave_protocol::{
    FutureWait, HolderFate, LockHolder, Stuck, StuckTask, StuckThread, TaskKind, TaskState,
    ThreadKind,
};

use super::{
    ends, locks, permits, reading,
    registry::{self, Slot},
    stuck::Found,
    waiting::Waiting,
    watch::{Purpose, number_of_task, taken, what_for, whole_number},
};
use crate::{
    tasks,
    trace::{self, Keeper, Object, WaitingTask},
};

/// So many tasks are described; of the others only the number is told.
const MOST_TASKS: usize = 40;

pub(super) fn describe(found: &Found, slots: &[&Slot]) -> Stuck {
    let threads: Vec<StuckThread> = found
        .waiting
        .iter()
        .filter_map(|number| describe_thread(slots.iter().find(|slot| slot.is_thread(*number))?))
        .collect();
    let waits =
        |slot: &&&Slot| slot.waiting.is_set() && reading::kind_of(slot) == ThreadKind::Student;
    let waiting = slots.iter().filter(waits).count();
    let students = threads
        .iter()
        .filter(|it| it.thread.kind == ThreadKind::Student);
    let others = waiting.saturating_sub(students.count());
    let mut tasks = describe_tasks(found);
    let other_tasks = tasks.len().saturating_sub(MOST_TASKS);
    tasks.truncate(MOST_TASKS);
    Stuck {
        cell: found.cell,
        tasks,
        other_tasks,
        everyone: found.everyone,
        others,
        threads,
    }
}

fn describe_thread(slot: &Slot) -> Option<StuckThread> {
    let awaits = slot.awaits.read().unwrap_or_default();
    Some(StuckThread {
        holder: holder(slot),
        awaits: awaits.keepers.iter().map(describe_keeper).collect(),
        awaited: ends::awaited(slot.number.load(Relaxed) as u32),
        thread: reading::describe(slot)?,
    })
}

/// The tasks that were found, in that order; then, where no thread can act, those of the cell that
/// nobody runs.
fn describe_tasks(found: &Found) -> Vec<StuckTask> {
    let states = tasks::states().tasks.into_iter();
    // Those of event loops have numbers of their own; what is known of them, the trace says.
    let states = states.filter(|state| state.in_loop.is_none());
    let mut states: BTreeMap<u64, TaskState> = states.map(|state| (state.id, state)).collect();
    let waiting: BTreeMap<u64, WaitingTask> = trace::waiting_tasks()
        .map(|task| (number_of_task(task.name), task))
        .collect();
    let numbers = found.waiting.iter();
    let mut tasks: Vec<StuckTask> = numbers
        .filter_map(|number| {
            let task = waiting.get(number)?;
            let is_of_tokio = task.name.kind == TaskKind::Tokio;
            let state = is_of_tokio.then(|| states.remove(&task.name.id)).flatten();
            Some(describe_task(task, state))
        })
        .collect();
    let is_left_alone = |task: &TaskState| {
        let waits = waiting.values().any(|it| it.name == task.name());
        found.everyone && task.cell == found.cell && !task.is_running && !waits
    };
    let left = states.into_values().filter(is_left_alone);
    tasks.extend(left.map(|state| StuckTask {
        name: state.name(),
        state: Some(state),
        awaits: Vec::new(),
        awaited: Vec::new(),
    }));
    tasks
}

fn describe_task(task: &WaitingTask, state: Option<TaskState>) -> StuckTask {
    StuckTask {
        name: task.name,
        state,
        awaits: task.known.keepers.iter().map(describe_keeper).collect(),
        awaited: ends::awaited(permits::of_task(task.name)),
    }
}

fn describe_keeper(keeper: &Keeper) -> FutureWait {
    FutureWait {
        what: reading::awaited_at(&keeper.innermost()),
        at: reading::in_cells(&keeper.places()),
        task: match keeper.object {
            Object::Task(id) => Some(id),
            _ => None,
        },
        holder: match keeper.object {
            Object::Lock(semaphore) => locks::taken(semaphore).map(|taken| LockHolder {
                is_certain: permits::is_certain(taken),
                ..describe_holder(taken)
            }),
            _ => None,
        },
    }
}

fn holder(slot: &Slot) -> Option<LockHolder> {
    let noted = slot.waiting.read()?;
    let Some(Waiting::Futex { address, .. }) = noted.waiting else {
        return None;
    };
    let Purpose::Lock = what_for(slot, &noted) else {
        return None;
    };
    let (taken, is_certain) = taken(slot, address)?;
    Some(LockHolder {
        is_certain,
        ..describe_holder(taken)
    })
}

/// The thread or the task that has taken a lock, and what has become of it.
pub(super) fn describe_holder(taken: locks::Taken) -> LockHolder {
    let task = permits::task(taken.who);
    let number = task.map_or_else(|| whole_number(taken.who), |_| 0);
    let living = registry::living().0.find(|slot| slot.is_thread(number));
    let fate = match living {
        None if task.is_some() => HolderFate::Lives,
        None => HolderFate::Ended,
        Some(slot) if slot.fate.is_left() => HolderFate::Left,
        Some(slot) if slot.runs_cells.load(Relaxed) => HolderFate::Cells,
        Some(_) => HolderFate::Lives,
    };
    LockHolder {
        number,
        task,
        name: living.map_or_else(|| locks::name_of_ended(number), Slot::name),
        fate,
        site: LockHolder::call(taken.site),
        is_certain: !locks::some_are_missing(),
    }
}
