"""JupyterLab itself, in a real browser: click, kernel, page. One round trip in the first tier, the others are long."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from harness.registry import Registry
from harness.views import graph

from ..pictures import FIXTURES
from .conftest import missing
from .jupyterlab import ROOT, Lab, running_lab
from .reading import assert_legible, serious_faults

if TYPE_CHECKING:
    from playwright.sync_api import Page

FLEET = f"""
from harness import views
from harness.registry import ModelSpec, ProviderRemovalPolicy, Registry
registry = Registry.from_file({str(FIXTURES / "fleet.yaml")!r})
""".strip()
IMPACT = """
registry.register_provider("spare", object())
registry.register_model(ModelSpec("spare-model", "spare"))
views.impact(registry, "spare", writable=True)
""".strip()
SECOND_THREAD = """
import threading
threading.Timer(0.5, lambda: registry.register_model(ModelSpec("late", "spare"))).start()
""".strip()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    try:
        import jupyterlab  # noqa: F401  # only whether it is there
    except ImportError:
        missing("jupyterlab is not installed")
    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on what the selector names."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement?.matches(selector)", selector):
            return
    pytest.fail(f"Tab never arrives at {selector}")


def drawn(page: Page, count: int) -> None:
    page.wait_for_function(f"() => document.querySelectorAll('.harness-view svg [data-node]').length === {count}")


def test_one_round_trip_focus_apply_undo_and_a_publish_of_another_thread(lab: Lab, page: Page) -> None:
    lab.write("round_trip.ipynb", [FLEET, IMPACT, SECOND_THREAD])
    lab.open(page, "round_trip.ipynb")
    lab.run_all(page)

    page.locator(".harness-view[data-version='4']").wait_for()  # the other thread's publish arrived by itself
    assert "spare-model" in page.locator("tbody").inner_text()
    assert "late" in page.locator("tbody").inner_text()
    page.get_by_role("combobox", name="Policy").select_option("cascade_unused")
    page.get_by_role("button", name="Apply").click()
    page.locator(".harness-view[data-version='5']").wait_for()
    assert "removed in version 5" in page.get_by_role("status").first.inner_text()
    page.get_by_role("button", name="Undo").click()
    page.locator(".harness-view[data-version='6']").wait_for()
    drawn(page, 3)


@pytest.mark.long
def test_focus_path_and_search_by_mouse(lab: Lab, page: Page) -> None:
    lab.write("mouse.ipynb", [FLEET, "registry.snapshot()"])
    lab.open(page, "mouse.ipynb")
    lab.run_all(page)
    drawn(page, 93)

    page.get_by_role("searchbox", name="Search").fill("product-advice")
    page.locator("button.hv-entry").first.click()
    page.locator(".harness-view[data-busy=false] svg [data-ring]").first.wait_for()
    page.get_by_role("button", name="provider anthropic-eu").first.click(modifiers=["Shift"])
    drawn(page, 4)
    assert page.get_by_role("status").first.inner_text().startswith("Path: agent product-advice → model pool general")
    page.get_by_role("button", name="Show all").click()
    drawn(page, 93)
    page.get_by_role("button", name="provider mistral-docs").first.click()
    drawn(page, 5)


@pytest.mark.long
def test_focus_path_and_search_by_keyboard_alone(lab: Lab, page: Page) -> None:
    lab.write("keys.ipynb", [FLEET, "registry.snapshot()"])
    lab.open(page, "keys.ipynb")
    lab.run_all(page)
    drawn(page, 93)

    page.keyboard.press("Escape")
    tab_to(page, ".harness-view input[type=search]")
    page.keyboard.type("scan")
    page.keyboard.press("Enter")
    drawn(page, 3)
    tab_to(page, "[data-node]")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent").startswith("provider mistral-docs")
    page.keyboard.press("p")
    drawn(page, 2)
    assert page.get_by_role("status").first.inner_text() == "Path: model scan → provider mistral-docs"
    page.keyboard.press("Escape")
    drawn(page, 93)
    assert page.evaluate("jupyterapp.shell.currentWidget.content.mode") == "command"
    assert page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == 2  # no shortcut took a key


@pytest.mark.long
def test_policy_apply_and_undo_by_keyboard_alone(lab: Lab, page: Page) -> None:
    lab.write("removal_keys.ipynb", [FLEET, IMPACT])
    lab.open(page, "removal_keys.ipynb")
    lab.run_all(page)
    page.locator(".harness-view[data-version='3']").wait_for()

    page.keyboard.press("Escape")
    tab_to(page, ".harness-view select")
    page.keyboard.type("cascade")
    page.get_by_role("status").get_by_text("cascade_unused lets it through").wait_for()
    tab_to(page, ".hv-bar button:enabled")
    page.keyboard.press("Enter")
    page.locator(".harness-view[data-version='4']").wait_for()
    assert "removed in version 4" in page.get_by_role("status").first.inner_text()
    tab_to(page, ".hv-bar button:enabled")
    page.keyboard.press("Enter")
    page.locator(".harness-view[data-version='5']").wait_for()
    assert "brought back in version 5" in page.get_by_role("status").first.inner_text()
    drawn(page, 2)
    assert page.evaluate("jupyterapp.shell.currentWidget.content.mode") == "command"
    assert page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == 2  # no shortcut took a key


@pytest.mark.long
def test_plugin_can_be_removed_under_a_policy(lab: Lab, page: Page) -> None:
    lab.write("plugin.ipynb", [FLEET, 'views.impact(registry, "audit", writable=True)'])
    lab.open(page, "plugin.ipynb")
    lab.run_all(page)

    page.get_by_role("combobox", name="Policy").select_option("cascade_all")
    page.get_by_role("button", name="Apply").click()
    page.locator(".harness-view[data-version='2']").wait_for()
    assert page.get_by_role("status").first.inner_text().endswith("removed in version 2")
    page.get_by_role("button", name="Undo").click()
    page.locator(".harness-view[data-version='3']").wait_for()


@pytest.mark.long
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_views_follow_the_theme_and_are_legible(lab: Lab, page: Page, axe: str, theme: str) -> None:
    lab.write("theme.ipynb", [FLEET, "registry.snapshot()", 'views.impact(registry, "anthropic-eu")'])
    lab.open(page, "theme.ipynb")
    lab.set_theme(page, theme)
    lab.run_all(page)
    page.locator(f".harness-view[data-theme={theme.lower()}]").nth(1).wait_for()

    assert assert_legible(page, ".harness-view") > 150
    assert serious_faults(page, axe, ".harness-view") == []


@pytest.mark.long
def test_notebook_without_trust_shows_the_picture(lab: Lab, page: Page) -> None:
    save_without_widgets(lab.folder / "committed.ipynb")
    lab.open(page, "committed.ipynb")

    picture = page.locator(".jp-OutputArea-output img")
    picture.wait_for()
    assert not page.evaluate("jupyterapp.shell.currentWidget.content.widgets[0].model.trusted")
    assert (picture.bounding_box() or {})["height"] > 100
    assert picture.get_attribute("alt") == str(mistral())


@pytest.mark.long
def test_page_made_by_nbconvert_shows_the_picture(page: Page, tmp_path: Path) -> None:
    save_without_widgets(tmp_path / "committed.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "committed.ipynb"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=None)
    html = (tmp_path / "committed.html").read_text(encoding="utf-8")
    local = [line for line in html.splitlines() if "<script src=" not in line]  # nbconvert's own links to a network
    (tmp_path / "committed.html").write_text("\n".join(local), encoding="utf-8")
    page.route("https://**", lambda route: route.abort())
    page.goto((tmp_path / "committed.html").as_uri())

    assert (page.locator(".jp-OutputArea img").bounding_box() or {})["height"] > 100


def mistral() -> object:
    return graph(Registry.from_file(ROOT / "fixtures/fleet.yaml").snapshot(), focus="mistral-docs")


def save_without_widgets(path: Path) -> None:
    data = mistral()._repr_mimebundle_()  # type: ignore[attr-defined]
    output = nbformat.v4.new_output("execute_result", data=data, execution_count=1)
    cell = nbformat.v4.new_code_cell("view", outputs=[output], execution_count=1)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
