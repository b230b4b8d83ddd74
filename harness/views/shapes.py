"""The look of boxes: one outline and one tint per namespace, so that neither shape nor colour speaks alone."""

from __future__ import annotations

from collections.abc import Callable

from harness.views.svg import INK, PAPER, element, label, polygon

__all__ = ["CHIP", "PALETTE", "chip", "outline", "ring", "stack"]

PALETTE = (
    "#1864ab",
    "#b3430a",
    "#2b7a37",
    "#862e9c",
    "#c2255c",
    "#0b6b78",
    "#7a5a10",
    "#c92a2a",
    "#5f3dc4",
    "#495057",
)  # each at least 5:1 against white
CHIP = 13.0

_TINTS = {
    "agents": ("#e8f1fb", "#4a78a8"),
    "model_pools": ("#f3eafa", "#81579f"),
    "models": ("#f5f6f7", "#7b848c"),
    "providers": ("#fff6dd", "#94741c"),
    "tools": ("#e9f6ec", "#4f8a5b"),
    "plugins": ("#fceee8", "#b06a4a"),
    "backends": ("#e8f5f5", "#40858a"),
}


def outline(namespace: str, x: float, y: float, width: float, height: float, *, remote: bool = False) -> str:
    """Return the box of an entry; what runs elsewhere has a dashed one."""
    fill, stroke = _TINTS[namespace]
    look: dict[str, str | float | None] = {
        "fill": PAPER if remote else fill,
        "stroke": stroke,
        "stroke_width": 1.6 if namespace == "providers" else 1.0,
        "stroke_dasharray": "4 3" if remote else None,
    }
    return _OUTLINES[namespace](x, y, width, height, look)


def stack(namespace: str, x: float, y: float, width: float, height: float) -> str:
    """Return a second outline behind, the mark of a group."""
    return outline(namespace, x + 3, y - 3, width, height)


def ring(x: float, y: float, width: float, height: float) -> str:
    """Return a ring around a box, the mark of what is in focus."""
    look: dict[str, str | float | None] = {"fill": "none", "stroke": INK, "stroke_width": 2}
    return element("rect", x=x - 2.5, y=y - 2.5, width=width + 5, height=height + 5, rx=5, **look, data_ring="1")


def chip(x: float, y: float, letter: str, colour: str, width: float = CHIP) -> str:
    """Return the square that stands for a provider, its middle at height ``y``."""
    square = element("rect", x=x, y=y - CHIP / 2, width=width, height=CHIP, rx=2, fill=colour)
    return square + label(x + width / 2, y + 3.4, letter, 9.5, fill=PAPER, anchor="middle", bold=True)


_Look = dict[str, str | float | None]
_Outline = Callable[[float, float, float, float, _Look], str]


def _rounded(radius: float) -> _Outline:
    def draw(x: float, y: float, width: float, height: float, look: _Look) -> str:
        return element("rect", x=x, y=y, width=width, height=height, rx=radius, **look)

    return draw


def _double_sided(x: float, y: float, width: float, height: float, look: _Look) -> str:
    box = element("rect", x=x, y=y, width=width, height=height, rx=1.0, **look)
    sides = f"M{x + 3:.1f} {y:.1f}v{height:.1f}M{x + width - 3:.1f} {y:.1f}v{height:.1f}"
    return box + element("path", d=sides, fill="none", stroke=look["stroke"], stroke_width=1)


def _pointed(x: float, y: float, width: float, height: float, look: _Look) -> str:
    middle, tip = y + height / 2, 5.0
    right, bottom = x + width, y + height
    corners = [(x + tip, y), (right - tip, y), (right, middle), (right - tip, bottom), (x + tip, bottom), (x, middle)]
    return polygon(corners, **look)


def _slanted(x: float, y: float, width: float, height: float, look: _Look) -> str:
    slant = 5.0
    return polygon(
        [(x + slant, y), (x + width, y), (x + width - slant, y + height), (x, y + height)],
        **look,
    )


_OUTLINES: dict[str, _Outline] = {
    "agents": _rounded(9.0),
    "model_pools": _double_sided,
    "models": _rounded(2.0),
    "providers": _rounded(4.0),
    "tools": _rounded(0.0),
    "plugins": _pointed,
    "backends": _slanted,
}
