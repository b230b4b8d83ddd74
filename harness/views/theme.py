"""The dark theme: each colour of the light one with the one that takes its place.

Pictures are drawn for a light ground. Presentation attributes hold every colour, so that a dark picture is the same
markup with other values: here for files, in ``static/stage.js`` for the page, both from this one table. Only values of
attributes are changed; text cannot look like one, because its quotes are escaped.
"""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

__all__ = ["DARK", "Theme", "in_theme"]

Theme: TypeAlias = Literal["light", "dark"]

DARK: Final = {
    # ground and ink
    "#ffffff": "#1b1f24",
    "#212529": "#e9ecef",
    "#5c636a": "#aab2ba",
    # lines
    "#6c757d": "#8d969e",
    "#a3aab1": "#747d86",
    "#ced4da": "#495057",
    "#e3e6e9": "#343a40",
    "#868e96": "#868e96",
    # providers and tasks
    "#1864ab": "#74b3f0",
    "#b3430a": "#f0975f",
    "#2b7a37": "#7fcb8a",
    "#862e9c": "#cf9be3",
    "#c2255c": "#f28cb0",
    "#0b6b78": "#5fc3d1",
    "#7a5a10": "#d0ae5c",
    "#c92a2a": "#f58a8a",
    "#5f3dc4": "#ab98f0",
    "#495057": "#b4bcc4",
    # boxes: tint and outline per namespace
    "#e8f1fb": "#1d2f44",
    "#4a78a8": "#6a9bd0",
    "#f3eafa": "#33263d",
    "#81579f": "#b08ac9",
    "#f5f6f7": "#2a2e33",
    "#7b848c": "#8f989f",
    "#fff6dd": "#3a3220",
    "#94741c": "#c9a640",
    "#e9f6ec": "#1f3526",
    "#4f8a5b": "#74b382",
    "#fceee8": "#3d2a22",
    "#b06a4a": "#d08f70",
    "#e8f5f5": "#1d3435",
    "#40858a": "#67aab0",
    # verdicts
    "#f1f8f2": "#1f3526",
    "#fdf0f0": "#422224",
    "#fff3e2": "#40301d",
}

_VALUE = re.compile(r'="(#[0-9a-f]{6})"')


def in_theme(svg: str, theme: Theme) -> str:
    """Return a light picture in a theme."""
    if theme == "light":
        return svg
    return _VALUE.sub(lambda found: f'="{DARK.get(found[1], found[1])}"', svg)
