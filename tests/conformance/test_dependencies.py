"""Crates that a notebook adds with `:dep`."""

import pytest
from gates import GatedCrate
from kernel_client import Kernel


@pytest.fixture(scope="module")
def adding_kernel():
    """A kernel of its own: a crate that was added stays."""
    with Kernel() as kernel:
        yield kernel


@pytest.fixture
def crate(tmp_path):
    """Makes a crate with one function, `answer`, and the given dependencies."""

    def make(name, dependencies=""):
        directory = tmp_path / name
        (directory / "src").mkdir(parents=True)
        (directory / "src/lib.rs").write_text("pub fn answer() -> i32 { 42 }\n")
        (directory / "Cargo.toml").write_text(
            f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n'
            f"[dependencies]\n{dependencies}\n[workspace]\n"
        )
        return f'{name} = {{ path = "{directory}" }}'

    return make


def bars(execution):
    return [content for content in execution.contents("display_data") if "display_id" in content["transient"]]


def test_a_bar_shows_what_is_compiled(adding_kernel, crate):
    execution = adding_kernel.run(f":dep {crate('plain')}\nplain::answer()")
    assert execution.value == "42"
    [bar] = bars(execution)
    updates = execution.contents("update_display_data")
    assert {update["transient"]["display_id"] for update in updates} == {bar["transient"]["display_id"]}
    steps = [shown["data"] for shown in [bar, *updates]]
    assert any("compiling crates" in step["text/plain"] and "<progress" in step["text/html"] for step in steps)
    assert "compiled the crates" in updates[-1]["data"]["text/plain"]


def test_variables_outlive_an_addition(adding_kernel, crate):
    """`either/use_std` is a feature that popular crates ask of a crate below the prelude."""
    adding_kernel.run("let kept = vec![1, 2];")
    dependencies = 'either = { version = "1", features = ["use_std"] }'
    execution = adding_kernel.run(f":dep {crate('popular', dependencies)}\npopular::answer() + kept[0]")
    assert execution.value == "43"


def test_a_crate_that_the_prelude_has_below_it_can_be_added(adding_kernel):
    """The template asks for features of these; cargo refuses a package that has a crate under two names."""
    execution = adding_kernel.run(
        ':dep serde = { version = "1", features = ["derive"] }\n:dep serde_json = "1"\n'
        ':dep crossbeam-channel = "0.5"\n:dep bytes = "1"\n:dep smallvec = "1"\n:dep either = "1"\n'
        "#[derive(serde::Serialize)]\nstruct Point { x: i32 }\nserde_json::to_string(&Point { x: 1 }).unwrap()"
    )
    assert execution.value == r'"{\"x\":1}"'


def test_a_new_build_of_the_prelude_gets_a_new_process(adding_kernel, crate):
    """`either/serde` is a feature that nobody foresaw, so what uses `either` is compiled anew."""
    adding_kernel.run("let lost = vec![1, 2]; fn one() -> i32 { 1 }")
    dependencies = 'either = { version = "1", features = ["serde"] }'
    execution = adding_kernel.run(f":dep {crate('rare', dependencies)}\nrare::answer() + one()")
    assert execution.value == "43"
    assert "variables and threads are lost" in execution.stderr
    assert adding_kernel.run("lost").error["ename"] == "E0425"
    assert adding_kernel.run("let new = one() + rare::answer();").reply["status"] == "ok"
    assert adding_kernel.run("new").value == "43"


def test_a_crate_that_does_not_exist(adding_kernel, tmp_path):
    execution = adding_kernel.run(f':dep missing = {{ path = "{tmp_path}/missing" }}')
    assert "missing" in execution.error["evalue"]


def test_restart_forgets_variables_and_keeps_items(adding_kernel):
    adding_kernel.run("let before = 1; fn item() -> i32 { 2 }")
    assert adding_kernel.run(":restart").reply["status"] == "ok"
    assert adding_kernel.run("before").error["ename"] == "E0425"
    assert adding_kernel.run(":restart\nlet after = item(); after + 1").value == "3"
    assert adding_kernel.run("after").value == "2"


def test_an_addition_is_interrupted_and_can_be_made_later(adding_kernel, tmp_path):
    crate = GatedCrate(tmp_path)
    adding_kernel.run("let kept = 1;")
    request = adding_kernel.send(f"{crate.dep}\ngated::answer()")
    crate.building.wait_for_line()
    adding_kernel.manager.interrupt_kernel()
    assert adding_kernel.finish(request).error["ename"] == "Interrupted"
    crate.building.wait_for_end()
    # It is not added: this would wait for it.
    assert adding_kernel.run("kept + 1").value == "2"
    crate.open()
    assert adding_kernel.run(f"{crate.dep}\ngated::answer() + kept").value == "43"
    assert adding_kernel.run("gated::answer()").value == "42"


def test_an_addition_alone_in_its_cell_is_interrupted_too(adding_kernel, tmp_path):
    crate = GatedCrate(tmp_path, "alone")
    request = adding_kernel.send(crate.dep)
    crate.building.wait_for_line()
    adding_kernel.manager.interrupt_kernel()
    assert adding_kernel.finish(request).error["ename"] == "Interrupted"
    crate.building.wait_for_end()
    assert adding_kernel.run("1 + 1").value == "2"
    crate.open()
    assert adding_kernel.run(crate.dep).reply["status"] == "ok"
    assert adding_kernel.run("alone::answer()").value == "42"


def test_a_crate_that_does_not_compile_is_not_added(adding_kernel, tmp_path):
    crate = GatedCrate(tmp_path, "broken")
    crate.open()
    (tmp_path / "broken/src/lib.rs").write_text("pub fn answer() -> i32 { false }")
    assert "mismatched types" in adding_kernel.run(crate.dep).error["evalue"]
    assert adding_kernel.run("1 + 1").value == "2"
    (tmp_path / "broken/src/lib.rs").write_text("pub fn answer() -> i32 { 42 }")
    assert adding_kernel.run(f"{crate.dep}\nbroken::answer()").value == "42"


def test_clear_forgets_the_crates_and_keeps_the_prelude(adding_kernel, crate):
    """Also where the crates had asked for another build of the prelude."""
    dependencies = 'either = { version = "1", features = ["serde"] }'
    adding_kernel.run(f":dep {crate('rarer', dependencies)}\nrarer::answer()")
    assert adding_kernel.run(":clear").reply["status"] == "ok"
    assert adding_kernel.run("rarer::answer()").error["ename"] == "E0433"
    assert adding_kernel.run("concurrent::futures::Future::<i32>::new().done()").value == "false"
