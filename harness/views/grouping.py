"""Collapse of a graph to a number of boxes that a picture can hold.

Nothing is collapsed while everything fits. Then, until it fits: models that nobody uses become one box per provider;
all models do; entries with the same neighbours become one box; at last the smaller boxes of each namespace become one
(``78 further providers``). A graph with very many edges is collapsed further, for a picture of more than four lines per
box cannot be followed. No entry and no edge is lost: boxes know their members, bundles the number of their edges.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, final

from harness.registry import NAMESPACES, DependencyGraph, Node

__all__ = ["Box", "Bundle", "Picture", "collapse", "count_of"]

_Key: TypeAlias = tuple[str, str]  # address of an entry
_Name: TypeAlias = tuple[str, ...]  # name of a box; entries with equal names share it
_Naming: TypeAlias = dict[_Key, _Name]

_EDGES_PER_BOX = 4
_FURTHER = "further"


@final
@dataclass(frozen=True, slots=True)
class Box:
    """What is drawn as one node. Immutable.

    Attributes:
        namespace: Namespace of all its members.
        label: Text to show: the entry's label, or what the group is and how many it holds.
        members: The entries, sorted; one unless it is a group.
    """

    namespace: str
    label: str
    members: tuple[Node, ...]

    @property
    def is_group(self) -> bool:
        """Whether it stands for several entries."""
        return len(self.members) > 1

    @property
    def is_remote(self) -> bool:
        """Whether every member runs elsewhere."""
        return all(node.remote for node in self.members)


@final
@dataclass(frozen=True, slots=True)
class Bundle:
    """All edges of one relation between two boxes. Immutable.

    Attributes:
        source: Number of the dependent box.
        target: Number of the box it needs.
        relation: As in the graph.
        count: How many edges it stands for.
    """

    source: int
    target: int
    relation: str
    count: int


@final
@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes and bundles, ready for layout. Immutable.

    Attributes:
        boxes: By namespace; within one, groups by size, largest first, then by id.
        bundles: Sorted by source, target, relation.
        notes: What was collapsed, one phrase per namespace; empty when every entry has a box of its own.
    """

    boxes: tuple[Box, ...]
    bundles: tuple[Bundle, ...]
    notes: tuple[str, ...]


def collapse(
    graph: DependencyGraph,
    max_nodes: int,
    *,
    keep: frozenset[_Key] = frozenset(),
    kinds: Mapping[_Key, str] | None = None,
) -> Picture:
    """Return the graph in few boxes.

    Args:
        graph: What to collapse.
        max_nodes: Most boxes, no less than the number of namespaces in use (times the kinds in use).
        keep: Entries that stay boxes of their own. More than two thirds of ``max_nodes`` cannot, and then none does.
        kinds: Entries of different kinds never share a box.
    """
    kept: _Naming = {key: (*key, "") for key in keep} if len(keep) <= max_nodes * 2 // 3 else {}
    naming: _Naming = _apart({node.key: (*node.key, "") for node in graph.nodes}, kept, kinds)
    for stage in (_unused_models, _models, _alike):
        if _fits(graph, naming, max_nodes):
            break
        naming = _apart(stage(graph, naming), kept, kinds)
    most = max_nodes
    while most and not _fits(graph, naming, max_nodes):
        naming = _apart(_merge_smallest(graph, naming, most), kept, kinds)
        most = most * 3 // 4
    return _picture(graph, naming)


def _apart(naming: _Naming, kept: _Naming, kinds: Mapping[_Key, str] | None) -> _Naming:
    """Return names under which the kept stand alone and each box holds one kind."""
    if kinds is not None:
        naming = {key: (*name[:3], kinds.get(key, "")) for key, name in naming.items()}
    return naming | kept if kept else naming


def count_of(count: int, namespace: str) -> str:
    """Return such as ``1 model pool`` or ``1,204 models``."""
    word = namespace.replace("_", " ")
    return f"{count:,} {word.removesuffix('s') if count == 1 else word}"


def _fits(graph: DependencyGraph, naming: _Naming, max_nodes: int) -> bool:
    boxes = len(set(naming.values()))
    if boxes > max_nodes:
        return False
    bundles = {(naming[edge.source], naming[edge.target]) for edge in graph.edges}
    in_use = len({node.namespace for node in graph.nodes})
    return len(bundles) <= max_nodes * _EDGES_PER_BOX or boxes == in_use


def _unused_models(graph: DependencyGraph, naming: _Naming) -> _Naming:
    used = {edge.target for edge in graph.edges}
    return _by_provider(graph, naming, lambda key: key not in used)


def _models(graph: DependencyGraph, naming: _Naming) -> _Naming:
    return _by_provider(graph, naming, lambda _: True)


def _by_provider(graph: DependencyGraph, naming: _Naming, concerns: Callable[[_Key], bool]) -> _Naming:
    changed = {
        edge.source: ("models", edge.target[1], "of provider")
        for edge in graph.edges
        if edge.source[0] == "models" and edge.target[0] == "providers" and concerns(edge.source)
    }
    return naming | changed


def _alike(graph: DependencyGraph, naming: _Naming) -> _Naming:
    """Name entries that stand alone by their neighbours; each such box is called after its first entry."""
    around: dict[_Key, set[tuple[str, _Name]]] = {node.key: set() for node in graph.nodes}
    for edge in graph.edges:
        around[edge.source].add((edge.relation, naming[edge.target]))
        around[edge.target].add(("", naming[edge.source]))
    first: dict[tuple[str, bool, frozenset[tuple[str, _Name]]], _Name] = {}
    result = dict(naming)
    for node in graph.nodes:
        if node.namespace != "providers" and naming[node.key][2] == "":
            kind = (node.namespace, node.remote, frozenset(around[node.key]))
            result[node.key] = first.setdefault(kind, (*node.key, "alike"))
    return result


def _merge_smallest(graph: DependencyGraph, naming: _Naming, most: int) -> _Naming:
    """Merge the smallest boxes of the namespaces that hold more than their share of ``most``."""
    weight: Counter[_Name] = Counter(naming.values())
    weight.update(naming[edge.target] for edge in graph.edges)
    # What models name does not count, so that a provider and the group of its models weigh nearly the same.
    weight.update(naming[edge.source] for edge in graph.edges if edge.source[0] != "models")
    names: dict[str, list[_Name]] = {}
    for name in sorted(weight, key=lambda name: (name[2] == _FURTHER, -weight[name], name)):
        names.setdefault(name[0], []).append(name)
    share = _share([len(listed) for listed in names.values()], most)
    further = {
        name: (namespace, "", _FURTHER)
        for namespace, listed in names.items()
        if len(listed) > share
        for name in listed[share - 1 :]
    }
    return {key: further.get(name, name) for key, name in naming.items()}


def _share(sizes: list[int], most: int) -> int:
    """Return the largest share, at least 1, such that the sizes cut to it sum to at most ``most``."""
    fitting = (share for share in range(max(sizes), 1, -1) if sum(min(size, share) for size in sizes) <= most)
    return next(fitting, 1)


def _picture(graph: DependencyGraph, naming: _Naming) -> Picture:
    members: dict[_Name, list[Node]] = {}
    for node in graph.nodes:
        members.setdefault(naming[node.key], []).append(node)
    names = sorted(members, key=lambda name: _position(name, len(members[name])))
    number = {name: position for position, name in enumerate(names)}
    edges = Counter((number[naming[edge.source]], number[naming[edge.target]], edge.relation) for edge in graph.edges)
    boxes = tuple(Box(name[0], _label(name, members[name]), tuple(members[name])) for name in names)
    bundles = tuple(Bundle(*ends, edges[ends]) for ends in sorted(edges))
    return Picture(boxes, bundles, tuple(_notes(boxes)))


def _position(name: _Name, size: int) -> tuple[int, bool, int, _Name]:
    return (NAMESPACES.index(name[0]), name[2] == _FURTHER, -size, name)


def _label(name: _Name, members: list[Node]) -> str:
    if len(members) == 1:
        return members[0].label
    count = count_of(len(members), name[0])
    if name[2] == _FURTHER:
        return count.replace(" ", " further ", 1)
    families = Counter(_family(node.id) for node in members)
    common = [family for family, found in families.most_common(2) if len(family) > 1 and found > 1]
    shown = ", ".join(common) + "…" * (len(families) > len(common))
    return f"{count}: {shown}" if common else count


def _family(entry: str) -> str:
    """Return the word an id begins with, leaving out path parts such as the provider's name."""
    return re.split(r"[\W\d_]", entry.rpartition("/")[2], maxsplit=1)[0]


def _notes(boxes: tuple[Box, ...]) -> Iterator[str]:
    groups: Mapping[str, list[Box]] = {
        namespace: [box for box in boxes if box.namespace == namespace and box.is_group] for namespace in NAMESPACES
    }
    for namespace, listed in groups.items():
        if listed:
            entries = sum(len(box.members) for box in listed)
            yield f"{count_of(entries, namespace)} in {len(listed)} group{'s' * (len(listed) > 1)}"
