"""Notebook 7 in a real browser: the static picture without trust, and one round trip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .conftest import missing
from .jupyterlab import Lab, running_lab
from .test_jupyterlab import FLEET, IMPACT, SECOND_THREAD, mistral, save_without_widgets

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def notebook7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    try:
        import notebook  # noqa: F401  # only whether it is there
    except ImportError:
        missing("notebook is not installed")
    with running_lab(tmp_path_factory.mktemp("notebook"), "notebook") as running:
        yield running


def test_notebook_without_trust_shows_the_picture(notebook7: Lab, page: Page) -> None:
    save_without_widgets(notebook7.folder / "committed.ipynb")
    notebook7.open(page, "committed.ipynb")

    picture = page.locator(".jp-OutputArea-output img")
    picture.wait_for()
    assert (picture.bounding_box() or {})["height"] > 100
    assert picture.get_attribute("alt") == str(mistral())


def test_round_trip_and_a_publish_of_another_thread(notebook7: Lab, page: Page) -> None:
    notebook7.write("round_trip.ipynb", [FLEET, IMPACT, SECOND_THREAD])
    notebook7.open(page, "round_trip.ipynb")
    notebook7.run_all(page)

    page.locator(".harness-view[data-version='4']").wait_for()
    page.get_by_role("combobox", name="Policy").select_option("cascade_unused")
    page.get_by_role("button", name="Apply").click()
    page.locator(".harness-view[data-version='5']").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.locator(".harness-view[data-version='6']").wait_for()
    assert page.locator(".harness-view svg [data-node]").count() == 3
