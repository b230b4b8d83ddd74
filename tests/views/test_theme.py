from __future__ import annotations

import re
from pathlib import Path

import pytest

import harness.views
from harness.registry import Registry
from harness.views import graph, timeline
from harness.views.theme import DARK, in_theme

from .pictures import FIXTURES, entry, long_execution, lost_update, source

SOURCES = sorted(Path(harness.views.__file__).parent.glob("*.py"))


def test_every_colour_that_is_drawn_has_a_dark_one() -> None:
    drawn = {
        colour
        for path in SOURCES
        if path.name not in {"theme.py", "page.py"}
        for colour in re.findall(r'"(#[0-9a-f]{6})"', path.read_text(encoding="utf-8"))
    }

    assert drawn <= set(DARK)


@pytest.mark.parametrize("execution", [lost_update(), long_execution(40, 3)])
def test_timeline_turns_dark_too(execution: object) -> None:
    svg = timeline(execution).svg  # type: ignore[arg-type]

    assert in_theme(svg, "light") == svg
    assert DARK["#ffffff"] in in_theme(svg, "dark")


def test_text_that_looks_like_a_colour_stays() -> None:
    name = 'fill="#212529"'
    view = graph(source([entry("tools", name)]))

    assert view.to_svg("dark").count("#212529") == view.svg.count("fill=&quot;#212529&quot;")


def test_dark_picture_differs_in_colours_alone() -> None:
    view = graph(Registry.from_file(FIXTURES / "fleet.yaml").snapshot())

    assert re.sub("#[0-9a-f]{6}", "", view.to_svg("dark")) == re.sub("#[0-9a-f]{6}", "", view.svg)
