"""Whether a kernel is there to answer a page, and what a notebook is given if so.

Only in a live kernel does an interactive view mean anything. Elsewhere (pytest, a script, a build of documentation) no
widget is made and no widget library is loaded.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Callable
from html import escape
from typing import Protocol

__all__ = ["Displayable", "is_live", "live_bundle"]

_WIDGET = "application/vnd.jupyter.widget-view+json"


class Displayable(Protocol):
    """A widget."""

    def _repr_mimebundle_(self, **options: object) -> object: ...  # pragma: no cover - a protocol


def is_live() -> bool:
    """Return whether this process is a Jupyter kernel. Imports nothing."""
    kernel = sys.modules.get("ipykernel.kernelapp")
    return kernel is not None and bool(kernel.IPKernelApp.initialized())


def live_bundle(text: str, svg: str, make: Callable[[], Displayable]) -> dict[str, object]:
    """Return the static picture, and the widget beside it where a kernel can answer.

    JupyterLab shows no SVG of a notebook it does not trust, but an image in HTML, so the picture is there in both.
    """
    data = b64encode(svg.encode()).decode("ascii")
    image = f'<img alt="{escape(text)}" src="data:image/svg+xml;base64,{data}">'
    static: dict[str, object] = {"text/plain": text, "text/html": image, "image/svg+xml": svg}
    if not is_live():
        return static
    shown = make()._repr_mimebundle_()
    bundle = shown[0] if isinstance(shown, tuple) else shown
    view = bundle.get(_WIDGET) if isinstance(bundle, dict) else None
    return {**static, **({_WIDGET: view} if view is not None else {})}
