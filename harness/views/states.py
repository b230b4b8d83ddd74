"""The look of the four states of a removal: a mark, a frame with its dash, a colour. None of them speaks alone."""

from __future__ import annotations

from harness.views.consequences import State
from harness.views.svg import PAPER, element, number

__all__ = ["STATE_COLOURS", "frame", "mark"]

STATE_COLOURS: dict[State, str] = {"removed": "#c92a2a", "cascaded": "#b3430a", "broken": "#c92a2a", "kept": "#495057"}

_DASHES: dict[State, str | None] = {"removed": None, "cascaded": "8 3", "broken": "3 2.5", "kept": None}
_WIDTHS: dict[State, float] = {"removed": 2.4, "cascaded": 2.2, "broken": 2.2, "kept": 1.0}
_SIGNS: dict[State, str] = {
    "removed": "M-4 -4L4 4M-4 4L4 -4",  # a cross
    "cascaded": "M-4 -3H0V3M-3 0.5L0 4L3 0.5",  # an arrow that turns down
    "broken": "M1 -5L-2.5 0.5H2.5L-1 5",  # a flash
    "kept": "M-4 0.5L-1 3.5L4 -3.5",  # a tick
}


def frame(state: State, x: float, y: float, width: float, height: float) -> str:
    """Return the frame around a box."""
    look: dict[str, str | float | None] = {
        "fill": "none",
        "stroke": STATE_COLOURS[state],
        "stroke_width": _WIDTHS[state],
        "stroke_dasharray": _DASHES[state],
    }
    return element("rect", x=x - 2.5, y=y - 2.5, width=width + 5, height=height + 5, rx=5, **look)


def mark(state: State, x: float, y: float) -> str:
    """Return the sign of a state with its middle at (x, y): light on a filled ground where something goes."""
    goes = state in ("removed", "cascaded")
    colour = STATE_COLOURS[state]
    ground = element("circle", cx=x, cy=y, r=8, fill=colour if goes else PAPER, stroke=colour, stroke_width=1.4)
    return ground + element(
        "path", d=_moved(_SIGNS[state], x, y), fill="none", stroke=PAPER if goes else colour, stroke_width=1.8
    )


def _moved(path: str, x: float, y: float) -> str:
    """Return path commands (M, L, H, V with absolute coordinates) moved by (x, y)."""
    moved, rest = "", path
    while rest:
        command, rest = rest[0], rest[1:]
        end = next((i for i, character in enumerate(rest) if character in "MLHV"), len(rest))
        values, rest = [float(value) for value in rest[:end].split()], rest[end:]
        shifts = {"H": [x], "V": [y]}.get(command, [x, y])
        moved += command + " ".join(number(value + shift) for value, shift in zip(values, shifts, strict=True))
    return moved
