"""The impact's module alone in a page: policy, apply, undo, and what the picture and table say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.registry import ProviderRemovalPolicy, Registry
from harness.views import ImpactView, impact

from ..pictures import FIXTURES, HOSTILE
from ..test_impact import hostile, unused
from .reading import assert_legible, serious_faults
from .standing_in import open_module

if TYPE_CHECKING:
    from playwright.sync_api import Page


def open_impact(page: Page, view: ImpactView, theme: str = "light") -> None:
    def answer(query: dict[str, Any]) -> dict[str, object]:
        return {"picture": view.answer(query)}

    state = {"data": view.page_data(), "picture": view.for_page(), "query": {}, "live": True}
    open_module(page, "impact", state, answer, theme=theme)


def wait(page: Page) -> None:
    page.locator(".harness-view[data-busy=false]").wait_for()


def fleet() -> Registry:
    return Registry.from_file(FIXTURES / "fleet.yaml")


def test_policy_apply_and_undo_by_keyboard(page: Page) -> None:
    registry = unused()
    open_impact(page, impact(registry, "mail", writable=True))
    assert page.get_by_role("button", name="Apply").is_disabled()

    page.keyboard.press("Tab")
    page.keyboard.type("cascade")
    wait(page)
    assert page.get_by_role("status").inner_text() == "Version 3: cascade_unused lets it through"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(".harness-view[data-version='4']").wait_for()
    assert "mail" not in registry.snapshot().providers
    page.get_by_role("button", name="Undo").press("Enter")
    page.locator(".harness-view[data-version='5']").wait_for()

    assert "mail" in registry.snapshot().providers
    assert page.get_by_role("status").inner_text().endswith("brought back in version 5")


def test_view_that_only_shows_has_no_buttons(page: Page) -> None:
    open_impact(page, impact(fleet(), "mistral-docs"))

    assert page.get_by_role("button", name="Apply").count() == 0
    assert page.get_by_role("combobox", name="Policy").count() == 1


def test_box_tells_why_and_marks_its_row(page: Page) -> None:
    open_impact(page, impact(fleet(), "mistral-docs"))
    page.get_by_role("button", name="agent invoice-reader").click()

    way = "broken: agent invoice-reader → model scan → provider mistral-docs"
    assert page.locator("[aria-live]").inner_text() == way
    assert page.locator("tr.hv-chosen").inner_text().split()[1] == "invoice-reader"


def test_table_is_grouped_by_cause_with_counts(page: Page) -> None:
    open_impact(page, impact(fleet(), "anthropic-eu"))

    assert page.locator("th[scope=rowgroup]").all_inner_texts() == [
        "removed: asked for (1)",
        "broken: its model goes (8)",
        "broken: its pool loses a model (2)",
        "broken: loses a member (1)",
        "broken: its provider goes (3)",
        "kept: only its delegate is hurt (2)",
        "kept: runs elsewhere (1)",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_legible_and_axe_finds_no_serious_fault(page: Page, axe: str, theme: str) -> None:
    view = impact(fleet(), "anthropic-eu", policy=ProviderRemovalPolicy.BLOCK_IF_REFERENCED, writable=True)
    open_impact(page, view, theme)

    assert assert_legible(page) > 40
    assert serious_faults(page, axe) == []


def test_hostile_names_are_text(page: Page) -> None:
    open_impact(page, impact(hostile(), HOSTILE[0]))

    assert page.locator("main script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1400
    assert_legible(page)


def test_exported_page_works_from_disk(page: Page, tmp_path: Path) -> None:
    (tmp_path / "impact.html").write_text(impact(fleet(), "mistral-docs").to_html(), encoding="utf-8")
    page.goto((tmp_path / "impact.html").as_uri())

    assert page.locator("svg [data-node]").count() == 5
    assert page.get_by_role("combobox").count() == 0
