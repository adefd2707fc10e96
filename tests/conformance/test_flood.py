"""Cells that put out more than a page can show: what is shown, what is said of the rest, and what goes on."""

import pytest

LIMIT = 2_000_000  # Bytes that a cell shows unless the notebook says otherwise.


@pytest.fixture
def limited(kernel):
    """Sets the limit for one test."""
    yield lambda size: kernel.run(f":output limit {size}")
    kernel.run(":output limit 2MB")


def notices(cell):
    """What the cell says of output that is not shown, in the order in which it said it."""
    shown = [message for message in cell.outputs if message["msg_type"].endswith("display_data")]
    texts = [message["content"]["data"]["text/plain"] for message in shown]
    return [text for text in texts if text.startswith("…")]


def test_of_a_million_lines_the_first_are_shown_and_the_rest_is_counted(kernel):
    cell = kernel.run('for n in 0..1_000_000 { println!("{n}"); }')
    lines = cell.stdout.splitlines()
    assert lines == [str(n) for n in range(len(lines))]
    assert LIMIT - 10 < len(cell.stdout) <= LIMIT
    assert cell.reply["status"] == "ok"
    assert notices(cell)[-1].startswith("… 2 MB of 6.9 MB are shown, 4.9 MB are not")
    assert "`:output limit 20MB`" in notices(cell)[-1]
    first, *others = cell.outputs[-len(notices(cell)) :]
    assert first["msg_type"] == "display_data"
    assert {message["msg_type"] for message in others} == {"update_display_data"}
    assert len({message["content"]["transient"]["display_id"] for message in [first, *others]}) == 1
    assert kernel.run('println!("next");').stdout == "next\n"


def test_a_higher_limit_shows_all_of_it_in_few_messages(kernel, limited):
    assert "up to 20 MB" in limited("20MB").value
    cell = kernel.run('for n in 0..400_000 { println!("{n:06}"); }')
    assert cell.stdout == "".join(f"{n:06}\n" for n in range(400_000))
    assert notices(cell) == []
    assert len(cell.outputs) < 4_000


def test_without_a_limit_nothing_is_withheld(kernel, limited):
    assert "any amount" in limited("none").value
    cell = kernel.run('println!("{}", "x".repeat(3_000_000));')
    assert cell.stdout == "x" * 3_000_000 + "\n"


def test_threads_lose_and_tear_nothing(kernel):
    cell = kernel.run(
        "std::thread::scope(|scope| for name in 0..4 { scope.spawn(move || for n in 0..5_000 {\n"
        '    println!("{name} {n} out");\n'
        "}); });"
    )
    lines = cell.stdout.splitlines()
    for name in range(4):
        assert [line for line in lines if line[0] == str(name)] == [f"{name} {n} out" for n in range(5_000)]


def test_both_streams_keep_their_order(kernel):
    cell = kernel.run('for n in 0..200 { println!("{n}"); eprintln!("{n}"); }')
    texts = [(content["name"], content["text"]) for content in cell.contents("stream")]
    assert texts == [(name, f"{n}\n") for n in range(200) for name in ("stdout", "stderr")]


def test_a_flood_of_displays_is_limited(kernel, limited):
    limited("10kB")
    cell = kernel.run('for n in 0..1_000 { display(&Html::from(format!("{n}"))); }')
    shown = [content["data"].get("text/html") for content in cell.contents("display_data")]
    assert [html for html in shown if html] == [str(n) for n in range(10)]
    assert "each display" in notices(cell)[-1]


def test_of_a_flood_of_updates_the_last_one_arrives(kernel):
    cell = kernel.run(
        'let shown = display(&Html::from("begin"));\n'
        'for n in 0..20_000 { shown.update(&Html::from(format!("{n}"))); }'
    )
    updates = cell.contents("update_display_data")
    assert updates[-1]["data"]["text/html"] == "19999"
    numbers = [int(update["data"]["text/html"]) for update in updates]
    assert numbers == sorted(numbers)
    assert len(updates) < 10_000
    assert notices(cell) == []


def test_what_is_cleared_does_not_count(kernel, limited):
    limited("10kB")
    cell = kernel.run('for n in 0..20 { clear_output(true); println!("{}", "x".repeat(5_000)); }')
    assert notices(cell) == []
    assert len(cell.stdout) == 20 * 5_001


def test_late_output_is_limited_in_its_own_cell(kernel, limited):
    limited("10kB")
    first = kernel.send(
        "let (go, wait) = std::sync::mpsc::channel::<()>();\n"
        "let late = std::thread::spawn(move || {\n"
        "    wait.recv().unwrap();\n"
        '    for _ in 0..30 { println!("{}", "x".repeat(999)); }\n'
        "});"
    )
    kernel.finish(first)
    second = kernel.run('go.send(()).unwrap(); late.join().unwrap(); println!("second");')
    assert second.stdout == "second\n"
    text, said = "", []
    while not said or "of 30 kB" not in said[-1]:
        content = kernel.published(first)["content"]
        text += content.get("text", "")
        said += [content["data"]["text/plain"]] if "data" in content else []
    assert text == ("x" * 999 + "\n") * 10
    assert said[-1].startswith("… 10 kB of 30 kB are shown, 20 kB are not")


@pytest.mark.parametrize(
    "code",
    [
        'loop { println!("flood"); }',
        'loop { print!("flood"); eprintln!(); }',
        'std::thread::scope(|scope| for _ in 0..4 { scope.spawn(|| loop { println!("flood"); }); });',
        'let shown = display(&Html::from("x")); println!("flood"); loop { shown.update(&Html::from("y")); }',
    ],
)
def test_a_flood_is_interrupted(kernel, code):
    request = kernel.send(code)
    kernel.published_text(request, "flood")
    kernel.manager.interrupt_kernel()
    assert kernel.finish(request).error["ename"] == "Interrupted"
    assert kernel.run("1 + 1").value == "2"


def test_characters_stay_whole_over_writes_of_parts(kernel):
    cell = kernel.run(
        "use std::io::Write;\n"
        'for byte in "é线🦀".bytes() { std::io::stderr().write_all(&[byte]).unwrap(); }\n'
        "std::io::stderr().write_all(&[0xff, b'!', 0xe2]).unwrap();"
    )
    assert cell.stderr == "é线🦀\ufffd!\ufffd"


def test_output_says_what_is_chosen_and_what_is_wrong(kernel):
    said = kernel.run(":output").value
    assert "birth" in said and "2 MB" in said
    for wrong, part in [("limit", "is no size"), ("limit much", "`much` is no size"), ("sideways", "not known")]:
        error = kernel.run(f":output {wrong}").error
        assert part in error["evalue"] and "`:output limit 20MB`" in error["evalue"]
    assert ":output" in kernel.run(":help").value
