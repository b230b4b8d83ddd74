"""A real JupyterLab or Notebook 7 on this machine, with settings of its own, and what a person does in it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import nbformat

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["Application", "Lab", "running_lab"]

Application = Literal["jupyterlab", "notebook"]

ROOT = Path(__file__).parents[3]
_SETTINGS = {
    # Without a kernel chosen a dialog blocks run-all; with windowing off-screen cells are not in the page.
    "notebook-extension/tracker": {"autoStartDefaultKernel": True, "windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
_RUN_ALL = """() => {
  const panel = jupyterapp.shell.currentWidget;
  for (const cell of panel.content.widgets) if (cell.model.type === "code") cell.model.clearExecution();
  jupyterapp.commands.execute("notebook:run-all-cells");  // not awaited: it may never settle
}"""
_DONE = """() => jupyterapp.shell.currentWidget.content.widgets.filter((cell) => cell.model.type === "code")
  .every((cell) => cell.model.executionState === "idle" && cell.model.executionCount)"""


@dataclass(frozen=True, slots=True)
class Lab:
    """A running server and its folder."""

    url: str
    folder: Path
    application: Application = "jupyterlab"

    def write(self, name: str, cells: Sequence[str]) -> None:
        """Save a notebook of code cells."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / name)

    def open(self, page: Page, name: str) -> None:
        """Show a notebook."""
        page.goto(f"{self.url}/{'lab/tree' if self.application == 'jupyterlab' else 'notebooks'}/{name}?reset")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
        if self.application == "jupyterlab":
            page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.content?.widgets?.length")

    def run_all(self, page: Page) -> None:
        """Run its cells and wait for the last."""
        if self.application == "notebook":  # which exposes no application to scripts
            page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            page.locator(".jp-Cell").last.locator(".jp-InputPrompt").get_by_text(re.compile(r"\d")).wait_for()
            return
        page.wait_for_function(
            "() => jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status === 'idle'", timeout=60_000
        )
        page.evaluate(_RUN_ALL)
        page.wait_for_function(_DONE, timeout=60_000)

    def set_theme(self, page: Page, theme: str) -> None:
        """Choose JupyterLab's own light or dark theme."""
        page.evaluate(f"() => jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})")
        page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{json.dumps(theme == 'Light')}'")


@contextmanager
def running_lab(folder: Path, application: Application = "jupyterlab") -> Iterator[Lab]:
    """Start a server that serves ``folder``, and stop it by its handle."""
    for name in ("config", "data", "settings", "workspaces", "runtime", "home", "ipython"):
        (folder / ".lab" / name).mkdir(parents=True)
    for name, settings in _SETTINGS.items():
        file = folder / ".lab/settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")
    port = _free_port()
    with (folder / ".lab/log").open("w") as log:
        command = [sys.executable, "-m", application, *_options(folder, port, application)]
        server = subprocess.Popen(command, cwd=folder, env=_environment(folder), stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, server, folder / ".lab/log")
            yield Lab(url, folder, application)
        finally:
            server.terminate()
            server.wait(20)


def _options(folder: Path, port: int, application: Application) -> list[str]:
    app = "LabApp" if application == "jupyterlab" else "JupyterNotebookApp"
    return [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=",
        "--ServerApp.password=",
        f"--ServerApp.root_dir={folder}",
        f"--{app}.expose_app_in_browser=True",
        f"--{app}.news_url=None",
        f"--{app}.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--{app}.extension_manager=readonly",
        f"--{app}.user_settings_dir={folder / '.lab/settings'}",
        f"--{app}.workspaces_dir={folder / '.lab/workspaces'}",
    ]


def _environment(folder: Path) -> dict[str, str]:
    own = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    own |= {"HOME": "home", "IPYTHONDIR": "ipython"}
    paths = {name: str(folder / ".lab" / value) for name, value in own.items()}
    return {**os.environ, **paths, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "NO_PROXY": "127.0.0.1"}


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < until and server.poll() is None:
        try:
            direct.open(f"{url}/api/status", timeout=2).close()
        except OSError:
            time.sleep(0.2)  # another process's start gives no event to wait for
        else:
            return
    raise RuntimeError(f"a server is to answer at {url}, it does not; its log ends:\n{log.read_text()[-2000:]}")
