"""Dependency graph of a registry: who needs whom.

Edges run from the dependent to its dependency, so removing a node hurts its ``dependents``. The graph is a plain
value made from a snapshot by ``snapshot.graph()``; views draw it and never ask the registry again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import final

from harness.registry.entries import Entries, entries_of, resolve_reference
from harness.registry.errors import UnknownNodeError
from harness.registry.keys import NAMESPACES, Key
from harness.registry.references import references
from harness.registry.specs import AgentSpec, ProviderSpec, Spec

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
