"""A JupyterLab server of its own, which touches nothing of the user's."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SECONDS_TO_END = 120
# A question about news would lie over the page.
SETTINGS = {"apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False}}


class Lab:
    """A running server whose files are a copy of the notebooks."""

    def __init__(self, directory):
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self._log = []
        self.notebooks = directory / "notebooks"
        shutil.copytree(NOTEBOOKS, self.notebooks)
        for name, content in SETTINGS.items():
            path = directory / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(content))
        command = [
            *[sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"],
            *[f"--port={self.port}", "--ServerApp.port_retries=0"],
            *[f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.notebooks}"],
            *(["--allow-root"] if os.geteuid() == 0 else []),
        ]
        environment = {
            **os.environ,
            "JUPYTERLAB_SETTINGS_DIR": str(directory / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(directory / "workspaces"),
        }
        self._server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        self._wait_until_it_runs()
        # Somebody must read on, or the server would wait for it one day.
        threading.Thread(target=lambda: self._log.extend(self._server.stderr), daemon=True).start()

    def _wait_until_it_runs(self):
        for line in self._server.stderr:
            self._log.append(line)
            if "is running at" in line:
                return
        raise AssertionError("JupyterLab does not start:\n" + "".join(self._log))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.kill()
        self._server.wait()

    def address(self, notebook):
        """Where a notebook is opened, as by a double click on it."""
        return f"http://127.0.0.1:{self.port}/lab/tree/{notebook}?token={self.token}"

    def shut_down(self):
        """Asks the server to end, and waits until it has."""
        address = f"http://127.0.0.1:{self.port}/api/shutdown?token={self.token}"
        urllib.request.urlopen(urllib.request.Request(address, method="POST"))
        assert self._server.wait(SECONDS_TO_END) == 0


def free_port():
    """A port that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
