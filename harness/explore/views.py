"""The look of an exploration in a notebook: its own line of text, and the picture of an installed view beside it.

The look-up is the registry's, loaded when something is displayed: exploring needs no registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.registry.display import View

__all__ = ["display", "render"]


def render(name: str, subject: object) -> View | None:
    """Return the view of that name of a subject, or ``None`` where no such view is installed."""
    from harness.registry import display as installed

    return installed.render(name, subject)


def display(name: str, subject: object, text: str) -> dict[str, object]:
    """Return a bundle for Jupyter: the text line, and the view's picture where there is one."""
    view = render(name, subject)
    bundle = view._repr_mimebundle_() if view is not None else {}
    return {**bundle, "text/plain": text}
