"""The lanes of cells in JupyterLab: opened, stepped through, in both themes, untrusted and exported."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

SCREENSHOTS = Path(__file__).parent / "screenshots"
SEED = "01-implementing-concurrency.ipynb"
NOTEBOOK = "lanes.ipynb"
MILLISECONDS_FOR_A_CELL = 300_000
MILLISECONDS_TO_CLOSE = 3_000
# By their tags: those that are looked at, after one that they need.
CELLS = ["seed-1", "seed-2", "seed-15", "seed-20"]
LANES_OF = {
    "seed-2": ["main", "Timer"],
    "seed-15": ["main", "parrot"],
    "seed-20": ["main", "ThreadPool", "wait_and_return"],
}
LOOKED_AT = [(CELLS.index(tag), tag) for tag in LANES_OF]
TIMERS = CELLS.index("seed-2")


def cell(page, index):
    return page.locator(f'.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell[data-windowed-list-index="{index}"]')


def lanes(page, index):
    """The lanes below a cell."""
    return cell(page, index).locator(".interleave-lanes")


def picture(page, index):
    return lanes(page, index).locator("img").first


def opened(page, index):
    """Opens them by a click on their line."""
    lanes(page, index).locator("summary").first.click()
    expect(picture(page, index)).to_be_visible()
    return lanes(page, index)


def is_drawn(image):
    """Whether the browser could draw it."""
    return image.evaluate("image => image.decode().then(() => image.naturalWidth > 0, () => false)")


def choose_theme(page, name):
    for label in ["Settings", "Theme", name]:
        page.locator(".lm-MenuBar-itemLabel, .lm-Menu-itemLabel").get_by_text(label, exact=True).click()
    expect(page.locator(f'body[data-jp-theme-name="{name}"]')).to_be_attached()
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def open_notebook(page, lab, name):
    page.goto(lab.address(name))
    tab = page.locator(".jp-mod-current .lm-TabBar-tabLabel").get_by_text(name, exact=True)
    expect(tab).to_be_visible(timeout=MILLISECONDS_FOR_A_CELL)
    expect(cell(page, 0)).to_be_visible(timeout=MILLISECONDS_FOR_A_CELL)


@pytest.fixture(scope="module")
def notebook(lab, page):
    """A notebook with those cells of the seed, run one after the other."""
    SCREENSHOTS.mkdir(exist_ok=True)
    book = nbformat.read(lab.notebooks / SEED, as_version=4)
    book.cells = [cell for cell in book.cells if set(CELLS) & set(cell.metadata.get("tags", []))]
    for each in book.cells:
        each.outputs, each.execution_count = [], None
    nbformat.write(book, lab.notebooks / NOTEBOOK)
    open_notebook(page, lab, NOTEBOOK)
    # Before that JupyterLab refuses to run a cell.
    status = page.locator("#jp-main-statusbar").get_by_text("Rust (Interleave) | Idle")
    expect(status).to_be_visible(timeout=MILLISECONDS_FOR_A_CELL)
    cell(page, 0).locator(".cm-content").click()
    for index in range(len(CELLS)):
        page.keyboard.press("Shift+Enter")
        prompt = cell(page, index).locator(".jp-InputPrompt")
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=MILLISECONDS_FOR_A_CELL)
    return page


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_each_line_opens_to_a_picture(notebook, theme):
    choose_theme(notebook, theme)
    for index, name in LOOKED_AT:
        line = lanes(notebook, index).locator("summary").first
        if not picture(notebook, index).is_visible():
            line.click()
        expect(picture(notebook, index)).to_be_visible()
        assert is_drawn(picture(notebook, index)), name
        for lane in LANES_OF[name]:
            expect(lanes(notebook, index)).to_contain_text(lane)
        # At once: lanes whose threads go on are drawn anew meanwhile, as another element.
        lanes(notebook, index).evaluate("lanes => lanes.scrollIntoView({block: 'nearest'})")
        notebook.screenshot(path=SCREENSHOTS / f"lanes-{name}-{theme.split()[-1].lower()}.png")


def test_the_slider_marks_the_lines_of_threads(notebook):
    slider = lanes(notebook, TIMERS).locator("input[type=range]")
    slider.focus()
    count = int(slider.get_attribute("max"))
    marks = set()
    for _ in range(count):
        notebook.keyboard.press("ArrowRight")
        marks.add(lanes(notebook, TIMERS).locator("[aria-live]").inner_text())
    assert len(marks) == count, "each step says something else"
    notebook.screenshot(path=SCREENSHOTS / "lanes-step.png")


def close(growing):
    """Closes lanes by a click on their line. One that meets the line while it is drawn anew is lost."""
    is_closed = expect(growing.locator("details")).not_to_have_attribute
    for _ in range(MILLISECONDS_FOR_A_CELL // MILLISECONDS_TO_CLOSE):
        growing.locator("summary").first.click()
        try:
            return is_closed("open", "", timeout=MILLISECONDS_TO_CLOSE)
        except AssertionError:
            continue
    raise AssertionError("they stay open")


def test_lanes_that_grow_stay_as_they_are_on_the_page(notebook):
    """Each update is another element: one that was open stays open at the end, one that was closed stays closed."""
    wait = "\n".join(
        [
            "let file = std::env::temp_dir().join(format!(\"{}-goes-on\", std::process::id()));",
            'println!("{}", file.display());',
            "let waits = std::thread::spawn(move || while !file.exists() { std::thread::sleep(std::time::Duration::from_millis(20)) });",
            "waits.join().unwrap();",
        ]
    )
    # Shift+Enter in the last cell makes a new one.
    for index, is_closed in enumerate((False, True), start=len(CELLS)):
        new = cell(notebook, index)
        new.locator(".cm-content").fill(wait)
        notebook.keyboard.press("Shift+Enter")
        growing = new.locator(".interleave-lanes:not([data-lanes])")
        expect(growing.locator("img")).to_be_visible(timeout=MILLISECONDS_FOR_A_CELL)
        path = new.locator(".jp-OutputArea-output", has_text="-goes-on").inner_text().strip()
        if is_closed:
            close(growing)
        so_far = growing.locator("summary").inner_text()
        expect(growing.locator("summary")).not_to_have_text(so_far)
        Path(path).touch()
        last = new.locator(".interleave-lanes[data-lanes]")
        expect(last).to_be_attached(timeout=MILLISECONDS_FOR_A_CELL)
        Path(path).unlink()
        expect(last.locator("img").first).to_be_visible(visible=not is_closed)
        expect(last.locator("input[type=range]")).to_have_count(0 if is_closed else 1)
        # It is as good as any other: a click on its line.
        last.locator("summary").first.click()
        expect(last.locator("img").first).to_be_visible(visible=is_closed)


def test_lanes_are_there_when_the_notebook_is_opened_again_untrusted(notebook, lab):
    notebook.keyboard.press("Control+s")
    saved = lab.notebooks / NOTEBOOK
    expect(notebook.locator(".jp-mod-current.jp-mod-dirty")).to_have_count(0)
    # A notebook that came by mail: nobody has signed it.
    book = nbformat.read(saved, as_version=4)
    book.cells[0].source += " "
    nbformat.write(book, saved.with_name("received.ipynb"))
    open_notebook(notebook, lab, "received.ipynb")
    for index, name in LOOKED_AT:
        opened(notebook, index)
        assert is_drawn(picture(notebook, index)), name
        expect(lanes(notebook, index).locator("script")).to_have_count(0)
    notebook.screenshot(path=SCREENSHOTS / "lanes-untrusted.png")


def test_lanes_are_there_when_the_notebook_is_exported(notebook, lab, tmp_path):
    saved = lab.notebooks / NOTEBOOK
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output-dir", str(tmp_path), str(saved)]
    subprocess.run(command, check=True, capture_output=True)
    notebook.goto((tmp_path / saved.with_suffix(".html").name).as_uri())
    shown = notebook.locator(".interleave-lanes")
    expect(shown).to_have_count(len(LOOKED_AT) + 2)
    for each in shown.all():
        each.locator("summary").first.click()
        expect(each.locator("img").first).to_be_visible()
        assert is_drawn(each.locator("img").first)
        expect(each.locator("input[type=range]")).to_be_visible()
    notebook.screenshot(path=SCREENSHOTS / "lanes-exported.png", full_page=True)
    assert_zooms(shown.first)


def drawn(image):
    """What a part of the picture shows: where its bars are, and its texts with their ends."""
    return image.evaluate(
        """image => {
            const source = decodeURIComponent(image.src.slice(image.src.indexOf(",") + 1));
            const frame = document.createElement("div");
            frame.innerHTML = source;
            document.body.append(frame);
            const part = frame.querySelector("#p");
            const box = (element) => { const { x, y, width, height } = element.getBBox(); return [x, x + width, y, y + height]; };
            const all = (name) => [...part.querySelectorAll(name)];
            const found = {
                bars: all("rect").map(box),
                texts: all("text").map((text) => [text.textContent, ...box(text)]),
            };
            frame.remove();
            return found;
        }"""
    )


def assert_zooms(lanes):
    """A part of the time is drawn anew: its labels lie in their bars, and not upon each other."""
    image = lanes.locator("img").first
    whole = image.get_attribute("src")
    larger, smaller = (lanes.get_by_label(name, exact=True) for name in ("less time, larger", "more time"))
    for _ in range(3):
        larger.click()
        part = drawn(image)
        ticks = [text for text in part["texts"] if re.fullmatch(r"[\d.e-]+ (ns|µs|ms|s)", text[0])]
        assert len(ticks) >= 3 and len({tick[0] for tick in ticks}) == len(ticks)
        assert all(one[2] < other[1] for one, other in zip(ticks, ticks[1:])), ticks
        labels = [text for text in part["texts"] if text not in ticks]
        assert part["bars"]
        for text, left, right, top, bottom in labels:
            others = [each for each in labels if each[0:2] != [text, left] and each[3] < bottom and top < each[4]]
            assert not any(left < each[2] and each[1] < right for each in others), (text, others)
    for _ in range(3):
        smaller.click()
    expect(image).to_have_attribute("src", whole)
