"""`:time` and `:opt`. What they say is looked at, never how long something takes."""

import re

SECONDS = r"[\d.]+ (µs|ms|s)"
TIMES = re.compile(rf"compiling {SECONDS}, running {SECONDS}: computed {SECONDS}, waited {SECONDS}; processor time")
FACTORIAL = "fn timed(n: u64) -> u64 { (1..=n).product() }\ntimed(5)"


def shown(execution):
    return [content["data"]["text/plain"] for content in execution.contents("display_data")]


def test_one_cell_is_timed(kernel):
    execution = kernel.run(f":time\n{FACTORIAL}")
    assert execution.value == "120"
    [times] = shown(execution)
    assert TIMES.match(times)
    assert shown(kernel.run("timed(4)")) == []


def test_a_wait_is_no_computation(kernel):
    [times] = shown(kernel.run(":time\nstd::thread::sleep(std::time::Duration::from_millis(1100));"))
    assert re.search(r"computed [\d.]+ (µs|ms), waited [\d.]+ s", times)


def test_a_cell_that_does_not_compile_was_not_run(kernel):
    [times] = shown(kernel.run(":time\nlet timed_wrong: i32 = true;"))
    assert times.endswith("not run")


def test_every_cell_is_timed_until_told_otherwise(kernel):
    kernel.run(":time on")
    assert TIMES.match(shown(kernel.run("1"))[0])
    assert TIMES.match(kernel.run(":time").value)
    kernel.run(":time off")
    assert shown(kernel.run("1")) == []


def test_one_cell_is_optimised(own_kernel):
    """Optimised, a function that ends with a call of itself is a loop; otherwise its stack overflows."""
    kernel = own_kernel()
    down = "fn down(n: u64) -> u64 { if n == 0 { 7 } else { down(n - 1) } }"
    assert kernel.run(f":opt 2\n{down}\ndown(100_000_000)").value == "7"
    assert kernel.run("down(100_000_000)").error["ename"] == "crash"
    kernel.run(":opt 2")
    assert kernel.run("down(100_000_000)").value == "7"


def test_a_level_that_does_not_exist(kernel):
    assert "0, 1, 2, 3, s, z" in kernel.run(":opt 9\n1").error["evalue"]
