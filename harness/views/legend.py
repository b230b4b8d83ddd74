"""A legend: samples with their meaning, flowing into lines like words."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.views.svg import MUTED, label
from harness.views.text import text_width

__all__ = ["Sample", "legend"]

Sample = Callable[[float, float], str]  # draws what is explained, its left middle at (x, y)

_SIZE = 9.5
_LINE = 20.0


def legend(
    entries: Iterable[tuple[Sample, str]], left: float, y: float, right: float, *, sample_width: float
) -> tuple[list[str], float]:
    """Return the legend between ``left`` and ``right``, its first line at ``y``, and the height of its end."""
    parts: list[str] = []
    x = left
    for sample, words in entries:
        width = sample_width + text_width(words, _SIZE) + 16
        if x > left and x + width > right:
            x, y = left, y + _LINE
        parts += [sample(x, y), label(x + sample_width, y + 3.4, words, _SIZE, fill=MUTED)]
        x += width
    return parts, y + 8
