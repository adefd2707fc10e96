"""The seed notebook in JupyterLab, as a student sees it: Shift+Enter through every cell."""

import re
import time
from pathlib import Path

import nbformat
import pytest
import seed_checks
from lab import NOTEBOOKS
from playwright.sync_api import Error, TimeoutError, expect

SEED = "01-implementing-concurrency.ipynb"
SCREENSHOTS = Path(__file__).parent / "screenshots"
MILLISECONDS_FOR_A_CELL = 300_000
MILLISECONDS_FOR_AN_ANSWER = 3_000
SECONDS_TO_DRAW = 120


def screenshot(page, name):
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def cell(page, index):
    return page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]')


def run_active_cell(page, index):
    """Presses Shift+Enter and waits until the prompt shows a number."""
    page.keyboard.press("Shift+Enter")
    prompt = cell(page, index).locator(".jp-InputPrompt")
    expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=MILLISECONDS_FOR_A_CELL)


def shown_outputs(cell):
    """What the page shows below a cell, in the form in which a notebook stores it."""
    outputs = []
    for child in cell.locator(".jp-OutputArea-child").all():
        if child.locator(".interleave-lanes").count():
            continue
        text = child.locator(".jp-OutputArea-output").inner_text()
        kind = child.locator(".jp-OutputArea-output").get_attribute("data-mime-type")
        if "jp-OutputArea-executeResult" in child.get_attribute("class"):
            outputs.append({"output_type": "execute_result", "data": {"text/plain": text}})
        elif kind == "application/vnd.jupyter.stdout":
            outputs.append({"output_type": "stream", "name": "stdout", "text": text})
        else:
            outputs.append({"output_type": kind})
    return outputs


def until_it_passes(page, check):
    """Tries again at each frame: outputs are drawn a little after the prompt has changed."""
    deadline = time.monotonic() + SECONDS_TO_DRAW
    while True:
        try:
            return check()
        # `Error`: an output was drawn anew while it was read.
        except (AssertionError, ValueError, Error):
            if time.monotonic() > deadline:
                raise
            page.evaluate("() => new Promise(requestAnimationFrame)")


def check_cell(page, index, tags):
    """Fails unless the page shows what the tags of a cell promise."""
    shown = cell(page, index)
    for tag in tags:
        if tag in seed_checks.CHECKS:
            check_seed_cell(page, index, tag)
        elif tag.startswith("expect-"):
            expect(shown.locator(".jp-OutputArea")).to_contain_text(f"error[{tag.removeprefix('expect-')}]")
            shown.scroll_into_view_if_needed()
            screenshot(page, tag)


def check_seed_cell(page, index, tag):
    for attempt in range(1, seed_checks.ATTEMPTS + 1):
        try:
            return until_it_passes(page, lambda: seed_checks.check(tag, shown_outputs(cell(page, index))))
        except (AssertionError, ValueError):
            if tag not in seed_checks.TIMED or attempt == seed_checks.ATTEMPTS:
                raise
        cell(page, index).locator(".cm-content").click()
        run_active_cell(page, index)


@pytest.fixture(scope="module")
def notebook(lab, page):
    """The page with the seed notebook, its first cell selected and the kernel found."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.goto(lab.address(SEED))
    expect(cell(page, 0)).to_be_visible(timeout=MILLISECONDS_FOR_A_CELL)
    expect(page.locator(".jp-KernelName")).to_contain_text("Rust (Interleave)")
    idle = page.locator('.jp-NotebookPanel .jp-Notebook-ExecutionIndicator[data-status="idle"]')
    expect(idle).to_be_visible(timeout=MILLISECONDS_FOR_A_CELL)
    return page


def test_no_question_is_asked(notebook):
    expect(notebook.locator(".jp-Dialog")).to_have_count(0)
    screenshot(notebook, "opened")


def test_cells_are_coloured_as_rust(notebook):
    line = cell(notebook, 1).locator(".cm-line").filter(has_text="fn network_request").first
    colour = "element => getComputedStyle(element).color"
    keyword = line.locator("span").filter(has_text=re.compile("^fn$"))
    expect(keyword).to_have_attribute("class", re.compile(r"\S"))
    assert keyword.evaluate(colour) != line.evaluate(colour)


def test_every_cell_shows_what_it_should(notebook):
    cells = nbformat.read(NOTEBOOKS / SEED, as_version=4).cells
    cell(notebook, 0).click()
    for index, source in enumerate(cells):
        if source.cell_type == "code":
            run_active_cell(notebook, index)
            check_cell(notebook, index, source.metadata.get("tags", []))
            screenshot(notebook, f"cell-{index:02}")
        else:
            notebook.keyboard.press("Shift+Enter")
    expect(notebook.locator(".jp-Dialog")).to_have_count(0)


@pytest.fixture(scope="module")
def new_cell(notebook):
    """The index of an empty cell at the end, in which the cursor is. A variable is there to ask about."""
    index = len(nbformat.read(NOTEBOOKS / SEED, as_version=4).cells)
    cell(notebook, index).locator(".cm-content").click()
    notebook.keyboard.insert_text("let mut vec = vec![1, 2, 3];")
    run_active_cell(notebook, index)
    return index + 1


def complete(notebook, choice):
    """Presses Tab until a choice is there: the first Tab of a kernel starts what knows the answers, and
    JupyterLab waits a second for them."""
    for _ in range(MILLISECONDS_FOR_A_CELL // MILLISECONDS_FOR_AN_ANSWER):
        notebook.keyboard.press("Tab")
        try:
            return choice.wait_for(timeout=MILLISECONDS_FOR_AN_ANSWER)
        except TimeoutError:
            continue
    raise AssertionError("nothing was completed")


def test_tab_completes_to_code_and_shift_tab_explains_it(notebook, new_cell):
    editor = cell(notebook, new_cell).locator(".cm-content")
    expect(editor).to_be_focused()
    notebook.keyboard.insert_text("vec.pu")
    choice = notebook.locator(".jp-Completer-item").filter(has_text=re.compile(r"push(?!_)"))
    complete(notebook, choice)
    screenshot(notebook, "completion")
    choice.click()
    expect(editor).to_have_text("vec.push")
    notebook.keyboard.press("Shift+Tab")
    expect(notebook.locator(".jp-Tooltip")).to_contain_text("fn push(&mut self, value: T)")
    screenshot(notebook, "tooltip")
