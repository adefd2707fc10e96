"""Every notebook runs from a clean kernel, and the seed notebook shows what the original showed."""

from pathlib import Path

import nbformat
import pytest
import seed_checks
from dateutil.parser import isoparse
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PATHS = [path for path in sorted(NOTEBOOKS.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
SEED = NOTEBOOKS / "01-implementing-concurrency.ipynb"
SEED_IN_CHINESE = NOTEBOOKS / "zh" / SEED.name
SECONDS_FOR_A_CELL = 300


def name(path):
    """How a notebook is called in the names of tests."""
    return str(path.relative_to(NOTEBOOKS))


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell, prefix):
    """What follows the prefix in those of the cell's tags that have it."""
    return [tag.removeprefix(prefix) for tag in cell.metadata.get("tags", []) if tag.startswith(prefix)]


def errors(cell):
    return [output.ename for output in cell.outputs if output.output_type == "error"]


def lanes(cell):
    """Which of the outputs show what the threads of the cell did."""
    return [output for output in cell.outputs if seed_checks.is_lanes(output)]


def check_outputs(notebook):
    """Fails unless each cell shows what its tags say."""
    for cell in code_cells(notebook):
        assert errors(cell) == tags(cell, "expect-"), cell.source
        for number in tags(cell, "seed-"):
            seed_checks.check(f"seed-{number}", cell.outputs)


def seconds(cell):
    """How long the kernel was at work on a cell."""
    times = cell.metadata.execution
    begin, end = (isoparse(times[key]) for key in ["iopub.status.busy", "iopub.status.idle"])
    return (end - begin).total_seconds()


@pytest.fixture(scope="module", params=PATHS, ids=name)
def executed(request):
    """A notebook after all its cells were run, in its own directory."""
    for _ in range(seed_checks.ATTEMPTS):
        notebook = execute(request.param)
        if not is_late(notebook):
            break
    return notebook


def execute(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        cell.outputs = []
    client = NotebookClient(
        notebook,
        timeout=SECONDS_FOR_A_CELL,
        allow_errors=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    return client.execute()


def is_late(notebook):
    tagged = [(f"seed-{number}", cell) for cell in code_cells(notebook) for number in tags(cell, "seed-")]
    return any(seed_checks.is_late(tag, cell.outputs) for tag, cell in tagged)


def test_each_cell_shows_what_its_tags_say(executed):
    check_outputs(executed)


def test_cells_with_threads_or_tasks_show_lanes(executed):
    if not any(tags(cell, "seed-") for cell in code_cells(executed)):
        return
    shown = {number for cell in code_cells(executed) for number in tags(cell, "seed-") if lanes(cell)}
    assert shown >= {"2", "3", "8", "9", "15", "18", "20", "23", "24"}
    assert not shown & {"1", "10", "17"}, "one thread that waits or computes is no concurrency"


def test_requests_one_after_the_other_take_three_seconds(executed):
    for cell in code_cells(executed):
        if tags(cell, "seed-") == ["1"]:
            assert seconds(cell) >= 3


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_stored_outputs_are_those_of_a_good_run(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    counts = [cell.execution_count for cell in code_cells(notebook)]
    expected = list(range(1, len(counts) + 1))
    assert counts == expected, "run the whole notebook from a clean kernel, and save it"
    check_outputs(notebook)


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_the_notebook_asks_for_this_kernel(path):
    assert nbformat.read(path, as_version=4).metadata.kernelspec.name == "interleave"


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_cells_that_must_fail_do_not_stop_a_run(path):
    for cell in code_cells(nbformat.read(path, as_version=4)):
        assert bool(tags(cell, "expect-")) == bool(tags(cell, "raises-exception"))


@pytest.mark.parametrize("path", [SEED, SEED_IN_CHINESE], ids=name)
def test_all_cells_of_the_seed_are_there_in_order(path):
    notebook = nbformat.read(path, as_version=4)
    numbers = [number for cell in code_cells(notebook) for number in tags(cell, "seed-")]
    assert [f"seed-{number}" for number in numbers] == list(seed_checks.CHECKS)


@pytest.mark.parametrize("path", sorted((NOTEBOOKS / "zh").rglob("*.ipynb")), ids=name)
def test_both_languages_have_the_same_code(path):
    original = nbformat.read(NOTEBOOKS / path.relative_to(NOTEBOOKS / "zh"), as_version=4)
    translated = nbformat.read(path, as_version=4)
    sources = [[(cell.source, cell.metadata) for cell in code_cells(book)] for book in (original, translated)]
    assert sources[0] == sources[1]
