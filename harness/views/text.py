"""How wide a line of text is, without a font library.

Browsers choose the font, so that a width is an estimate. The table below holds, for each printable ASCII character, the
larger of its advance in DejaVu Sans and in Arial, in thousandths of the font size: wide where a choice exists, so
that what fits here fits there. Accented letters count as their base letter; a character of no known width counts as a
wide one.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import pairwise

__all__ = ["clean", "fit", "text_width", "wrap"]

_CLASSES = {
    275: "'",
    278: "ijl",
    318: " ,.·",
    337: "/:;\\|",
    352: "f",
    361: "-",
    392: "()[]t",
    411: "!r",
    460: '"',
    500: "*_`J",
    521: "s",
    525: "z",
    550: "Ic?",
    575: "L",
    592: "kvxy",
    612: "TYFo",
    615: "ae",
    635: "hnubdgpq",
    667: "$0123456789{}EPS",
    687: "AKVXZB",
    732: "CRU",
    770: "HDN",
    787: "GOQ&",
    838: "w#+<=>^~×→",  # noqa: RUF001  # the multiplication sign is what counts are drawn with
    863: "M",
    950: "%",
    989: "mW",
    1015: "@…",
}
_WIDTHS = {character: width / 1000 for width, characters in _CLASSES.items() for character in characters}
_MONO = 0.602  # DejaVu Sans Mono and Menlo; Consolas and Courier are narrower
_BOLD_EXTRA = 0.133  # the most by which DejaVu Sans Bold is wider than this table: the capital M
_UNKNOWN, _IDEOGRAPH, _EMOJI = 1.1, 1.05, 1.4
_JOINERS = "\u200c\u200d"  # change the shape of Persian and of emoji; other format characters can reorder a page
_MOST_MARKS = 2  # combining marks in a row; more of them climb into the line above
_ELLIPSIS = "…"


def clean(text: str) -> str:
    """Return ``text`` as one line that any XML reader and any page can take.

    White space of every kind becomes one space; control characters, direction overrides, lone surrogates and code
    points that XML refuses are dropped, as are combining marks after the second in a row.
    """
    line = " ".join(text.split())
    if line.isascii() and line.isprintable():
        return line
    kept: list[str] = []
    marks = 0
    for character in line:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MOST_MARKS and _is_printable(character):
            kept.append(character)
    return "".join(kept)


def text_width(text: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    """Return the estimated width of one cleaned line in pixels, rather too large than too small."""
    return size * sum(_advance(character, bold, mono) for character in text)


def fit(text: str, width: float, size: float, *, bold: bool = False, mono: bool = False) -> str:
    """Return ``text``, cleaned, cut to ``width`` pixels; what was cut ends in an ellipsis.

    A width that does not hold even the ellipsis gives an empty string.
    """
    line = clean(text)
    if text_width(line, size, bold=bold, mono=mono) <= width:
        return line
    room = width / size - _advance(_ELLIPSIS, bold, mono)
    if room < 0:
        return ""
    kept = 0
    for kept, character in enumerate(line):  # noqa: B007  # the position where it stopped is the result
        room -= _advance(character, bold, mono)
        if room < 0:
            break
    return line[:kept].rstrip(" " + _JOINERS) + _ELLIPSIS


def wrap(text: str, width: float, size: float, *, lines: int, bold: bool = False) -> list[str]:
    """Return ``text``, cleaned, broken at spaces into at most ``lines`` lines; the last one is cut to fit."""
    words = clean(text).split(" ")
    broken = [0]
    for end in range(1, len(words) + 1):
        if end - broken[-1] > 1 and text_width(" ".join(words[broken[-1] : end]), size, bold=bold) > width:
            broken.append(end - 1)
    starts = broken[:lines]
    ends = [*starts[1:], len(words)]
    return [fit(" ".join(words[start:end]), width, size, bold=bold) for start, end in pairwise([*starts, ends[-1]])]


def _is_printable(character: str) -> bool:
    code = ord(character)
    if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:  # no characters, and some are refused by XML
        return False
    return unicodedata.category(character) not in {"Cc", "Cs", "Cf"} or character in _JOINERS


@lru_cache(maxsize=4096)
def _advance(character: str, bold: bool, mono: bool) -> float:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0.0
    if mono and ord(character) < 0x250:
        return _MONO
    width = _WIDTHS.get(character)
    if width is None:
        parts = unicodedata.normalize("NFKD", character)
        width = _outside_table(character) if parts == character else sum(_advance(part, False, mono) for part in parts)
    return width + _BOLD_EXTRA if bold else width


def _outside_table(character: str) -> float:
    if ord(character) >= 0x1F000:
        return _EMOJI
    return _IDEOGRAPH if unicodedata.east_asian_width(character) in {"W", "F"} else _UNKNOWN
