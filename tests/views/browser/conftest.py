"""A real browser for the tests: headless Chromium, kept from the network, that fails on every error of a page."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Error, Page

HERE = Path(__file__).parent
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"


def missing(what: str) -> NoReturn:
    """Skip where somebody works without it; where everything is to be there, fail."""
    reason = f"{what}; the tests of views in a browser need it, install it as .ci/run does"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")  # not longer: the sync API holds the thread's event loop, which others need
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        missing("no chromium on the PATH")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page of 1,400 by 900; at its end no request may have left the machine and no script failed."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.extend(_ours(error)))
    opened.on("request", lambda request: faults.extend(_outside(request.url)))
    yield opened
    context.close()
    assert faults == []


def _ours(error: Error) -> list[str]:
    is_of_the_host = "/static/notebook/notebook_core" in (error.stack or "")  # Notebook 7.6 fails over its own settings
    return [] if is_of_the_host else [f"script: {error}"]


def _outside(url: str) -> list[str]:
    inside = ("http://127.0.0.1:", "ws://127.0.0.1:", "file:", "blob:", "data:", "about:")
    return [] if url.startswith(inside) else [f"request to {url}"]


@pytest.fixture(scope="session")
def axe() -> str:
    """Return axe-core's source, installed from npm beside these tests on first use."""
    if not AXE.exists() and shutil.which("npm"):
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "axe-core@4"]
        with suppress(subprocess.TimeoutExpired):
            subprocess.run([*command, "--prefix", str(HERE)], check=False, capture_output=True, timeout=90)
    if not AXE.exists():
        pytest.skip("axe-core is not installed and npm's registry gave none: accessibility was NOT checked by axe")
    return AXE.read_text(encoding="utf-8")
