"""JupyterLab on a copy of the notebooks, and a browser."""

import os
import shutil

import pytest
from lab import Lab
from playwright.sync_api import expect, sync_playwright

# Nothing waits for it to pass. JupyterLab needs many seconds to begin on a busy machine.
MILLISECONDS = 120_000
expect.set_options(timeout=MILLISECONDS)
CHROMIUM_NAMES = ["chromium", "chromium-browser", "google-chrome"]
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A server that ends by itself when the tests have asked it to."""
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab
        lab.shut_down()


@pytest.fixture(scope="module")
def page(lab):
    """A window of a browser."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if program is None:
        pytest.fail(f"no browser: install one of {CHROMIUM_NAMES}, or name one in the variable CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(MILLISECONDS)
        yield page
        browser.close()
