"""Renderers of the display methods, looked up so that exploring needs no views.

Views depend on explorations, not the other way round; where none is installed the displays are text alone.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Protocol

__all__ = ["View", "display", "render"]


class View(Protocol):
    """What a renderer gives."""

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, object]: ...  # pragma: no cover - a protocol


def render(name: str, subject: object) -> View | None:
    """Return the view of that name of a subject, or ``None`` where no such view is installed."""
    for point in entry_points(group="harness.views", name=name):
        view: View = point.load()(subject)
        return view
    return None


def display(name: str, subject: object, text: str) -> dict[str, object]:
    """Return a bundle for Jupyter: the text line, and the view's picture where there is one."""
    view = render(name, subject)
    bundle = view._repr_mimebundle_() if view is not None else {}
    return {**bundle, "text/plain": text}
