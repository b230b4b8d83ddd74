"""A builder for SVG that survives every place a notebook is shown in.

Presentation attributes only: no ``<style>``, no script, no ``foreignObject`` and no ``id``, since some hosts drop them
and several pictures share one page. Coordinates are absolute and rounded to 0.1, attributes keep the order given: equal
input gives equal bytes. Whatever text comes in is cleaned and escaped here, nowhere else.
"""

from __future__ import annotations

from html import escape

from harness.views.text import clean

__all__ = [
    "INK",
    "MONO",
    "MUTED",
    "PAPER",
    "SANS",
    "Point",
    "curve",
    "document",
    "element",
    "label",
    "number",
    "polygon",
    "title",
]

SANS = "Helvetica, Arial, DejaVu Sans, sans-serif"
MONO = "DejaVu Sans Mono, Menlo, Consolas, monospace"
INK, MUTED, PAPER = "#212529", "#5c636a", "#ffffff"

_LONGEST_TITLE = 500
Point = tuple[float, float]


def number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    text = f"{value:.1f}"
    if text[-2:] == ".0":
        text = text[:-2]
        return "0" if text == "-0" else text
    return text


def element(name: str, *children: str, **attributes: str | float | None) -> str:
    """Return one element; ``stroke_width=1`` becomes ``stroke-width="1"`` and ``None`` leaves the attribute out.

    Args:
        name: Element name.
        children: Finished markup, such as results of this function.
        attributes: Numbers are rounded, strings are escaped.
    """
    written = "".join(
        f' {key.replace("_", "-")}="{escape(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(children)
    return f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>"


def title(text: str) -> str:
    """Return a ``<title>``, which is tooltip and screen-reader text; over 500 characters are cut."""
    line = clean(text)
    if len(line) > _LONGEST_TITLE:
        line = f"{line[:_LONGEST_TITLE]}… ({len(line):,} characters)"
    return f"<title>{escape(line)}</title>"


def label(
    x: float,
    y: float,
    text: str,
    size: float,
    *,
    fill: str = INK,
    anchor: str | None = None,
    bold: bool = False,
    mono: bool = False,
    struck: bool = False,
) -> str:
    """Return a line of text with its baseline at ``y``; nothing for an empty one."""
    line = clean(text)
    if not line:
        return ""
    return element(
        "text",
        escape(line),
        x=x,
        y=y,
        font_size=size,
        fill=fill,
        text_anchor=anchor,
        font_weight="bold" if bold else None,
        font_family=MONO if mono else None,
        text_decoration="line-through" if struck else None,
    )


def polygon(points: list[Point], **attributes: str | float | None) -> str:
    """Return a closed shape through ``points``."""
    return element("polygon", points=" ".join(f"{number(x)},{number(y)}" for x, y in points), **attributes)


def curve(start: Point, end: Point) -> str:
    """Return the path commands from ``start``, already reached, to ``end``: leaves and arrives horizontally."""
    middle, y = number((start[0] + end[0]) / 2), number(end[1])
    return f"C{middle} {number(start[1])} {middle} {y} {number(end[0])} {y}"


def document(width: float, height: float, heading: str, description: str, *children: str) -> str:
    """Return the whole picture on an opaque light ground, so that it reads the same in a dark theme."""
    size = {"width": number(width), "height": number(height), "viewBox": f"0 0 {number(width)} {number(height)}"}
    ground = element("rect", width=width, height=height, fill=PAPER)
    return element(
        "svg",
        title(heading),
        f"<desc>{escape(clean(description))}</desc>",
        ground,
        *children,
        xmlns="http://www.w3.org/2000/svg",
        **size,
        role="img",
        font_family=SANS,
    )
