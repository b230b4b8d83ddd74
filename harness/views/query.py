"""What a person asks of a graph, and the part of the graph that answers.

A focus, a status and a tag choose entries; ``up`` and ``down`` say how far to follow who needs them and what they need.
Two ends of a path choose every entry on any way from one to the other. Hidden namespaces leave the picture at last, so
that a neighbourhood is the same with and without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, final

from harness.registry import DependencyGraph, Edge, Key
from harness.views.facts import Facts
from harness.views.grouping import count_of

__all__ = ["Adjacency", "Query", "Selection", "adjacency", "reach", "select"]

Adjacency: TypeAlias = dict[Key, list[Key]]

_DEFAULT_DEPTH = 3


@final
@dataclass(frozen=True, slots=True)
class Query:
    """A question to a graph. Immutable.

    Attributes:
        focus: Entries asked about; empty means all.
        path_to: Other end of a path from the first entry in focus.
        up: References to follow to those who need it, ``None`` for all the way.
        down: References to follow to what it needs, ``None`` for all the way.
        hidden: Namespaces to leave out.
        status: Keep the neighbourhood of entries with this status, empty for any.
        tag: The same for a tag.
    """

    focus: tuple[Key, ...] = ()
    path_to: Key | None = None
    up: int | None = _DEFAULT_DEPTH
    down: int | None = _DEFAULT_DEPTH
    hidden: tuple[str, ...] = ()
    status: str = ""
    tag: str = ""


@final
@dataclass(frozen=True, slots=True)
class Selection:
    """The answer, as a part of the graph. Immutable.

    Attributes:
        graph: The part, which is the whole if nothing was asked.
        focus: What was asked about and is in the part.
        path: Shortest way between the two ends, both included; empty if there is none or none was asked for.
        words: The question in words, empty if nothing was asked.
    """

    graph: DependencyGraph
    focus: frozenset[Key]
    path: tuple[Key, ...]
    words: str


def adjacency(edges: Iterable[Edge], *, reverse: bool = False) -> Adjacency:
    """Return for each key what it needs, or who needs it; keys without any are missing."""
    found: Adjacency = {}
    for edge in edges:
        source, target = (edge.target, edge.source) if reverse else (edge.source, edge.target)
        found.setdefault(source, []).append(target)
    return found


def reach(neighbours: Adjacency, start: Iterable[Key], depth: int | None = None) -> set[Key]:
    """Return ``start`` and all that is reached in at most ``depth`` references."""
    frontier = list(start)
    found = set(frontier)
    while frontier and depth != 0:
        frontier = [key for near in frontier for key in neighbours.get(near, ())]
        frontier = [key for key in dict.fromkeys(frontier) if key not in found]
        found.update(frontier)
        depth = None if depth is None else depth - 1
    return found


def select(graph: DependencyGraph, facts: Mapping[Key, Facts], query: Query) -> Selection:
    """Return the part of the graph that a question is about."""
    needs, needed_by = adjacency(graph.edges), adjacency(graph.edges, reverse=True)
    path: tuple[Key, ...] = ()
    if query.focus and query.path_to is not None:
        ends = (query.focus[0], query.path_to)
        path = graph.path(*ends) or graph.path(*reversed(ends))
        wanted = _between(needs, needed_by, path) if path else set(ends)
        focus = set(ends)
    else:
        focus = _chosen(graph, facts, query)
        wanted = set(facts)
        if query.focus or query.status or query.tag:
            wanted = reach(needed_by, focus, query.up) | reach(needs, focus, query.down)
    wanted = {key for key in wanted if key[0] not in query.hidden}
    part = graph if len(wanted) == len(graph.nodes) else _part(graph, wanted)
    asked = query.focus or query.status or query.tag
    return Selection(part, frozenset(focus & wanted) if asked else frozenset(), path, _words(query, path, focus))


def _chosen(graph: DependencyGraph, facts: Mapping[Key, Facts], query: Query) -> set[Key]:
    among = query.focus or tuple(node.key for node in graph.nodes)
    return {
        key
        for key in among
        if (not query.status or query.status in facts[key].statuses) and query.tag in ("", facts[key].tag)
    }


def _between(needs: Adjacency, needed_by: Adjacency, path: tuple[Key, ...]) -> set[Key]:
    return reach(needs, path[:1]) & reach(needed_by, path[-1:])


def _part(graph: DependencyGraph, wanted: set[Key]) -> DependencyGraph:
    return DependencyGraph(
        tuple(node for node in graph.nodes if node.key in wanted),
        tuple(edge for edge in graph.edges if edge.source in wanted and edge.target in wanted),
    )


def _words(query: Query, path: tuple[Key, ...], focus: set[Key]) -> str:
    hidden = f"without {', '.join(query.hidden)}".replace("_", " ") if query.hidden else ""
    if query.focus and query.path_to is not None:
        ends = f"{_name(query.focus[0])} and {_name(query.path_to)}"
        found = f"path of {count_of(len(path) - 1, 'references')} between {ends}" if path else f"no path between {ends}"
        return ", ".join(words for words in (found, hidden) if words)
    kept = [f"{word} {value}" for word, value in (("status", query.status), ("tag", query.tag)) if value]
    asked = [_focus_words(query.focus)] if query.focus else []
    around = " with ".join([*asked, ", ".join(kept)]) if kept and asked else ", ".join([*asked, *kept])
    if around:
        around = f"around {around}" if asked else f"around {len(focus):,} with {around}"
        around += f" ({_depth(query.up)} up, {_depth(query.down)} down)"
    return ", ".join(words for words in (around, hidden) if words)


def _focus_words(focus: tuple[Key, ...]) -> str:
    return _name(focus[0]) if len(focus) == 1 else f"{len(focus):,} entries"


def _name(key: Key) -> str:
    return f"{count_of(1, key[0]).removeprefix('1 ')} {key[1]}"


def _depth(depth: int | None) -> str:
    return "all" if depth is None else str(depth)
