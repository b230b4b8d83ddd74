"""The dependency graph of a registry as a picture.

Three steps that know nothing of each other: ``grouping`` decides what becomes one box, ``layout`` where it stands, and
``graph_drawing`` how it looks.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol, final

from harness.registry import NAMESPACES, DependencyGraph
from harness.views.errors import InvalidArgumentError
from harness.views.graph_drawing import draw
from harness.views.grouping import Picture, collapse, count_of
from harness.views.view import View

__all__ = ["GraphSource", "GraphView", "graph"]


class GraphSource(Protocol):
    """What can be drawn: a ``Snapshot``, or anything else that has a version and a graph."""

    @property
    def version(self) -> int:
        """Number shown in the title."""

    def graph(self) -> DependencyGraph:
        """Return the entries and who needs whom."""


@final
class GraphView(View):
    """A dependency graph. Immutable."""

    __slots__ = ()


def graph(snapshot: GraphSource, *, max_nodes: int = 150) -> GraphView:
    """Return the dependency graph of a snapshot: who needs whom, down to the providers.

    A registry with more entries than ``max_nodes`` is collapsed into groups with counts; picture and text say which.
    Deterministic: equal snapshots give equal bytes in every process.

    Args:
        snapshot: What to draw.
        max_nodes: Most boxes to draw, at least one per namespace.

    Returns:
        The picture; a notebook shows it, elsewhere its text is shown.

    Raises:
        InvalidArgumentError: ``max_nodes`` is below the number of namespaces.

    Example:
        >>> from harness.registry import Registry
        >>> print(graph(Registry().snapshot()))
        registry version 1: no entries
    """
    if max_nodes < len(NAMESPACES):
        raise InvalidArgumentError("max_nodes", max_nodes, len(NAMESPACES))
    dependencies = snapshot.graph()
    picture = collapse(dependencies, max_nodes)
    heading = f"Registry, version {snapshot.version}"
    contents = _contents(dependencies, picture)
    return GraphView(draw(dependencies, picture, heading, contents), f"registry version {snapshot.version}: {contents}")


def _contents(dependencies: DependencyGraph, picture: Picture) -> str:
    counts = Counter(node.namespace for node in dependencies.nodes)
    if not counts:
        return "no entries"
    remote = sum(node.remote for node in dependencies.nodes)
    words = [
        count_of(counts[namespace], namespace) + (f" ({remote} remote)" if namespace == "agents" and remote else "")
        for namespace in NAMESPACES
        if counts[namespace]
    ]
    entries = ", ".join(words)
    if not picture.notes:
        return f"{entries}; nothing collapsed"
    return f"{entries}; collapsed to {len(picture.boxes)} boxes: {', '.join(picture.notes)}"
