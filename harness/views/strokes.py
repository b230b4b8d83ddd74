"""The look and the path of lines between boxes: one dash and one colour per kind of relation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from harness.views.svg import Point, curve, element, number, polygon

__all__ = ["PLAIN", "STROKES", "SUPPLY", "Stroke", "arrowhead", "line_path", "on_curve", "stroke_of", "stroke_sample"]

PLAIN = "#6c757d"
SUPPLY = ("model", "member", "provider")  # relations on the way to a provider

_HEAD = 6.0


@final
@dataclass(frozen=True, slots=True)
class Stroke:
    """The look of a line. Immutable."""

    colour: str
    dash: str | None


_SOLID, _DASHED, _DOTTED = Stroke(PLAIN, None), Stroke("#4a78a8", "6 3"), Stroke("#a3aab1", "1.5 2.5")
STROKES = {_SOLID: "is served by", _DASHED: "delegates to", _DOTTED: "uses"}  # with their meaning in a legend


def stroke_of(relation: str) -> Stroke:
    """Return the look of a relation; its colour stands in where the line has none of its own."""
    if relation in SUPPLY:
        return _SOLID
    return _DASHED if relation == "delegate" else _DOTTED


def stroke_sample(stroke: Stroke, x: float, y: float) -> str:
    """Return a short piece of line for a legend."""
    look = {"stroke": stroke.colour, "stroke_dasharray": stroke.dash}
    line = element("path", d=f"M{number(x)} {number(y)}h20", stroke_width=1.3, **look)
    return line + arrowhead((x + 20, y), (x + 26, y), stroke.colour)


def arrowhead(before: Point, tip: Point, colour: str, *, heavy: bool = False) -> str:
    """Return the head of a horizontal line that comes from ``before``; an arc (equal ``x``) comes from the left."""
    length, half = (1.8 * _HEAD, 6.0) if heavy else (_HEAD, 3.0)
    back = -length if before[0] <= tip[0] else length
    return polygon([tip, (tip[0] + back, tip[1] - half), (tip[0] + back, tip[1] + half)], fill=colour)


def line_path(route: list[Point]) -> str:
    """Return the path commands of a route as ``layout`` describes it."""
    start, *rest = route
    commands = f"M{number(start[0])} {number(start[1])}"
    if start[0] == rest[0][0]:
        return commands + _arc(start, rest[0])
    for position, point in enumerate(rest):
        commands += curve(route[position], point) if position % 2 == 0 else f"H{number(point[0])}"
    return commands


def on_curve(start: Point, end: Point, share: float) -> Point:
    """Return the point at ``share``, 0 to 1, of the line that ``curve`` draws."""
    rest = 1 - share
    first, last = rest**3, share**3
    upper, lower = 3 * rest * rest * share, 3 * rest * share * share
    middle = (start[0] + end[0]) / 2
    x = first * start[0] + (upper + lower) * middle + last * end[0]
    return x, (first + upper) * start[1] + (lower + last) * end[1]


def _arc(start: Point, end: Point) -> str:
    out = number(start[0] - min(40.0, 14 + abs(end[1] - start[1]) / 8))
    return f"C{out} {number(start[1])} {out} {number(end[1])} {number(end[0])} {number(end[1])}"
