"""The graph's module alone in a page: what a person asks by mouse or keys is what Python draws."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.registry import Registry
from harness.views import GraphView, graph

from ..pictures import FIXTURES, HOSTILE, entry, source
from .reading import assert_legible, serious_faults
from .standing_in import open_module

if TYPE_CHECKING:
    from playwright.sync_api import Page

FLEET = graph(Registry.from_file(FIXTURES / "fleet.yaml").snapshot())


def open_graph(page: Page, view: GraphView = FLEET, theme: str = "light") -> None:
    explorer = view._explorer
    state = {
        "data": explorer.page_data(),
        "picture": view._answer.for_page(),
        "query": explorer.write_query(view.query),
        "live": True,
    }

    def answer(query: dict[str, Any]) -> dict[str, object]:
        return {"picture": explorer.ask(explorer.read_query(query)).for_page()}

    open_module(page, "graph", state, answer, theme=theme)


def boxes(page: Page) -> int:
    return page.locator("svg [data-node]").count()


def wait(page: Page) -> None:
    page.locator(".harness-view[data-busy=false]").wait_for()


def test_click_focuses_and_says_who_needs_it(page: Page) -> None:
    open_graph(page)
    page.get_by_role("button", name="provider mistral-docs").first.click()
    wait(page)

    assert boxes(page) == 5
    words = page.get_by_role("status").inner_text()
    assert words == "provider mistral-docs: needed by 2 directly, 4 in all; needs 0 directly, 0 in all"


def test_shift_click_draws_the_path(page: Page) -> None:
    open_graph(page)
    page.get_by_role("button", name="agent product-advice").first.click()
    wait(page)
    page.get_by_role("button", name="provider anthropic-eu").first.click(modifiers=["Shift"])
    wait(page)

    way = "agent product-advice → model pool general → model careful → provider anthropic-eu"
    assert page.get_by_role("status").inner_text() == f"Path: {way}"
    assert boxes(page) == 4
    assert page.locator("svg path[data-edge][stroke-width='3']").count() == 3


def test_search_focus_walk_and_path_by_keyboard_alone(page: Page) -> None:
    open_graph(page)
    page.keyboard.press("Tab")
    page.keyboard.type("scan")
    page.keyboard.press("Enter")
    wait(page)
    assert "model scan: needed by 1 directly" in page.get_by_role("status").inner_text()

    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('data-node')"):
            break
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.querySelector('title').textContent").startswith(
        "provider mistral-docs"
    )
    page.keyboard.press("p")
    wait(page)

    assert page.get_by_role("status").inner_text() == "Path: model scan → provider mistral-docs"
    page.keyboard.press("Escape")
    wait(page)
    assert boxes(page) == 93


def test_search_finds_in_the_whole_graph_and_lists_counts(page: Page) -> None:
    open_graph(page)
    page.get_by_role("searchbox").fill("anthropic-eu")

    row = page.locator("tbody tr")
    assert row.count() == 1
    assert "3 / 17" in row.inner_text()


def test_filters_leave_out_what_they_say(page: Page) -> None:
    open_graph(page)
    for name in ("tools", "plugins", "backends", "agents"):
        page.get_by_label(name, exact=True).uncheck()
    wait(page)
    assert boxes(page) == 34

    page.get_by_role("combobox", name="Tag").select_option("embedding")
    wait(page)
    assert boxes(page) == 5
    page.get_by_role("button", name="Show all").click()
    wait(page)
    assert boxes(page) == 93


def test_group_opens_when_it_is_chosen(page: Page) -> None:
    models = [entry("models", f"m{number:03}") for number in range(90)]
    edges = [(model.key, ("providers", "p"), "provider") for model in models]
    open_graph(page, graph(source([*models, entry("providers", "p")], edges), max_nodes=20))
    assert boxes(page) == 2
    page.get_by_role("button", name=re.compile("^90 models")).click()
    wait(page)

    assert page.get_by_role("status").inner_text() == "91 of 91 entries around 90"
    assert page.locator("tbody tr").count() == 60


def test_depth_limits_the_neighbourhood(page: Page) -> None:
    open_graph(page)
    page.get_by_role("button", name="provider mistral-docs").first.click()
    wait(page)
    page.get_by_role("combobox", name="Needed by").select_option("1")
    wait(page)

    assert boxes(page) == 3


def test_zoom_keeps_the_picture_and_changes_its_size(page: Page) -> None:
    open_graph(page)
    before = page.locator("svg").bounding_box()
    page.get_by_role("button", name="Zoom in").click()

    after = page.locator("svg").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] == pytest.approx(1.25 * before["width"])


@pytest.mark.parametrize("kind", ["CSV", "Mermaid"])
def test_page_writes_the_same_file_as_python(page: Page, kind: str, tmp_path: Path) -> None:
    view = graph(Registry.from_file(FIXTURES / "fleet.yaml").snapshot(), focus="triage", up=1, down=2)
    assert any(node.remote for node in view.drawn.nodes)
    open_graph(page, view)
    with page.expect_download() as saving:
        page.get_by_role("button", name=kind).click()
    saving.value.save_as(tmp_path / "saved")

    wanted = view.to_csv() if kind == "CSV" else view.to_mermaid()
    assert (tmp_path / "saved").read_text(encoding="utf-8") == wanted


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_picture_is_legible_in_both_themes(page: Page, theme: str) -> None:
    open_graph(page, theme=theme)
    assert page.locator(f".harness-view[data-theme={theme}]").count() == 1

    assert assert_legible(page) > 150


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_catalogue_is_legible_in_both_themes(page: Page, theme: str) -> None:
    open_graph(page, graph(Registry.from_file(FIXTURES / "model_catalogue.csv").snapshot()), theme=theme)

    assert assert_legible(page) > 300


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(page: Page, axe: str, theme: str) -> None:
    open_graph(page, theme=theme)
    page.get_by_role("button", name="provider mistral-docs").first.click()
    wait(page)

    assert serious_faults(page, axe) == []


def hostile() -> GraphView:
    models = [entry("models", name) for name in HOSTILE]
    edges = [(model.key, ("providers", HOSTILE[0]), "provider") for model in models]
    return graph(source([*models, entry("providers", HOSTILE[0])], edges))


def test_hostile_names_are_shown_as_text_and_leave_the_layout(page: Page) -> None:
    open_graph(page, hostile())
    page.get_by_role("searchbox").fill("<script>")

    assert page.locator("main script").count() == 0
    assert page.locator("tbody button.hv-entry").first.inner_text() == "<script>alert(1)</script>"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1400
    assert_legible(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_exported_page_works_from_disk(page: Page, browser: Any, tmp_path: Path, scripts: bool) -> None:
    (tmp_path / "graph.html").write_text(FLEET.to_html(), encoding="utf-8")
    if not scripts:
        page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((tmp_path / "graph.html").as_uri())

    assert boxes(page) == 93
    if scripts:
        page.get_by_role("button", name="provider mistral-docs").first.click()
        assert page.locator("svg [data-node]:not(.hv-dim)").count() == 5


def test_hostile_names_stay_text_in_an_exported_page(page: Page, tmp_path: Path) -> None:
    (tmp_path / "graph.html").write_text(hostile().to_html(), encoding="utf-8")
    page.goto((tmp_path / "graph.html").as_uri())

    assert page.locator("main script").count() == 0
    assert_legible(page)
