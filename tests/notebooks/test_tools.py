"""The kernel works in Jupyter's other programs."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

METADATA = {"kernelspec": {"name": "interleave", "display_name": "Rust (Interleave)", "language": "rust"}}
SECONDS = 300


@pytest.fixture
def notebook(tmp_path):
    """A file with two cells."""
    sources = ['let greeting = "hello";\nprintln!("{greeting}, world");', "greeting.len()"]
    cells = [new_code_cell(source) for source in sources]
    path = tmp_path / "small.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), path)
    return path


def run(module, *arguments, **options):
    """Runs one of Jupyter's programs to its end."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS, **options)


def check(path):
    """Fails unless both cells have shown what they should."""
    first, second = nbformat.read(path, as_version=4).cells
    assert [output.text for output in first.outputs] == ["hello, world\n"]
    assert [output.data["text/plain"] for output in second.outputs] == ["5"]


def test_nbconvert_executes_a_notebook(notebook):
    run("nbconvert", "--to", "notebook", "--execute", "--inplace", notebook)
    check(notebook)


def test_papermill_executes_a_notebook(notebook, tmp_path):
    run("papermill", notebook, tmp_path / "out.ipynb", "--no-progress-bar")
    check(tmp_path / "out.ipynb")


def test_the_console_runs_cells():
    cells = 'let greeting = "hello";\nprintln!("{greeting}, world");\ngreeting.len()\nexit\n'
    printed = run("jupyter_console", "--kernel", "interleave", "--simple-prompt", input=cells).stdout
    assert "hello, world" in printed
    assert "Out[3]: 5" in printed
