"""Views: pictures of a registry and of an execution, drawn as SVG in Python.

``graph(snapshot)`` shows who needs whom. ``grouping`` collapses the registry's graph to a number of boxes one can
look at, ``ranking``, ``ordering`` and ``layout`` place them, ``graph_drawing`` draws them with the outlines of
``shapes``, the lines of ``strokes`` and the letters that ``reach`` finds.

``impact(registry, entry)`` shows what a removal would do. ``consequences`` finds it, by the registry's own rule,
``impact_drawing`` draws it with the looks of ``states``, ``removing`` carries it out where that is allowed.

In a live notebook both are widgets (``widget``, ``static/*.js``), loaded only there; ``page`` makes files of them.

``timeline(execution_or_failure)`` shows an interleaving, one lane per task, drawn by ``timeline_drawing`` with the
``marks`` of each kind of event. The protocol ``Execution`` in ``timeline`` says what it needs.

All give a ``View``: a picture and a line of text, the same bytes in every process. All markup is made by ``svg``, all
widths are estimated by ``text``.
"""

from __future__ import annotations

from harness.views.graph import GraphView, graph
from harness.views.impact import ImpactView, impact
from harness.views.timeline import TimelineView, timeline

__all__ = ["GraphView", "ImpactView", "TimelineView", "graph", "impact", "timeline"]
