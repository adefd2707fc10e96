"""What all the Python tests share: they run the installed kernel, away from the user's own files."""

import pytest
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

KERNEL_NAME = "interleave"


@pytest.fixture(scope="session", autouse=True)
def kernelspec():
    """The kernel under test, as Jupyter finds it."""
    try:
        return KernelSpecManager().get_kernel_spec(KERNEL_NAME)
    except NoSuchKernel:
        pytest.exit(f"Jupyter knows no kernel `{KERNEL_NAME}`: run tests/run, which installs it.", 1)


@pytest.fixture(scope="session", autouse=True)
def own_files(tmp_path_factory):
    """Keeps the history, the settings and the connection files out of the user's directories."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ["XDG_STATE_HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]:
            patch.setenv(variable, str(tmp_path_factory.mktemp(variable.lower())))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Makes a skipped test fail: nobody would notice that it no longer runs."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
    return report
