from __future__ import annotations

import string
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.ft2font import FT2Font

from harness.views.text import clean, fit, text_width, wrap

from .pictures import HOSTILE

_SIZE = 100
_FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
_CHARACTERS = string.printable[:95] + "·…×→éüßñ"  # noqa: RUF001  # the multiplication sign stands before counts


def _font(file: str) -> FT2Font:
    font = FT2Font(str(_FONTS / file))
    font.set_size(_SIZE, 72)
    return font


def _advance(font: FT2Font, character: str) -> float:
    """Return the unhinted advance of a character at size 1."""
    return float(font.load_char(ord(character)).linearHoriAdvance) / 65536 / _SIZE


@pytest.mark.parametrize(
    ("file", "bold", "mono"),
    [("DejaVuSans.ttf", False, False), ("DejaVuSans-Bold.ttf", True, False), ("DejaVuSansMono.ttf", False, True)],
)
def test_no_character_is_wider_in_dejavu_than_estimated(file: str, bold: bool, mono: bool) -> None:
    font = _font(file)

    too_narrow = [c for c in _CHARACTERS if text_width(c, 1, bold=bold, mono=mono) < _advance(font, c) - 0.001]

    assert too_narrow == []


def test_estimate_of_ordinary_ids_is_at_most_a_tenth_too_wide() -> None:
    font = _font("DejaVuSans.ttf")
    text = "claude-sonnet gpt-4o-mini billing-helper text_embedding"

    assert text_width(text, 1) <= 1.1 * sum(_advance(font, character) for character in text)


def test_marks_and_joiners_have_no_width() -> None:
    assert text_width("e\u0301\u200d", 10) == text_width("e", 10)


def test_text_that_fits_is_kept() -> None:
    assert fit("openai", 200, 11) == "openai"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("width", [12, 40, 150])
def test_fitted_text_is_no_wider_than_asked(text: str, width: float) -> None:
    assert text_width(fit(text, width, 11), 11) <= width


def test_cut_text_ends_in_an_ellipsis() -> None:
    assert fit("abcdefghijklmnopqrstuvwxyz", 60, 11).endswith("…")


def test_text_without_room_for_an_ellipsis_vanishes() -> None:
    assert fit("abc", 3, 11) == ""


def test_control_characters_and_direction_overrides_are_dropped() -> None:
    assert clean("a\x00b\x1b\u202ec\ud800d\ufffee") == "abcde"


def test_white_space_of_any_kind_becomes_one_space() -> None:
    assert clean(" a\n\tb\u2028c ") == "a b c"


def test_at_most_two_combining_marks_follow_a_letter() -> None:
    assert clean("a" + "\u0301" * 9 + "b") == "a\u0301\u0301b"


def test_wrapped_lines_keep_every_word_in_order() -> None:
    lines = wrap("one two three four five six", 60, 11, lines=9)

    assert len(lines) > 1
    assert " ".join(lines) == "one two three four five six"
    assert all(text_width(line, 11) <= 60 for line in lines)


def test_wrapping_stops_at_the_last_line_with_an_ellipsis() -> None:
    lines = wrap("word " * 50, 60, 11, lines=2)

    assert len(lines) == 2
    assert lines[-1].endswith("…")
