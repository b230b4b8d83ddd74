"""The dependency graph of a registry, as a picture that can be asked.

``query`` chooses a part of the graph, ``grouping`` decides what becomes one box, ``layout`` where it stands,
``graph_drawing`` how it looks; ``explorer`` puts them together. In a live notebook ``widget`` lets one ask by mouse and
keyboard; everywhere else the same picture is static.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, final

from harness.registry import NAMESPACES, DependencyGraph, Namespace
from harness.views.entry import Entry, find_entry
from harness.views.errors import InvalidArgumentError, InvalidChoiceError
from harness.views.exchange import to_csv, to_frame
from harness.views.explorer import Answer, GraphExplorer
from harness.views.facts import STATUSES, facts_of
from harness.views.live import live_bundle
from harness.views.query import Query
from harness.views.theme import Theme, in_theme
from harness.views.view import View

if TYPE_CHECKING:
    import pandas as pd

    from harness.views.widget import PictureWidget

__all__ = ["GraphSource", "GraphView", "graph"]


class GraphSource(Protocol):
    """What can be drawn: a ``Snapshot``, or anything else that has a version and a graph."""

    @property
    def version(self) -> int:
        """Number shown in the title."""

    def graph(self) -> DependencyGraph:
        """Return the entries and who needs whom."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class GraphView(View):
    """A dependency graph. Immutable; what a person asks in the page changes the page alone.

    Attributes:
        query: What the picture answers.
    """

    query: Query
    _explorer: GraphExplorer = field(compare=False)
    _answer: Answer = field(compare=False)
    _widgets: list[PictureWidget] = field(compare=False, default_factory=list)  # at most one, made on first use

    @property
    def drawn(self) -> DependencyGraph:
        """The part of the graph that is drawn, uncollapsed."""
        return self._answer.selection.graph

    def to_svg(self, theme: Theme = "light") -> str:
        """Return the picture as an SVG file's text."""
        return in_theme(self.svg, theme)

    def to_mermaid(self) -> str:
        """Return the part of the graph that is drawn, uncollapsed, as a mermaid flowchart."""
        return self._answer.selection.graph.to_mermaid()

    def to_csv(self) -> str:
        """Return the references that are drawn, one row each, as CSV with a heading."""
        return to_csv(self._answer.selection.graph)

    def to_html(self) -> str:
        """Return a page that works from disk: the picture, search, focus, path, filters and exports, no network.

        Without Python behind it the page dims what is not asked for instead of drawing it anew.
        """
        from harness.views.page import graph_page

        return graph_page(self._explorer, self._answer, self.query)

    def to_frame(self) -> pd.DataFrame:
        """Return the entries that are drawn as a table.

        Returns:
            One row per entry, sorted by namespace and id: ``namespace`` str; ``id`` str; ``remote`` bool;
            ``needed_by`` int64, entries that name it; ``needed_by_total`` int64, the same with all that need those;
            ``needs`` and ``needs_total`` int64, the other way. Entries that are not drawn do not count.
        """
        return to_frame(self._answer.selection.graph)

    def widget(self) -> PictureWidget:
        """Return the interactive view, the same one each time. Needs a running kernel to be of use."""
        from harness.views.widget import graph_widget

        if not self._widgets:
            self._widgets.append(graph_widget(self._explorer, self._answer, self.query))
        return self._widgets[0]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:  # noqa: ARG002
        return live_bundle(self.text, self.svg, self.widget)


def graph(
    snapshot: GraphSource,
    *,
    focus: Entry | Sequence[Entry] | None = None,
    path_to: Entry | None = None,
    up: int | None = 3,
    down: int | None = 3,
    hidden: Iterable[Namespace] = (),
    status: str = "",
    tag: str = "",
    max_nodes: int = 150,
) -> GraphView:
    """Return the dependency graph of a snapshot: who needs whom, down to the providers.

    What has more entries than ``max_nodes`` is collapsed into groups with counts; picture and text say which.
    Deterministic: equal snapshots give equal bytes in every process. In a live notebook everything here can be asked
    by mouse and keyboard too.

    Args:
        snapshot: What to draw.
        focus: Entry or entries to look at, each an id or (namespace, id); all if left out.
        path_to: Draw all ways between the (first) entry in focus and this one, the shortest heavy.
        up: How many references to follow to those who need the focus, ``None`` for all the way.
        down: How many to follow to what it needs.
        hidden: Namespaces to leave out.
        status: Look at entries of this status: ``used``, ``unused``, ``remote`` or ``to be retired``.
        tag: Look at providers of this kind and models of this mode.
        max_nodes: Most boxes to draw, at least one per namespace.

    Returns:
        The picture; a notebook shows it, elsewhere its text is shown.

    Raises:
        InvalidArgumentError: ``max_nodes`` is below the number of namespaces, ``up`` or ``down`` below 0.
        InvalidChoiceError: ``status``, ``tag`` or a hidden namespace is not known; ``path_to`` without ``focus``.
        UnknownEntryError: The focus or the path's other end is not registered.
        AmbiguousEntryError: An id alone does not say which entry is meant.

    Example:
        >>> from harness.registry import Registry
        >>> print(graph(Registry().snapshot()))
        registry version 1: no entries
    """
    for name, value, least in (("max_nodes", max_nodes, len(NAMESPACES)), ("up", up, 0), ("down", down, 0)):
        if value is not None and value < least:
            raise InvalidArgumentError(name, value, least)
    if path_to is not None and focus is None:
        raise InvalidChoiceError("focus", "", ("the entry where the path begins",))
    dependencies = snapshot.graph()
    explorer = GraphExplorer(snapshot.version, dependencies, facts_of(dependencies, snapshot), max_nodes)
    tags = tuple(sorted({fact.tag for fact in explorer.facts.values()} - {""}))
    _check_choice("status", status, ("", *STATUSES))
    _check_choice("tag", tag, ("", *tags))
    for namespace in (hidden := tuple(hidden)):
        _check_choice("hidden", namespace, NAMESPACES)
    query = Query(
        focus=tuple(find_entry(explorer.number, entry, snapshot.version) for entry in _entries(focus)),
        path_to=None if path_to is None else find_entry(explorer.number, path_to, snapshot.version),
        up=up,
        down=down,
        hidden=hidden,
        status=status,
        tag=tag,
    )
    answer = explorer.ask(query)
    return GraphView(answer.svg, answer.text, query, explorer, answer)


def _entries(focus: Entry | Sequence[Entry] | None) -> list[Entry]:
    if focus is None:
        return []
    is_one = isinstance(focus, str) or (
        isinstance(focus, tuple) and len(focus) == 2 and focus[0] in NAMESPACES and isinstance(focus[1], str)
    )
    return [focus] if is_one else list(focus)  # type: ignore[list-item]  # a pair that starts with a namespace is one entry


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidChoiceError(name, value, tuple(word for word in known if word))
