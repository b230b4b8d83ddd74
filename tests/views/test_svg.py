from __future__ import annotations

from xml.etree import ElementTree

import pytest

from harness.views.svg import curve, document, element, label, number, title

from .pictures import HOSTILE


@pytest.mark.parametrize(("value", "text"), [(1, "1"), (1.0, "1"), (1.26, "1.3"), (-0.04, "0"), (12345.67, "12345.7")])
def test_numbers_have_at_most_one_decimal(value: float, text: str) -> None:
    assert number(value) == text


def test_underscores_in_attribute_names_become_hyphens() -> None:
    assert element("path", stroke_width=2, d="M0 0") == '<path stroke-width="2" d="M0 0"/>'


def test_attribute_of_none_is_left_out() -> None:
    assert element("g", fill=None) == "<g/>"


def test_attribute_cannot_end_its_quotes() -> None:
    assert element("g", fill='"/><script>') == '<g fill="&quot;/&gt;&lt;script&gt;"/>'


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_gives_markup_that_parses_and_encodes(text: str) -> None:
    svg = document(10, 10, text, text, title(text), label(1, 1, text, 11))

    assert ElementTree.fromstring(svg.encode()).get("role") == "img"


def test_title_keeps_five_hundred_characters() -> None:
    assert title("x" * 500) == f"<title>{'x' * 500}</title>"


def test_longer_title_says_how_long_it_was() -> None:
    assert title("x" * 1500).endswith("x… (1,500 characters)</title>")


def test_empty_label_gives_no_markup() -> None:
    assert label(0, 0, "\x00", 11) == ""


def test_curve_leaves_and_arrives_horizontally() -> None:
    assert curve((0, 10), (40, 30)) == "C20 10 20 30 40 30"


def test_document_has_an_opaque_ground() -> None:
    ground = ElementTree.fromstring(document(30, 20, "a", "b"))[2]

    assert (ground.get("width"), ground.get("height"), ground.get("fill")) == ("30", "20", "#ffffff")
