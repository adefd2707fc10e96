//! Which threads and tasks a command means.

use std::collections::BTreeSet;

use interleave_protocol::{TaskName, TaskState, TaskStates, Thread, ThreadKind};

use super::{
    super::{
        failures,
        host_link::{HostLink, Threads},
    },
    tasks, words,
};
use crate::evaluator::Failure;

/// What lives at a moment.
pub(super) struct Living {
    pub(super) threads: Threads,
    pub(super) tasks: TaskStates,
}

impl Living {
    /// # Errors
    ///
    /// When the host does not answer.
    pub(super) fn now(link: &HostLink) -> Result<Self, Failure> {
        let threads = link.threads().ok_or_else(failures::no_answer)?;
        let tasks = link.tasks().ok_or_else(failures::no_answer)?;
        Ok(Self { threads, tasks })
    }
}

/// The threads that cells have started: the ones that commands can be about.
pub(super) fn students(threads: &[Thread]) -> Vec<&Thread> {
    let is_student = |thread: &&Thread| thread.kind == ThreadKind::Student;
    threads.iter().filter(is_student).collect()
}

/// The threads and tasks that a command is about, by their numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Meant {
    pub(super) threads: BTreeSet<u64>,
    pub(super) tasks: BTreeSet<TaskName>,
    /// Whether all tasks are meant, and there were too many to list.
    has_unlisted: bool,
}

impl Meant {
    /// Those that are called by one of the names or numbers, `task 7` being one of tokio; all of them if
    /// there is none, or `all`.
    ///
    /// # Errors
    ///
    /// When a name is nobody's: words that list the right ones.
    pub(super) fn by(names: &str, living: &Living) -> Result<Self, String> {
        let mut meant = Self::default();
        let words = names.split([' ', ',']).filter(|word| !word.is_empty());
        let mut words = words.peekable();
        if words.peek().is_none() {
            meant.add_all(living);
        }
        while let Some(word) = words.next() {
            let number = words.peek().and_then(|next| next.parse().ok());
            match (word, number) {
                ("all", _) => meant.add_all(living),
                ("task", Some(number)) => {
                    words.next();
                    meant.add_task(number, living)?;
                }
                _ => meant.add_by_name(word, living)?,
            }
        }
        Ok(meant)
    }

    /// Takes what was too many to be listed, when others have ended.
    pub(super) fn add_unlisted(&mut self, living: &Living) {
        if self.has_unlisted {
            self.add_all_tasks(living);
        }
    }

    fn add_all(&mut self, living: &Living) {
        let threads = students(&living.threads.known).into_iter();
        self.threads.extend(threads.map(|thread| thread.number));
        self.add_all_tasks(living);
    }

    fn add_all_tasks(&mut self, living: &Living) {
        let tasks = living.tasks.tasks.iter();
        self.tasks.extend(tasks.map(TaskState::name));
        self.has_unlisted = living.tasks.unlisted > 0;
    }

    fn add_task(&mut self, number: u64, living: &Living) -> Result<(), String> {
        let of_tokio = |task: &&TaskState| task.in_loop.is_none() && task.id == number;
        let Some(task) = living.tasks.tasks.iter().find(of_tokio) else {
            return Err(unknown("task", &format!("task {number}"), living));
        };
        self.tasks.insert(task.name());
        Ok(())
    }

    fn add_by_name(&mut self, name: &str, living: &Living) -> Result<(), String> {
        let mut threads = students(&living.threads.known);
        threads.retain(|thread| {
            thread.number.to_string() == name || thread.name.as_deref() == Some(name)
        });
        let of_loop = |task: &&TaskState| task.in_loop.as_ref().is_some_and(|it| it.name == name);
        let tasks: Vec<&TaskState> = living.tasks.tasks.iter().filter(of_loop).collect();
        if threads.is_empty() && tasks.is_empty() {
            return Err(unknown("thread", name, living));
        }
        self.tasks.extend(tasks.into_iter().map(TaskState::name));
        let numbers = threads.iter().map(|thread| thread.number);
        self.threads.extend(numbers);
        Ok(())
    }

    /// Those of them that live.
    pub(super) fn left<'a>(&self, living: &'a Living) -> Left<'a> {
        let threads = living.threads.known.iter();
        let tasks = living.tasks.tasks.iter();
        Left {
            threads: threads
                .filter(|thread| self.threads.contains(&thread.number))
                .collect(),
            tasks: tasks
                .filter(|task| self.tasks.contains(&task.name()))
                .collect(),
        }
    }
}

/// What has not ended.
pub(super) struct Left<'a> {
    pub(super) threads: Vec<&'a Thread>,
    pub(super) tasks: Vec<&'a TaskState>,
}

impl<'a> Left<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.threads.is_empty() && self.tasks.is_empty()
    }

    /// The tasks of event loops that do not run. Nothing brings them on meanwhile.
    pub(super) fn take_resting(&mut self) -> Vec<&'a TaskState> {
        self.tasks.extract_if(.., |task| task.rests()).collect()
    }

    /// How many, and which.
    pub(super) fn list(&self) -> String {
        let threads = (!self.threads.is_empty()).then(|| words::list(&self.threads));
        let tasks = (!self.tasks.is_empty()).then(|| tasks::list(&self.tasks));
        let both: Vec<String> = [threads, tasks].into_iter().flatten().collect();
        both.join("; ")
    }
}

fn unknown(kind: &str, name: &str, living: &Living) -> String {
    /// So many are offered of each kind.
    const OFFERED: usize = 20;
    let threads = students(&living.threads.known).into_iter();
    let threads = threads.map(words::name_and_number).take(OFFERED);
    let tasks = living.tasks.tasks.iter();
    let tasks = tasks.map(tasks::name).take(OFFERED);
    let names: Vec<String> = threads.chain(tasks).collect();
    if names.is_empty() {
        return format!(
            "no {kind} is called `{name}`: no thread or task that a cell started is running"
        );
    }
    format!(
        "no {kind} is called `{name}`. There are: {}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use interleave_protocol::{InLoop, Location, TaskKind, ThreadState};

    use super::{super::words::tests::thread, *};

    fn task(id: u64) -> TaskState {
        TaskState {
            kind: TaskKind::Tokio,
            id,
            in_loop: None,
            cell: 1,
            spawned_at: Location {
                file: String::new(),
                line: 1,
                column: 1,
            },
            is_running: false,
            since: 0,
            busy: 0,
        }
    }

    fn living() -> Living {
        let in_loop = |id, is_driven| TaskState {
            kind: TaskKind::Coroutine,
            in_loop: Some(Box::new(InLoop {
                name: format!("Task-{id}"),
                function: None,
                is_driven,
                due: None,
            })),
            ..task(id)
        };
        let tasks = TaskStates {
            tasks: vec![task(7), task(12), in_loop(7, true), in_loop(8, false)],
            unlisted: 0,
        };
        let threads = Threads {
            known: threads(),
            unseen: 0,
        };
        Living { threads, tasks }
    }

    fn threads() -> Vec<Thread> {
        let with_number = |name: &str, number| Thread {
            number,
            ..thread(name, ThreadState::Running)
        };
        let unnamed = Thread {
            name: None,
            ..with_number("", 9)
        };
        let pool = Thread {
            kind: ThreadKind::Pool,
            ..with_number("tokio-worker", 3)
        };
        vec![
            pool,
            with_number("a", 7),
            with_number("b", 8),
            unnamed,
            with_number("a", 10),
        ]
    }

    #[track_caller]
    fn check(names: &str, threads: &[u64], tasks: &[&str]) {
        let living = living();
        let meant = Meant::by(names, &living).unwrap();
        let left = meant.left(&living);
        let named: Vec<String> = left
            .tasks
            .iter()
            .map(|task| super::tasks::name(task))
            .collect();
        assert_eq!(Vec::from_iter(meant.threads), threads);
        assert_eq!(named, tasks);
    }

    #[test]
    fn what_rests_is_taken_out_of_what_is_left() {
        let living = living();
        let meant = Meant::by("task 7 Task-7 Task-8", &living).unwrap();
        let mut left = meant.left(&living);
        let resting = left.take_resting();
        assert_eq!(super::tasks::list(&resting), "1 task: Task-8");
        assert_eq!(left.list(), "2 tasks: 7, Task-7");
    }

    #[test]
    fn a_thread_is_meant_by_its_name_or_its_number_and_a_task_by_its_number() {
        let all = ["task 7", "task 12", "Task-7", "Task-8"];
        check("", &[7, 8, 9, 10], &all);
        check("all", &[7, 8, 9, 10], &all);
        check("a", &[7, 10], &[]);
        check("9, b", &[8, 9], &[]);
        check("b 8", &[8], &[]);
        check("task 7", &[], &["task 7"]);
        check("8 task 12, a", &[7, 8, 10], &["task 12"]);
        check("Task-8, all", &[7, 8, 9, 10], &all);
        check("Task-8", &[], &["Task-8"]);
    }

    #[test]
    fn tasks_that_were_not_listed_come_later() {
        let mut living = living();
        living.tasks.tasks = vec![task(7), task(12)];
        living.tasks.unlisted = 1;
        let name = |id| task(id).name();
        let mut meant = Meant::by("", &living).unwrap();
        living.tasks.tasks = vec![task(13)];
        living.tasks.unlisted = 0;
        meant.add_unlisted(&living);
        living.tasks.tasks.push(task(14));
        meant.add_unlisted(&living);
        assert_eq!(meant.tasks, BTreeSet::from([7, 12, 13].map(name)));
        let left = meant.left(&living);
        assert_eq!(left.list(), "4 threads: a, b, thread 9, a; 1 task: 13");
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_right_ones() {
        let living = living();
        let error = |names| Meant::by(names, &living).unwrap_err();
        assert_eq!(
            error("c"),
            "no thread is called `c`. There are: a (7), b (8), thread 9, a (10), task 7, task 12, Task-7, Task-8"
        );
        assert!(error("3").contains("`3`"), "a thread of a pool is nobody's");
        assert!(error("task 8").starts_with("no task is called `task 8`."));
        assert!(error("task").starts_with("no thread is called `task`."));
        let none = Living {
            threads: Threads::default(),
            tasks: TaskStates::default(),
        };
        let error = Meant::by("c", &none).unwrap_err();
        assert!(error.ends_with("no thread or task that a cell started is running"));
        assert_eq!(Meant::by("all", &none), Ok(Meant::default()));
    }
}
