"""What the threads of a cell did is shown beside its output: when, how often, and in which forms."""

import json
import re
import xml.etree.ElementTree as ElementTree
from base64 import b64decode

import pytest
from gates import UNTIL_IT_WAITS

USE = "use std::{sync::{Arc, Barrier, mpsc}, thread, time::Duration};"
# Both threads and the cell wait for each other, so that each is seen to wait.
TOGETHER = """
let meet = Arc::new(Barrier::new(3));
let threads: Vec<_> = ["left", "right"].into_iter().map(|name| {
    let meet = Arc::clone(&meet);
    let work = move || { meet.wait(); println!("{name} was here"); };
    thread::Builder::new().name(name.into()).spawn(work).unwrap()
}).collect();
meet.wait();
for thread in threads { thread.join().unwrap(); }
"""
IMAGE = re.compile(r'src="data:image/svg\+xml;base64,([^"]+)"')


@pytest.fixture(scope="module", autouse=True)
def prepared(kernel):
    kernel.run(USE)


def data(cell):
    """What the page shows of a cell's lanes in the end."""
    return cell.lanes[-1]["content"]["data"]


def kinds(cell):
    return [message["msg_type"] for message in cell.lanes]


def picture(html):
    """The drawing within the HTML."""
    [image] = IMAGE.findall(html)
    return ElementTree.fromstring(b64decode(image))


def texts(drawing):
    return " ".join("".join(element.itertext()) for element in drawing.iter("{http://www.w3.org/2000/svg}text"))


def saved(kernel, directory, name):
    path = directory / name
    assert str(path) in kernel.run(f":lanes save {path}").value
    return path.read_text()


def test_a_cell_with_threads_shows_what_they_did(kernel):
    cell = kernel.run(TOGETHER)
    assert sorted(cell.stdout.splitlines()) == ["left was here", "right was here"]
    assert "display_data" in kinds(cell)
    for part in ["main", "left", "right"]:
        assert part in data(cell)["text/plain"]
        assert part in texts(picture(data(cell)["text/html"]))
    assert "<details" in data(cell)["text/html"]
    assert "3 threads" in data(cell)["text/html"]


@pytest.mark.parametrize("code", ["1 + 1", "let lonely = 5;", 'println!("alone");', "not rust", ":vars", "fn f() {}", "async { 1 }.await"])
def test_a_cell_without_concurrency_shows_nothing(kernel, code):
    assert kernel.run(code).lanes == []


def test_a_coroutine_that_a_loop_runs_has_a_lane(kernel):
    cell = kernel.run("async fn hello() {}\nasyncio::get_event_loop().run_until_complete(hello());")
    assert "hello" in texts(picture(data(cell)["text/html"]))


def test_lanes_are_shown_always_or_never_as_chosen(kernel):
    assert "each cell" in kernel.run(":lanes on").value
    cell = kernel.run("thread::sleep(Duration::from_millis(1));")
    assert "main" in data(cell)["text/plain"] and "<details open" in data(cell)["text/html"]
    assert "no cell" in kernel.run(":lanes off").value
    assert kernel.run(TOGETHER).lanes == []
    assert "more than one thread" in kernel.run(":lanes auto").value
    assert kernel.run(TOGETHER).lanes != []


@pytest.mark.parametrize("statements", ["1 + 1", "let two = 2;\ntwo"])
def test_a_cell_shows_its_lanes_if_its_first_line_says_so(kernel, statements):
    cell = kernel.run(f":lanes\n{statements}")
    assert cell.value == "2"
    assert "<details open" in data(cell)["text/html"]


def test_lanes_of_a_cell_can_be_asked_for(kernel):
    number = kernel.run("thread::sleep(Duration::from_millis(2));").reply["execution_count"]
    assert kernel.run(":lanes").value.count("main") == 1
    kernel.run(TOGETHER)
    assert "left" in kernel.run(":lanes").value
    assert "left" not in kernel.run(f":lanes {number}").value
    assert kernel.run(":lanes 99999").error["evalue"].startswith("nothing is known of In[99999]")
    assert kernel.run(":lanes wide").error["evalue"].startswith("`:lanes wide` is not known")


def test_lanes_are_saved_as_the_name_says(kernel, tmp_path):
    kernel.run(TOGETHER)
    assert "left" in texts(ElementTree.fromstring(saved(kernel, tmp_path, "lanes.svg")))
    assert "left" in saved(kernel, tmp_path, "lanes.txt")
    assert "<details" in saved(kernel, tmp_path, "lanes.html")
    events = json.loads(saved(kernel, tmp_path, "two words.json"))["traceEvents"]
    names = {event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert {"main", "left", "right"} <= names
    assert "names no format" in kernel.run(":lanes save lanes.bmp").error["evalue"]
    assert "cannot write" in kernel.run(":lanes save /nowhere/at/all.svg").error["evalue"]


def test_lanes_grow_while_a_cell_runs(kernel):
    kernel.run(UNTIL_IT_WAITS)
    # The cell waits for input, so the test says how long it runs.
    cell = kernel.send(
        "let (go, wait) = mpsc::channel::<()>();\n"
        "let waiter = thread::Builder::new().name(\"waiter\".into()).spawn(move || wait.recv()).unwrap();\n"
        'until_it_waits("waiter");\n'
        "std::io::stdin().read_line(&mut String::new())?;\n"
        "go.send(())?;\n"
        "waiter.join().unwrap()?;",
        allow_stdin=True,
    )
    kernel.question(cell)
    while len(kernel.lanes_so_far(cell)) < 3:
        kernel.receive_lanes(cell)
    kernel.client.input("")
    cell = kernel.finish(cell)
    assert kinds(cell)[0] == "display_data"
    assert set(kinds(cell)[1:]) == {"update_display_data"}
    assert len({message["content"]["transient"]["display_id"] for message in cell.lanes}) == 1
    live, final = cell.lanes[1]["content"]["data"]["text/html"], data(cell)["text/html"]
    # The page remembers whether they are open by the same name.
    [name] = set(re.findall('data-shown="([^"]+)"', live + final))
    assert name and "<details open" in live and "<details>" in final
    assert "waiter" in texts(picture(live))
    assert "waiter" in texts(picture(final))
    # By the student's name for the receiver.
    assert "/message from wait/" in data(cell)["text/plain"]


def test_lanes_go_on_when_the_cell_has_ended(kernel):
    cell = kernel.send(
        "let (go, wait) = mpsc::channel::<()>();\n"
        "let late = thread::Builder::new().name(\"late\".into())\n"
        "    .spawn(move || { wait.recv().unwrap(); println!(\"at last\"); }).unwrap();"
    )
    first = kernel.finish(cell)
    assert "at last" not in data(first)["text/plain"]
    kernel.run("go.send(()).unwrap(); late.join().unwrap();")
    kernel.published(cell)  # The text itself.
    while "at last" not in kernel.lanes_so_far(cell)[-1]["content"]["data"]["text/plain"]:
        kernel.receive_lanes(cell)
    assert kernel.lanes_so_far(cell)[-1]["msg_type"] == "update_display_data"


def test_a_flood_is_cut_and_counted(kernel):
    cell = kernel.run(
        "thread::scope(|scope| for n in 0..4 { scope.spawn(move || "
        "for _ in 0..50_000 { thread::yield_now(); if n < 4 { println!(\"{n}\"); } }); });"
    )
    lost = int(re.search(r"(\d+) events came too fast to be noted", data(cell)["text/plain"])[1])
    # Each line is an event, and each wait for the one who prints is three at most: its begin, its end, who ends it.
    assert 100_000 < lost < 4 * 4 * 50_000
    assert len(data(cell)["text/html"]) < 300_000
    assert kernel.run("1").value == "1"


def test_a_cell_that_fails_shows_its_lanes_too(kernel):
    cell = kernel.run("thread::spawn(|| ()).join().unwrap(); panic!(\"over\");")
    assert "over" in cell.error["evalue"] and cell.lanes
    cell = kernel.run("thread::spawn(|| ()).join().unwrap(); std::process::abort();")
    assert cell.reply["status"] == "error"
    assert kernel.run(TOGETHER).lanes, "the next process is watched as well"
