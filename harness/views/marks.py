"""The marks of a timeline: one shape per kind of event, about nine pixels wide."""

from __future__ import annotations

from collections.abc import Callable

from harness.views.svg import PAPER, Point, element, number, polygon

__all__ = ["KINDS", "mark"]

_WRONG = "#c92a2a"


def mark(kind: str, x: float, y: float, colour: str) -> str:
    """Return the shape of an event with its middle at (x, y); an unknown kind is a dot."""
    return _MARKS.get(kind, _dot)(x, y, colour)


def _path(d: str, colour: str) -> str:
    return element("path", d=d, fill="none", stroke=colour, stroke_width=2)


def _at(x: float, y: float, rest: str) -> str:
    return f"M{number(x)} {number(y)}{rest}"


def _dot(x: float, y: float, colour: str) -> str:
    return element("circle", cx=x, cy=y, r=2.5, fill=colour)


def _read(x: float, y: float, colour: str) -> str:
    return element("circle", cx=x, cy=y, r=4, fill=PAPER, stroke=colour, stroke_width=2)


def _write(x: float, y: float, colour: str) -> str:
    return element("rect", x=x - 4.5, y=y - 4.5, width=9, height=9, fill=colour)


def _down(x: float, y: float) -> list[Point]:
    return [(x - 5, y - 4), (x + 5, y - 4), (x, y + 5)]


def _up(x: float, y: float) -> list[Point]:
    return [(x - 5, y + 4), (x + 5, y + 4), (x, y - 5)]


def _acquire(x: float, y: float, colour: str) -> str:
    return polygon(_down(x, y), fill=colour)


def _release(x: float, y: float, colour: str) -> str:
    return polygon(_up(x, y), fill=PAPER, stroke=colour, stroke_width=1.6)


def _wait(x: float, y: float, colour: str) -> str:
    return polygon([(x - 4, y - 5), (x + 4, y - 5), (x - 4, y + 5), (x + 4, y + 5)], fill=colour)


def _start(x: float, y: float, colour: str) -> str:
    return _path(_at(x - 5, y, "h10") + _at(x, y - 5, "v10"), colour)


def _join(x: float, y: float, colour: str) -> str:
    return _path(_at(x - 5, y - 2.5, "h10") + _at(x - 5, y + 2.5, "h10"), colour)


def _sleep(x: float, y: float, colour: str) -> str:
    return _path(_at(x - 4, y - 4, "h8l-8 8h8"), colour)


def _clock(x: float, y: float, colour: str) -> str:
    return _read(x, y, colour) + element("path", d=_at(x, y - 3, "v3h2"), fill="none", stroke=colour)


def _draw(x: float, y: float, colour: str) -> str:
    return _path(_at(x - 5, y, "h4l6 -4m-6 4l6 4"), colour)


def _call(x: float, y: float, colour: str) -> str:
    return polygon([(x, y - 5), (x + 5, y), (x, y + 5), (x - 5, y)], fill=PAPER, stroke=colour, stroke_width=1.6)


def _end(x: float, y: float, colour: str) -> str:
    return element("path", d=_at(x - 6, y, "h12"), fill="none", stroke=colour, stroke_width=3)


def _error(x: float, y: float, colour: str) -> str:  # noqa: ARG001  # an error is red in every lane
    return _path(_at(x - 5, y - 5, "l10 10") + _at(x + 5, y - 5, "l-10 10"), _WRONG)


_MARKS: dict[str, Callable[[float, float, str], str]] = {
    "read": _read,
    "write": _write,
    "acquire": _acquire,
    "release": _release,
    "wait": _wait,
    "start": _start,
    "join": _join,
    "sleep": _sleep,
    "clock": _clock,
    "draw": _draw,
    "call": _call,
    "end": _end,
    "error": _error,
}
KINDS = tuple(_MARKS)  # in the order of a legend
