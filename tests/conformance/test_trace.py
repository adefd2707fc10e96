"""What threads do is noted as it happens: who, in which order, waiting for whom.

Read from `:lanes save`, as Perfetto would. Order comes from barriers and messages of the cells themselves, or from a
look at the state of a thread, so it is asserted by comparing; no test knows how long anything takes.
"""

from traced import USE, prepared, trace  # noqa: F401 (fixtures)


def test_threads_that_wait_for_each_other_wait_at_the_same_time(trace):
    lanes = trace(
        "let meet = Arc::new(Barrier::new(4));\n"
        'let threads = ["a", "b", "c"].map(|name| {\n'
        "    let meet = Arc::clone(&meet);\n"
        "    named(name, move || { meet.wait(); })\n"
        "});\n"
        'for name in ["a", "b", "c"] { until_it_waits(name); }\n'
        'println!("the last comes");\n'
        "meet.wait();\n"
        "for thread in threads { thread.join().unwrap(); }"
    )
    for name in "abc":
        assert ("spawn", "main", name) in lanes.arrows
        wait = lanes.the(name, "barrier meet")
        assert wait.line.endswith(":4")
        assert all(wait.overlaps(lanes.the(other, "barrier meet")) for other in "abc")
    # They leave when the last has come.
    released, _ = lanes.printed("the last comes")
    assert all(lanes.the(name, "barrier meet").start < released <= lanes.the(name, "barrier meet").end for name in "abc")


def test_three_timers_sleep_at_the_same_time_and_print_on_lanes_of_their_own(trace):
    def waits(seconds):
        lanes = trace(
            'let timers = ["first", "second", "third"]\n'
            f'    .map(|name| threading::Timer::new({seconds}, move || println!("{{name}}")));\n'
            "timers.iter().for_each(|timer| timer.start());\n"
            "timers.iter().for_each(|timer| timer.join());"
        )
        prints = [lanes.printed(name) for name in ("first", "second", "third")]
        assert len({lane for _, lane in prints}) == 3
        waits = [lanes.the(lane, "timer .*|wake-up.*") for _, lane in prints]
        assert all(lane.startswith("Timer-") and time >= wait.end for (time, lane), wait in zip(prints, waits))
        return waits

    def together(waits):
        return all(one.overlaps(other) for one in waits for other in waits)

    # On a machine that stands still for a second between two starts, the first timer may be over by then.
    assert together(waits(1.0)) or together(waits(30.0))


def test_a_thread_waits_for_a_mutex_until_the_other_gives_it_back(trace):
    lanes = trace(
        "let shared = Arc::new(Mutex::new(0));\n"
        "let guard = shared.lock().unwrap();\n"
        "let other = Arc::clone(&shared);\n"
        'let waiter = named("waiter", move || { *other.lock().unwrap() += 1; println!("has it"); });\n'
        'std::process::Command::new("true").status().unwrap();\n'
        'until_it_waits("waiter");\n'
        'println!("gives it back");\n'
        "drop(guard);\n"
        "waiter.join().unwrap();"
    )
    wait = lanes.the("waiter", "lock.*")
    assert wait.line.endswith(":4")
    given_back, giver = lanes.printed("gives it back")
    taken, taker = lanes.printed("has it")
    assert (giver, taker) == ("main", "waiter")
    assert wait.start < given_back <= wait.end <= taken
    assert ("wake", "main", "waiter") in lanes.arrows
    assert lanes.the("main", "another program").end < given_back


def test_a_message_wakes_the_one_who_waits_for_it(trace):
    lanes = trace(
        "let (send, receive) = mpsc::channel();\n"
        'let reader = named("reader", move || { println!("got {}", receive.recv().unwrap()); });\n'
        'until_it_waits("reader");\n'
        'println!("sends");\n'
        "send.send(7).unwrap();\n"
        "reader.join().unwrap();"
    )
    wait = lanes.the("reader", "message from receive")
    sent, _ = lanes.printed("sends")
    got, _ = lanes.printed("got 7")
    assert wait.line.endswith(":2")
    assert wait.start < sent <= wait.end <= got
    assert ("wake", "main", "reader") in lanes.arrows


def test_a_parked_thread_is_unparked(trace):
    lanes = trace(
        'let parked = named("parked", || { thread::park(); println!("goes on"); });\n'
        'until_it_waits("parked");\n'
        'println!("unparks");\n'
        "parked.thread().unpark();\n"
        "parked.join().unwrap();"
    )
    wait = lanes.the("parked", "message or wake-up")
    assert wait.start < lanes.printed("unparks")[0] <= wait.end <= lanes.printed("goes on")[0]
    assert ("wake", "main", "parked") in lanes.arrows


def test_a_join_lasts_until_the_thread_is_over(trace):
    lanes = trace(
        "let (go, wait) = mpsc::channel::<()>();\n"
        'let worker = named("worker", move || { wait.recv().unwrap_err(); println!("worker is done"); });\n'
        'let joiner = named("joiner", move || worker.join().unwrap());\n'
        'until_it_waits("joiner");\n'
        "drop(go);\n"
        "joiner.join().unwrap();"
    )
    join = lanes.the("joiner", "join worker")
    done, who = lanes.printed("worker is done")
    assert who == "worker" and join.start < done <= join.end
    assert join.line.endswith(":3")
    assert ("join", "worker", "joiner") in lanes.arrows
    assert ("spawn", "main", "worker") in lanes.arrows


def test_the_threads_of_a_scope_are_over_before_it_is(trace):
    lanes = trace(
        "let meet = Barrier::new(2);\n"
        "thread::scope(|scope| {\n"
        '    for name in ["left", "right"] {\n'
        "        let work = || { meet.wait(); println!(\"{}\", thread::current().name().unwrap()); };\n"
        "        thread::Builder::new().name(name.into()).spawn_scoped(scope, work).unwrap();\n"
        "    }\n"
        "});\n"
        'println!("after the scope");'
    )
    after, _ = lanes.printed("after the scope")
    for name in ("left", "right"):
        assert lanes.printed(name)[1] == name
        assert lanes.printed(name)[0] < after
        assert ("spawn", "main", name) in lanes.arrows


def test_a_thread_has_its_whole_name(trace):
    lanes = trace('named("a name that is too long for the system", || {}).join().unwrap();')
    assert "a name that is too long for the system" in lanes.names


def test_what_interleave_does_itself_is_not_seen(trace):
    lanes = trace("thread::spawn(|| println!(\"here\")).join().unwrap();")
    assert "main" in lanes.names and len(lanes.names) == 2
    assert not lanes.matching("interleave.*")


def test_events_after_a_crash_are_of_the_new_process(own_kernel, trace):
    # Without threads of earlier cells, which would stand against a copy.
    kernel = own_kernel()
    kernel.run(USE)
    kernel.run("let kept = 5;")
    kernel.run("std::process::abort();")
    lanes = trace('named("after", move || println!("{kept}")).join().unwrap();', kernel)
    assert lanes.printed("5")[1] == "after"
    assert ("spawn", "main", "after") in lanes.arrows


def test_a_forked_child_notes_nothing(trace):
    lanes = trace(
        'unsafe extern "C" { fn fork() -> i32; fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32; }\n'
        "let pid = unsafe { fork() };\n"
        'if pid == 0 { println!("the child"); named("of-the-child", || ()).join().unwrap(); }\n'
        "else { unsafe { waitpid(pid, std::ptr::null_mut(), 0) }; println!(\"the parent\"); }"
    )
    assert [text for _, _, text in lanes.prints] == ["the parent"]
    assert "of-the-child" not in lanes.names


def test_nothing_is_noted_after_lanes_off(kernel, trace, tmp_path):
    kernel.run(":lanes off")
    kernel.run('named("unseen", || ()).join().unwrap();')
    kernel.run(":lanes auto")
    lanes = trace('named("seen", || ()).join().unwrap();')
    assert "seen" in lanes.names and "unseen" not in lanes.names
