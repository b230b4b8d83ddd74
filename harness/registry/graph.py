"""Dependency graph of a registry: who needs whom.

Edges run from the dependent to its dependency, so removing a node hurts its ``dependents``. The graph is a plain
value made from a snapshot by ``snapshot.graph()``; views draw it and never ask the registry again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, final

from harness.registry.circles import find_circle, strong_components
from harness.registry.entries import Entries, entries_of, resolve_reference
from harness.registry.errors import UnknownNodeError
from harness.registry.graph_export import to_frame, to_mermaid, to_networkx
from harness.registry.keys import NAMESPACES, Key
from harness.registry.references import references
from harness.registry.specs import AgentSpec, ProviderSpec, Spec

if TYPE_CHECKING:
    import networkx
    import pandas as pd

__all__ = ["DependencyGraph", "Edge", "Node", "build_graph"]


@final
@dataclass(frozen=True, slots=True, order=True)
class Node:
    """One entry of a registry. Immutable.

    Attributes:
        namespace: Where the entry is registered, one of ``NAMESPACES``.
        id: Its id there.
        label: Short text to show, the id and what kind of thing it is where that is not clear from the namespace.
        remote: Whether it runs elsewhere. A remote agent does not count as a user of its model.
    """

    namespace: str
    id: str
    label: str
    remote: bool = False

    @property
    def key(self) -> Key:
        """Address of the entry, ``(namespace, id)``."""
        return (self.namespace, self.id)


@final
@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """One reference between two entries. Immutable.

    Attributes:
        source: Key of the dependent.
        target: Key of what it names.
        relation: In what role: ``model``, ``member``, ``provider``, ``plugin``, ``delegate`` or ``tool``.
    """

    source: Key
    target: Key
    relation: str


@final
@dataclass(frozen=True, slots=True)
class DependencyGraph:
    """Nodes and edges, sorted, with the closures that removal questions need. Immutable.

    Attributes:
        nodes: Sorted by (namespace, id).
        edges: Sorted by source, target, relation. Both ends of each are among the nodes.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    _dependencies: dict[Key, list[Key]] = field(init=False, repr=False, compare=False)
    _dependents: dict[Key, list[Key]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(sorted(self.nodes)))
        object.__setattr__(self, "edges", tuple(sorted(self.edges)))
        keys = [node.key for node in self.nodes]
        object.__setattr__(self, "_dependencies", _adjacency(keys, ((e.source, e.target) for e in self.edges)))
        object.__setattr__(self, "_dependents", _adjacency(keys, ((e.target, e.source) for e in self.edges)))

    def dependents(self, key: Key) -> tuple[Key, ...]:
        """All that need this entry, directly or through others, sorted, without the entry itself.

        Raises:
            UnknownNodeError: No such node.
        """
        return _closure(self._dependents, key)

    def dependencies(self, key: Key) -> tuple[Key, ...]:
        """All that this entry needs, directly or through others, sorted, without the entry itself.

        Raises:
            UnknownNodeError: No such node.
        """
        return _closure(self._dependencies, key)

    def path(self, source: Key, target: Key) -> tuple[Key, ...]:
        """Shortest path along the edges, both ends included; empty if there is none.

        Among paths of equal length the first in sorted order is given.

        Raises:
            UnknownNodeError: One of the ends is no node.
        """
        _check(self._dependencies, target)
        came_from: dict[Key, Key | None] = {source: None}
        for key in _breadth_first(self._dependencies, source, came_from):
            if key == target:
                return tuple(reversed(list(_walk_back(came_from, key))))
        return ()

    def paths(self, source: Key, target: Key, *, max_paths: int = 1_000) -> tuple[tuple[Key, ...], ...]:
        """The paths from one node to another that meet no node twice, both ends included, in sorted order.

        There may be more than anyone can wait for, so the first ``max_paths`` are given. Each costs at most one look
        at the graph per node on it.

        Args:
            source: Where to start.
            target: Where to end. A node has one path to itself, of that node alone.
            max_paths: Most paths to give; as many as that mean that there may be more.

        Raises:
            UnknownNodeError: One of the ends is no node.
        """
        _check(self._dependencies, source)
        useful = {target, *self.dependents(target)}
        has_circles = bool(self.cycles())  # without, whatever leads to the target does so whatever was met before

        def can_finish(key: Key, on_way: set[Key]) -> bool:
            if key not in useful or not has_circles:
                return key in useful
            came_from: dict[Key, Key | None] = dict.fromkeys(on_way)
            came_from[key] = None
            return target in _breadth_first(self._dependencies, key, came_from)

        return tuple(islice(_extend_paths(self._dependencies, source, target, can_finish), max_paths))

    def cycles(self) -> tuple[tuple[Key, ...], ...]:
        """One shortest circle for each set of nodes that reach each other, first node repeated at the end, sorted.

        Each begins with the smallest node of its set. A node that names itself is a circle of one.
        """
        neighbours = self._dependencies.__getitem__
        circles = []
        for members in strong_components(self._dependencies, neighbours):
            first = min(members)
            if len(members) > 1:
                circles.append(find_circle(first, neighbours))
            elif first in neighbours(first):
                circles.append((first, first))
        return tuple(sorted(circles))

    def ranks(self) -> dict[Key, int]:
        """How far each node is from what needs nothing: 0 for that, else 1 more than the highest it needs.

        Nodes that reach each other have the same rank. In the order of ``nodes``.
        """
        ranks: dict[Key, int] = {}
        for members in strong_components(self._dependencies, self._dependencies.__getitem__):  # needs before needy
            inside = set(members)
            needed = [ranks[key] for member in members for key in self._dependencies[member] if key not in inside]
            ranks.update(dict.fromkeys(members, max(needed, default=-1) + 1))
        return {node.key: ranks[node.key] for node in self.nodes}

    def to_networkx(self) -> networkx.DiGraph:
        """The graph as a ``networkx.DiGraph``.

        Returns:
            Nodes by key with ``namespace``, ``label`` and ``remote``; edges with ``relation``.

        Raises:
            MissingExtraError: networkx is not installed.
        """
        return to_networkx(self)

    def to_mermaid(self) -> str:
        """The graph as the text of a Mermaid flowchart, nodes and edges in sorted order. Labels are escaped."""
        return to_mermaid(self)

    def to_frame(self) -> pd.DataFrame:
        """One row per edge, sorted.

        Returns:
            ``source_namespace``, ``source_id``, ``target_namespace``, ``target_id``, ``relation``, all str.
        """
        return to_frame(self)


def _extend_paths(
    adjacency: dict[Key, list[Key]], source: Key, target: Key, can_finish: Callable[[Key, set[Key]], bool]
) -> Iterator[tuple[Key, ...]]:
    way, rest, on_way = [source], [iter(adjacency[source])], {source}
    if source == target:
        yield (source,)
        return
    while way:
        following = next((key for key in rest[-1] if key not in on_way and can_finish(key, on_way)), None)
        if following is None:
            on_way.discard(way.pop())
            rest.pop()
        elif following == target:
            yield (*way, target)
        else:
            way.append(following)
            rest.append(iter(adjacency[following]))
            on_way.add(following)


def build_graph(state: Entries) -> DependencyGraph:
    """The graph of a state.

    A reference that leads nowhere, allowed for tools and for the model of a remote agent, gives no edge.
    """
    specs = [spec for namespace in NAMESPACES for spec in entries_of(state, namespace).values()]
    nodes = tuple(Node(spec.namespace, spec.id, _label(spec), _is_remote(spec)) for spec in specs)
    edges = {
        Edge((spec.namespace, spec.id), target, relation)
        for spec in specs
        for relation, named in references(spec)
        if (target := resolve_reference(state, named)) is not None
    }
    return DependencyGraph(nodes, tuple(edges))


def _label(spec: Spec) -> str:
    return f"{spec.id} ({spec.kind})" if isinstance(spec, ProviderSpec) else spec.id


def _is_remote(spec: Spec) -> bool:
    return isinstance(spec, AgentSpec) and spec.is_remote


def _adjacency(keys: Iterable[Key], pairs: Iterable[tuple[Key, Key]]) -> dict[Key, list[Key]]:
    adjacency: dict[Key, list[Key]] = {key: [] for key in keys}
    for source, target in pairs:
        if target not in adjacency:
            raise UnknownNodeError(*target)
        _check(adjacency, source)
        adjacency[source].append(target)
    for neighbours in adjacency.values():
        neighbours.sort()
    return adjacency


def _check(adjacency: dict[Key, list[Key]], key: Key) -> None:
    if key not in adjacency:
        raise UnknownNodeError(*key)


def _closure(adjacency: dict[Key, list[Key]], key: Key) -> tuple[Key, ...]:
    came_from: dict[Key, Key | None] = {key: None}
    return tuple(sorted(reached for reached in _breadth_first(adjacency, key, came_from) if reached != key))


def _breadth_first(adjacency: dict[Key, list[Key]], start: Key, came_from: dict[Key, Key | None]) -> Iterator[Key]:
    _check(adjacency, start)
    queue = deque([start])
    while queue:
        key = queue.popleft()
        yield key
        for neighbour in adjacency[key]:
            if neighbour not in came_from:
                came_from[neighbour] = key
                queue.append(neighbour)


def _walk_back(came_from: dict[Key, Key | None], key: Key | None) -> Iterator[Key]:
    while key is not None:
        yield key
        key = came_from[key]
