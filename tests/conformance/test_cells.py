"""How cells run: their numbers, their options, the queue, `.await`, and evcxr's commands."""

import pytest


def test_cells_are_numbered_from_one(own_kernel):
    kernel = own_kernel()
    assert [kernel.run("1 + 1").reply["execution_count"] for _ in range(2)] == [1, 2]


def test_a_request_is_enclosed_by_busy_and_idle(kernel):
    request = kernel.send('println!("out"); 1')
    contents = [kernel.published(request) for _ in range(5)]
    kinds = ["status", "execute_input", "stream", "execute_result", "status"]
    assert [message["msg_type"] for message in contents] == kinds
    states = [message["content"].get("execution_state") for message in contents]
    assert states == ["busy", None, None, None, "idle"]
    assert kernel.reply(request)["status"] == "ok"


def test_variables_functions_and_types_live_on(kernel):
    kernel.run("#[derive(Debug)] struct Point { x: i32 }\nfn double(p: &Point) -> i32 { p.x * 2 }")
    kernel.run("let point = Point { x: 21 };")
    assert kernel.run("double(&point)").value == "42"
    assert kernel.run("point").value == "Point { x: 21 }"


def test_a_silent_cell_shows_and_counts_nothing(kernel):
    before = kernel.run("()").reply["execution_count"]
    silent = kernel.run('let silent = 7; println!("not shown"); silent', silent=True)
    assert (silent.reply["status"], silent.outputs) == ("ok", [])
    after = kernel.run("silent")
    assert (after.value, after.reply["execution_count"]) == ("7", before + 1)


def test_a_silent_cell_says_its_error_only_in_the_reply(kernel):
    silent = kernel.run('panic!("quiet")', silent=True)
    assert silent.outputs == []
    assert (silent.reply["status"], silent.reply["ename"]) == ("error", "panic")


def test_a_cell_can_stay_out_of_the_history(kernel):
    before = kernel.run("()").reply["execution_count"]
    kernel.run('"not kept"', store_history=False)
    after = kernel.run('"kept"')
    assert after.reply["execution_count"] == before + 1
    history = kernel.ask("history", hist_access_type="tail", n=2, output=True)["history"]
    assert [entry[2] for entry in history] == [["()", None], ['"kept"', '"kept"']]


def test_user_expressions_are_answered_one_by_one(kernel):
    expressions = {"sum": "1 + 1", "wrong": "no_such_name", "seen": "seen"}
    reply = kernel.run("let seen = 3;", user_expressions=expressions).reply
    answers = reply["user_expressions"]
    assert answers["sum"]["status"] == "ok"
    assert answers["sum"]["data"]["text/plain"] == "2"
    assert answers["seen"]["data"]["text/plain"] == "3"
    assert (answers["wrong"]["status"], answers["wrong"]["ename"]) == ("error", "E0425")
    assert reply["status"] == "ok"


def test_an_error_aborts_the_cells_that_wait(kernel):
    failing = kernel.send('std::io::stdin().read_line(&mut String::new()).unwrap(); panic!("stop")', allow_stdin=True)
    waiting = [kernel.send(code) for code in ["let never = 1;", "let never = 2;"]]
    kernel.synchronize()
    kernel.question(failing)
    kernel.client.input("")
    failed, *aborted = [kernel.finish(request) for request in [failing, *waiting]]
    assert failed.error["ename"] == "panic"
    assert [cell.reply["status"] for cell in aborted] == ["aborted", "aborted"]
    assert kernel.run("never").error["ename"] == "E0425"


def test_an_error_need_not_abort_the_cells_that_wait(kernel):
    failing = kernel.send('panic!("go on")', stop_on_error=False)
    waiting = kernel.send("1 + 1")
    assert kernel.finish(failing).error["ename"] == "panic"
    assert kernel.finish(waiting).value == "2"


SLEEP = "use tokio::time::sleep; const PAUSE: std::time::Duration = std::time::Duration::from_millis(1);"
AWAITING = {
    "await": "sleep(PAUSE).await; 1",
    "event loop": "asyncio::get_event_loop().run_until_complete(async { asyncio::sleep(0.001).await; 2 })",
    "block_on": "block_on(async { sleep(PAUSE).await; 3 })",
    "runtime": "tokio::runtime::Runtime::new().unwrap().block_on(async { sleep(PAUSE).await; 4 })",
    "futures": "futures::executor::block_on(async { 5 })",
    "join": "tokio::join!(async { 6 }, async { 7 }).0",
}


@pytest.mark.parametrize("first", AWAITING)
def test_ways_to_await_can_be_mixed_across_cells(kernel, first):
    kernel.run(SLEEP)
    order = [first, *AWAITING, first]
    values = [kernel.run(AWAITING[way]).value for way in order]
    assert values == [str(1 + list(AWAITING).index(way)) for way in order]


def test_ways_to_await_can_be_mixed_in_one_cell(kernel):
    blocks = ", ".join(f"{{ {code} }}" for code in AWAITING.values())
    assert kernel.run(f"{SLEEP}\n[{blocks}]").value == "[1, 2, 3, 4, 5, 6]"


def test_a_cell_without_await_is_not_async(kernel):
    kernel.run("async { 1 }.await")
    assert kernel.run("fn plain() -> i32 { 2 }\nstd::thread::spawn(plain).join().unwrap()").value == "2"


def test_a_task_of_one_cell_is_awaited_in_the_next(kernel):
    kernel.run("let (sender, receiver) = tokio::sync::oneshot::channel::<i32>();")
    kernel.run("let task = tokio::spawn(async move { receiver.await.unwrap() + 1 });")
    kernel.run("sender.send(41).unwrap();")
    assert kernel.run("task.await.unwrap()").value == "42"


def test_a_thread_of_one_cell_is_joined_in_the_next(kernel):
    kernel.run("let (to_thread, from_cell) = std::sync::mpsc::channel::<i32>();")
    kernel.run("let thread = std::thread::spawn(move || from_cell.recv().unwrap() * 2);")
    kernel.run("to_thread.send(21).unwrap();")
    assert kernel.run("thread.join().unwrap()").value == "42"


def test_crates_of_the_prelude_need_no_dependency(kernel):
    assert kernel.run("use rayon::prelude::*;\n(1..=10).into_par_iter().sum::<i32>()").value == "55"
    assert kernel.run("let lock = parking_lot::Mutex::new(2); lock.into_inner()").value == "2"
    assert kernel.run("crossbeam::channel::bounded::<i32>(1).1.try_recv()").value == "Err(Empty)"


def test_variables_can_be_listed(kernel):
    kernel.run("let listed: Vec<u8> = vec![1];")
    assert "listed: Vec<u8>" in kernel.run(":vars").value
    assert kernel.run(":type listed").value == "listed: Vec<u8>"


def test_help_lists_our_commands_and_evcxrs_once_each(kernel):
    lines = kernel.run(":help").value.splitlines()
    names = [line.split()[0] for line in lines]
    assert {"?NAME", ":quit", ":version", ":dep", ":vars", ":type", ":opt", ":clear"} <= set(names)
    assert len(names) == len(set(names))


def test_versions_are_named(kernel):
    version = kernel.run(":version").value
    assert all(name in version for name in ["interleave", "evcxr", "rustc"])


def test_the_optimisation_level_can_be_chosen(kernel):
    kernel.run("let optimised = 5;")
    assert kernel.run(":opt 2").value.strip() == "Optimization: 2"
    assert kernel.run("optimised + 1").value == "6"
    assert kernel.run(":opt 0").value.strip() == "Optimization: 0"


def test_clear_forgets_everything_but_the_prelude(kernel):
    kernel.run("let forgotten = 1;")
    assert kernel.run(":clear").reply["status"] == "ok"
    assert kernel.run("forgotten").error["ename"] == "E0425"
    assert kernel.run("block_on(async { 1 })").value == "1"
    assert kernel.run('Html::from("still there")').value == "still there"


def test_a_variable_of_a_type_that_was_redefined_is_lost_and_no_other(kernel):
    kernel.run(
        "#[derive(Debug)] struct Part { size: u8 }\nstruct Whole { part: Part }\nstruct Apart;\n"
        "let whole = Whole { part: Part { size: 1 } }; let apart = Apart;"
    )
    # A value does not consist of what its methods do.
    kernel.run("impl Part { fn is_big(&self) -> bool { self.size > 1 } }")
    assert kernel.run("whole.part.is_big()").value == "false"
    cell = kernel.run("#[derive(Debug)] struct Part { size: u64 }\nlet apart = apart;")
    assert "`whole`" in cell.stderr and "`apart`" not in cell.stderr
    assert kernel.run("whole.part").error["ename"] == "E0425"
    assert kernel.run("let _: Apart = apart;").reply["status"] == "ok"
