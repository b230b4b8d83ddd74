"""The live face of a view: carries pictures to the page and questions back.

One anywidget per kind of view. Everything the page needs is in its module, read as text from ``static``; nothing is
fetched. The graph goes over once, afterwards a question and a picture at a time. What the page sends is checked.
"""

from __future__ import annotations

import anywidget
import traitlets

from harness.registry import Registry
from harness.views.explorer import Answer, GraphExplorer
from harness.views.following import follow
from harness.views.impact import ImpactView
from harness.views.page import STYLE, module_text
from harness.views.query import Query

__all__ = ["GraphWidget", "ImpactWidget", "PictureWidget", "graph_widget", "impact_widget"]


class PictureWidget(anywidget.AnyWidget):
    """A picture and the question it answers. Confined to the kernel's main thread.

    Attributes:
        data: What the page is told once.
        picture: What is shown: ``svg``, ``text``, and what belongs to the view.
        query: What the page asks.
        live: Whether Python answers; false in an exported page.
    """

    _css = STYLE
    data = traitlets.Dict().tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)
    query = traitlets.Dict().tag(sync=True)
    live = traitlets.Bool(True).tag(sync=True)


class GraphWidget(PictureWidget):
    """A dependency graph that can be asked."""

    _esm = module_text("graph")


def graph_widget(explorer: GraphExplorer, answer: Answer, query: Query) -> GraphWidget:
    """Return the interactive view of a graph, showing an answer already found."""
    widget = GraphWidget(data=explorer.page_data(), picture=answer.for_page(), query=explorer.write_query(query))

    def redraw(change: dict[str, object]) -> None:
        asked = change["new"]
        if isinstance(asked, dict):
            widget.picture = explorer.ask(explorer.read_query(asked)).for_page()

    widget.observe(redraw, names="query")
    return widget


class ImpactWidget(PictureWidget):
    """A removal that can be looked at under each policy, and carried out where that is allowed."""

    _esm = module_text("impact")


def impact_widget(view: ImpactView, registry: Registry) -> ImpactWidget:
    """Return the interactive view of a removal; it follows the registry while it is open."""
    follow(registry, view.refresh, lambda: widget.comm is not None)  # before the first look, so that none is missed
    widget = ImpactWidget(data=view.page_data(), picture=view.for_page(), query={})

    def act(change: dict[str, object]) -> None:
        asked = change["new"]
        if isinstance(asked, dict):
            widget.picture = view.answer(asked)

    widget.observe(act, names="query")
    return widget
