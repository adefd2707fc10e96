"""A disk without space: one clear error, nothing is lost, and cells run again when there is space."""

from pathlib import Path

import pytest
from kernel_client import Kernel

# A temporary directory of its own for the kernel alone, in name spaces that need no privilege.
SMALL_DISK = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
MOUNT = 'mount -t tmpfs -o size=24m tmpfs "$TMPDIR" && exec "$@"'


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A kernel whose temporary directory and history are on a disk of 24 MB."""
    directory = tmp_path_factory.mktemp("small")
    prefix = [*SMALL_DISK, MOUNT, "sh"]
    with Kernel({"TMPDIR": str(directory), "XDG_STATE_HOME": str(directory)}, prefix) as kernel:
        kernel.run("fn still_known() -> i32 { 7 }\nlet kept = 5;")
        # As the kernel sees it.
        kernel.disk = Path(f"/proc/{kernel.pid}/root{directory}")
        assert list(kernel.disk.glob("interleave-*")), "the kernel does not use the disk"
        yield kernel
        kernel.check_that_everything_was_read()


def fill(disk):
    """Takes all space there is."""
    path = disk / "everything"
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return path


def test_a_full_disk_is_one_error_and_nothing_is_lost(small):
    path = fill(small.disk)
    cell = small.run("kept + 1")
    path.unlink()
    assert cell.kinds == ["error"]
    assert "No space left on device" in cell.traceback
    assert small.run("kept + still_known()").value == "12"


def test_a_cell_that_fills_the_disk_sees_its_error(small):
    cell = small.run(
        'let mut file = std::fs::File::create(std::env::temp_dir().join("big")).unwrap();\n'
        "loop { std::io::Write::write_all(&mut file, &[0; 4096])?; }"
    )
    assert "No space left on device" in cell.error["evalue"]
    # A command needs no compiler.
    assert small.run("!rm $TMPDIR/big").reply["status"] == "ok"
    assert small.run("kept + still_known()").value == "12"


def test_a_history_without_space_costs_only_what_was_not_written(small):
    path = fill(small.disk)
    small.run(":version")
    path.unlink()
    small.run("kept + 2")
    [entry] = small.ask("history", hist_access_type="tail", n=1)["history"]
    assert entry[2] == "kept + 2"
