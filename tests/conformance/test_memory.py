"""A cell may not take the machine."""

import pytest

# Small, so that reaching it is quick and harms nobody.
LIMIT = "600 MiB"


@pytest.fixture(scope="module")
def small(own_module_kernel):
    return own_module_kernel(INTERLEAVE_MEMORY_LIMIT=LIMIT)


TOO_MUCH = {
    "a vector of zeroes": "let zeroes = vec![0_u8; 4 << 30]; zeroes.len()",
    "only reserved": "let reserved: Vec<u8> = Vec::with_capacity(4 << 30); reserved.len()",
    "many small ones": "let mut list = Vec::new(); loop { list.push(vec![1_u8; 100_000]); }",
    "in a thread": "let _ = std::thread::spawn(|| vec![0_u8; 4 << 30].len()).join();",
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_much_memory_is_one_error_that_names_the_limit_and_how_to_change_it(small, name):
    error = small.run(TOO_MUCH[name]).error
    assert error["ename"] == "OutOfMemory"
    for part in [LIMIT.replace("600", "600.0"), ":memory limit", "ariables and"]:
        assert part in error["evalue"]
    assert small.run("1 + 1").value == "2"


def test_a_refused_allocation_that_the_cell_expects_is_no_error(small):
    cell = small.run("let mut list: Vec<u8> = Vec::new(); list.try_reserve(4 << 30).is_err()")
    assert cell.value == "true"


def test_a_hundred_threads_fit_into_the_limit(small):
    code = "let threads: Vec<_> = (0..100).map(|n| std::thread::spawn(move || n)).collect();"
    assert small.run(code + "threads.into_iter().map(|thread| thread.join().unwrap()).sum::<i32>()").value == "4950"


def test_the_limit_can_be_asked_and_changed_while_the_notebook_lives(small):
    assert small.run("let kept = 1_usize;").reply["status"] == "ok"
    assert small.run(":memory").value == f"limit: {LIMIT.replace('600', '600.0')}"
    assert small.run(":memory limit 3GiB").value == "limit: 3.0 GiB"
    assert small.run(":memory").value == "limit: 3.0 GiB"
    assert small.run("{ let reserved: Vec<u8> = Vec::with_capacity(1 << 30); reserved.capacity() + kept }").value == str((1 << 30) + 1)
    assert small.run(":memory limit much").error["evalue"].startswith("`much` is no amount of memory")
    assert small.run(":memory limit none").reply["status"] == "ok"
    assert small.run(":memory").value == "limit: none"
    assert small.run(f":memory limit {LIMIT}").reply["status"] == "ok"


def test_a_type_that_doubles_makes_the_compiler_stop_and_not_the_machine(small):
    small.run("fn twice<T: Fn() -> U, U>(f: T) -> impl Fn() -> (U, U) { move || (f(), f()) }")
    nested = "twice(" * 30 + "|| 1" + ")" * 30
    error = small.run(f"{{ let f = {nested}; std::mem::size_of_val(&f()) }}").error
    assert "needs more memory" in error["evalue"] and ":memory" in error["evalue"]
    assert small.run("1 + 1").value == "2"
