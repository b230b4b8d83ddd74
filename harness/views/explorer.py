"""Answers questions to one graph with pictures: what the static view and the live one have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from harness.registry import NAMESPACES, DependencyGraph, Key
from harness.views.facts import STATUSES, Facts
from harness.views.graph_drawing import Emphasis, draw
from harness.views.grouping import Picture, collapse, count_of
from harness.views.query import Query, Selection, select
from harness.views.theme import DARK

__all__ = ["Answer", "GraphExplorer"]


@final
@dataclass(frozen=True, slots=True)
class Answer:
    """A picture of a part of the graph. Immutable.

    Attributes:
        selection: The part.
        svg: The picture.
        text: The same in one line.
        boxes: For each box of the picture its members' positions in the whole graph.
    """

    selection: Selection
    svg: str
    text: str
    boxes: tuple[tuple[int, ...], ...]

    def for_page(self) -> dict[str, object]:
        """Return what the page is told of it."""
        return {"svg": self.svg, "text": self.text, "boxes": [list(box) for box in self.boxes]}


@final
class GraphExplorer:
    """One graph, ready to be asked. Immutable.

    Args:
        version: Version of the registry, for the titles.
        graph: Who needs whom.
        facts: State and tag of each node.
        max_nodes: Most boxes of a picture.
    """

    def __init__(self, version: int, graph: DependencyGraph, facts: Mapping[Key, Facts], max_nodes: int) -> None:
        self.version, self.graph, self.facts, self.max_nodes = version, graph, facts, max_nodes
        self.number: dict[Key, int] = {node.key: position for position, node in enumerate(graph.nodes)}

    def ask(self, query: Query) -> Answer:
        """Return the picture that answers a question."""
        selection = select(self.graph, self.facts, query)
        important = frozenset(selection.path) | selection.focus
        picture = collapse(selection.graph, self.max_nodes, keep=important)
        contents = _contents(selection.graph, picture)
        words = f"{selection.words}: {contents}" if selection.words else contents
        heading = f"Registry, version {self.version}"
        svg = draw(self.graph, picture, heading, words, Emphasis(selection.focus, selection.path))
        boxes = tuple(tuple(self.number[node.key] for node in box.members) for box in picture.boxes)
        return Answer(selection, svg, f"registry version {self.version}: {words}", boxes)

    def page_data(self) -> dict[str, object]:
        """Return what the page is told once: entries and references by number, and the choices of the filters."""
        tags = sorted({fact.tag for fact in self.facts.values() if fact.tag})
        place = {tag: position for position, tag in enumerate(tags)}
        return {
            "version": self.version,
            "namespaces": list(NAMESPACES),
            "statuses": list(STATUSES),
            "tags": tags,
            "relations": (relations := sorted({edge.relation for edge in self.graph.edges})),
            "nodes": [
                [
                    NAMESPACES.index(node.namespace),
                    node.id,
                    node.label,
                    sum(1 << STATUSES.index(status) for status in self.facts[node.key].statuses),
                    place.get(self.facts[node.key].tag, -1),
                ]
                for node in self.graph.nodes
            ],
            "edges": [
                [self.number[edge.source], self.number[edge.target], relations.index(edge.relation)]
                for edge in self.graph.edges
            ],
            "dark": DARK,
        }

    def write_query(self, query: Query) -> dict[str, object]:
        """Return a question as the page writes it: entries and namespaces by number, -1 for none and for no bound."""
        return {
            "focus": [self.number[key] for key in query.focus],
            "path": -1 if query.path_to is None else self.number[query.path_to],
            "up": -1 if query.up is None else query.up,
            "down": -1 if query.down is None else query.down,
            "hidden": [position for position, namespace in enumerate(NAMESPACES) if namespace in query.hidden],
            "status": query.status,
            "tag": query.tag,
        }

    def read_query(self, written: Mapping[str, object]) -> Query:
        """Return the question that a page wrote; what is no number or word of ours is left out."""
        nodes = self.graph.nodes
        focus = _numbers(written.get("focus"), len(nodes))
        path = _numbers([written.get("path")], len(nodes))
        status, tag = written.get("status"), written.get("tag")
        return Query(
            focus=tuple(nodes[position].key for position in focus),
            path_to=nodes[path[0]].key if path else None,
            up=_depth(written.get("up")),
            down=_depth(written.get("down")),
            hidden=tuple(NAMESPACES[position] for position in _numbers(written.get("hidden"), len(NAMESPACES))),
            status=status if isinstance(status, str) and status in STATUSES else "",
            tag=tag if isinstance(tag, str) else "",
        )


def _numbers(written: object, end: int) -> list[int]:
    listed = written if isinstance(written, list) else []
    return [number for number in listed if type(number) is int and 0 <= number < end]


def _depth(written: object) -> int | None:
    return written if type(written) is int and written >= 0 else None


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
