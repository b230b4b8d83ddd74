"""Display of values in notebooks: the picture of an installed view, found by name, beside the text.

Views draw registries and explorations, so these cannot import them. Whoever registers a renderer in the entry-point
group ``harness.views`` is asked; where nobody did, the display is text alone.
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
    """Return the view of that name of a subject, ``None`` where no such view is installed."""
    for point in entry_points(group="harness.views", name=name):
        view: View = point.load()(subject)
        return view
    return None


def display(name: str, subject: object) -> dict[str, object]:
    """Return a bundle for Jupyter: what the view of that name shows of the subject, at least its text."""
    view = render(name, subject)
    return {"text/plain": repr(subject)} if view is None else view._repr_mimebundle_()
