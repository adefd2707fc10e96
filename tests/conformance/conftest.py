"""The kernel that the tests of one file share."""

import pytest
from kernel_client import Kernel


@pytest.fixture(scope="module")
def kernel():
    """A kernel that cells of other tests have run in: use names of your own."""
    with Kernel() as kernel:
        yield kernel
        kernel.check_that_everything_was_read()


@pytest.fixture
def own_kernel():
    """Makes kernels for one test alone. Takes environment variables."""
    kernels = []

    def start(**environment):
        kernels.append(Kernel(environment))
        return kernels[-1]

    yield start
    for kernel in kernels:
        kernel.close()


@pytest.fixture(scope="module")
def own_module_kernel():
    """The same for the tests of one file."""
    kernels = []

    def start(**environment):
        kernels.append(Kernel(environment))
        return kernels[-1]

    yield start
    for kernel in kernels:
        kernel.close()
