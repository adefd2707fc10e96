"""The kernel that the tests of one file share."""

import subprocess
from contextlib import ExitStack

import pytest
from kernel_client import Kernel

# Some systems, most containers among them, let nobody mount a disk of his own.
CAN_MOUNT = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"]
collect_ignore = [] if subprocess.run(CAN_MOUNT, capture_output=True).returncode == 0 else ["test_full_disk.py"]


@pytest.fixture(scope="module")
def kernel():
    """A kernel that cells of other tests have run in: use names of your own."""
    with Kernel() as kernel:
        yield kernel
        kernel.check_that_everything_was_read()


def starter():
    """Makes kernels, which end with the test. Takes environment variables."""
    with ExitStack() as kernels:
        yield lambda **environment: kernels.enter_context(Kernel(environment))


@pytest.fixture
def own_kernel():
    """Makes kernels for one test alone."""
    yield from starter()


@pytest.fixture(scope="module")
def own_module_kernel():
    """The same for the tests of one file."""
    yield from starter()
