//! The libraries, and what is changed in each.

use super::{File, Seam};

/// All of them.
pub const SEAMS: [Seam; 3] = [
    Seam {
        package: "tokio",
        has_tasks: true,
        files: &[
            File {
                path: "src/util/trace.rs",
                changes: &[
                    (
                        "pub(crate) spawned_at: crate::runtime::task::SpawnLocation,",
                        "pub(crate) spawned_at: crate::runtime::task::SpawnLocation, \
                         pub(crate) interleave_at: &'static std::panic::Location<'static>,",
                    ),
                    (
                        "spawned_at: crate::runtime::task::SpawnLocation::capture(),",
                        "spawned_at: crate::runtime::task::SpawnLocation::capture(), \
                         interleave_at: std::panic::Location::caller(),",
                    ),
                    (
                        "pub(crate) fn task<F>(task: F, _kind",
                        "#[allow(dead_code)] fn unowned_task<F>(task: F, _kind",
                    ),
                    (
                        "pub(crate) fn blocking_task<Fn, Fut>(task: Fut, _spawn_meta",
                        "#[allow(dead_code)] fn unowned_blocking_task<Fn, Fut>(task: Fut, _spawn_meta",
                    ),
                ],
                addition: concat!(include_str!("tokio.rs.in"), include_str!("permits.rs.in")),
            },
            // Of which all its locks are made.
            File {
                path: "src/sync/batch_semaphore.rs",
                changes: &[
                    (
                        "waker.replace(cx.waker().clone())",
                        "waker.replace(crate::util::trace::for_permits(self, || cx.waker().clone()))",
                    ),
                    (
                        "*queued = false;",
                        "*queued = false; crate::util::trace::got_permits(semaphore);",
                    ),
                    (
                        "return Ok(());",
                        "{ crate::util::trace::got_permits(self); return Ok(()); }",
                    ),
                    (
                        "self.add_permits_locked(added,",
                        "crate::util::trace::gave_permits(self); self.add_permits_locked(added,",
                    ),
                ],
                addition: "",
            },
            File {
                path: "src/runtime/task/harness.rs",
                changes: &[(
                    "if can_read_output(self.header(), self.trailer(), waker) {",
                    "if crate::util::trace::for_end_of(self.core().task_id.as_u64(), || \
                     can_read_output(self.header(), self.trailer(), waker)) {",
                )],
                addition: "",
            },
            // Where threads are blocked on futures.
            File {
                path: "src/future/block_on.rs",
                changes: &[("e.block_on(f)", "e.block_on(crate::util::trace::root(f))")],
                addition: "",
            },
            File {
                path: "src/runtime/runtime.rs",
                changes: &[(
                    "let _enter = self.enter();",
                    "let future = crate::util::trace::root(future); let _enter = self.enter();",
                )],
                addition: "",
            },
            File {
                path: "src/runtime/task/waker.rs",
                changes: &[
                    (
                        "    raw.wake_by_val();",
                        "    if !unsafe { ptr.as_ref() }.state.load().is_complete() { \
                         crate::util::trace::woken(unsafe { Header::get_id(ptr) }.as_u64()); } \
                         raw.wake_by_val();",
                    ),
                    (
                        "    raw.wake_by_ref();",
                        "    if !unsafe { ptr.as_ref() }.state.load().is_complete() { \
                         crate::util::trace::woken(unsafe { Header::get_id(ptr) }.as_u64()); } \
                         raw.wake_by_ref();",
                    ),
                    (
                        "    raw.drop_reference();",
                        "    if is_lost(unsafe { ptr.as_ref() }) { \
                         crate::util::trace::lost(unsafe { Header::get_id(ptr) }.as_u64()); } \
                         raw.drop_reference();",
                    ),
                ],
                addition: include_str!("waker.rs.in"),
            },
            // What has a time limit waits for something else.
            File {
                path: "src/time/timeout.rs",
                changes: &[(
                    "|| match delay.poll(cx) {",
                    "|| match crate::util::trace::unnoted(cx, |cx| delay.poll(cx)) {",
                )],
                addition: "",
            },
            // Where every task begins: from now on it can be stopped.
            File {
                path: "src/runtime/task/mod.rs",
                changes: &[
                    ("mod waker;", "pub(crate) mod waker;"),
                    (
                        "let join = JoinHandle::new(raw);",
                        "let join = JoinHandle::new(raw); \
                         crate::util::trace::made(id.as_u64(), || join.abort_handle());",
                    ),
                ],
                addition: "",
            },
            File {
                path: "src/runtime/task/abort.rs",
                changes: &[],
                addition: include_str!("tokio_abort.rs.in"),
            },
            // `tokio::spawn` calls the function above; the methods of a runtime do not.
            File {
                path: "src/runtime/handle.rs",
                changes: &[
                    (
                        "self.inner.spawn(future, id,",
                        "self.inner.spawn(crate::util::trace::task(future, \"task\", meta, id.as_u64()), id,",
                    ),
                    (
                        "self.inner.spawn_local(future, id,",
                        "self.inner.spawn_local(crate::util::trace::task(future, \"local\", meta, id.as_u64()), id,",
                    ),
                    (
                        "blocking.block_on(future).expect(",
                        "blocking.block_on(crate::util::trace::root(future)).expect(",
                    ),
                ],
                addition: "",
            },
        ],
    },
    Seam {
        package: "rayon-core",
        has_tasks: true,
        files: &[
            File {
                path: "src/job.rs",
                changes: &[
                    (
                        "execute_fn: unsafe fn(*const ()),",
                        "execute_fn: unsafe fn(*const ()), owner: interleave::Owner,",
                    ),
                    (
                        "execute_fn: <T as Job>::execute,",
                        "execute_fn: <T as Job>::execute, owner: interleave::Owner::current(),",
                    ),
                    (
                        "(self.execute_fn)(self.pointer)",
                        "let _entered = self.owner.enter(); (self.execute_fn)(self.pointer)",
                    ),
                    // What is sure to be given to a thread of the pool; half of a `join` is not.
                    (
                        "JobRef::new(Box::into_raw(self))",
                        "JobRef::new(Box::into_raw(self)).submitted()",
                    ),
                    (
                        "JobRef::new(Arc::into_raw(Arc::clone(this)))",
                        "JobRef::new(Arc::into_raw(Arc::clone(this))).submitted()",
                    ),
                ],
                addition: include_str!("rayon.rs.in"),
            },
            // Between two jobs a thread of the pool works for no cell, whichever started the pool.
            File {
                path: "src/registry.rs",
                changes: &[
                    (
                        "let worker_thread = &WorkerThread::from(thread);",
                        "crate::job::interleave::work_for_nobody(); \
                         let worker_thread = &WorkerThread::from(thread);",
                    ),
                    (
                        "self.inject(job.as_job_ref());",
                        "self.inject(job.as_job_ref().submitted());",
                    ),
                    // Else it ends the process when a job unwinds that nobody waits for.
                    (
                        "if let Err(err) = unwind::halt_unwinding(f) {",
                        "if let Err(err) = unwind::halt_unwinding(f) { \
                         if crate::job::interleave::is_to_stop() { return; }",
                    ),
                ],
                addition: "",
            },
        ],
    },
    Seam {
        package: "parking_lot_core",
        has_tasks: false,
        files: &[File {
            path: "src/parking_lot.rs",
            changes: &[(
                "let unparked = match timeout {",
                "interleave::parks_at(key); let unparked = match timeout {",
            )],
            addition: include_str!("parking_lot.rs.in"),
        }],
    },
];
