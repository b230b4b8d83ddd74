"""Which column a node stands in, before anything is known of heights.

Nodes come in bands that follow each other from left to right, such as agents before models. Inside a band the rank
is the longest path to a node without further links in the band, so that delegating agents stand left of those they
delegate to, and the others next to what they use. A cycle is cut at the node with the fewest unresolved links.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Link", "components", "ranks"]

Link = tuple[int, int]

_MOST_COLUMNS = 6  # of all bands together; but a band may have two, and what lies deeper shares the leftmost


def ranks(bands: Sequence[int], links: Sequence[Link]) -> list[int]:
    """Return the rank of each node, from 0 at the left, without gaps.

    Args:
        bands: Band of each node; lower ones stand left.
        links: Pairs of node numbers; those between bands do not matter.
    """
    inner = [(source, target) for source, target in links if bands[source] == bands[target] and source != target]
    deepest = max(2, _MOST_COLUMNS - len(set(bands)))
    places = [(band, -min(depth, deepest - 1)) for band, depth in zip(bands, _depths(len(bands), inner), strict=True)]
    number = {place: rank for rank, place in enumerate(sorted(set(places)))}
    return [number[place] for place in places]


def components(size: int, links: Sequence[Link]) -> list[list[int]]:
    """Return the connected parts, each sorted, in order of their first node."""
    neighbours: list[list[int]] = [[] for _ in range(size)]
    for source, target in links:
        neighbours[source].append(target)
        neighbours[target].append(source)
    seen = [False] * size
    parts: list[list[int]] = []
    for root in range(size):
        if seen[root]:
            continue
        seen[root] = True
        part = [root]
        for node in part:
            for neighbour in neighbours[node]:
                if not seen[neighbour]:
                    seen[neighbour] = True
                    part.append(neighbour)
        parts.append(sorted(part))
    return parts


def _depths(size: int, links: Sequence[Link]) -> list[int]:
    """Return the longest path below each node, by peeling off nodes whose targets are all done."""
    sources: list[list[int]] = [[] for _ in range(size)]
    unresolved = [0] * size
    for source, target in dict.fromkeys(links):
        sources[target].append(source)
        unresolved[source] += 1
    depth = [0] * size
    waiting = dict.fromkeys(range(size))
    ready = [node for node in range(size) if not unresolved[node]]
    while waiting:
        if not ready:
            ready.append(min(waiting, key=lambda node: (unresolved[node], node)))
        node = ready.pop()
        del waiting[node]
        for source in sources[node]:
            unresolved[source] -= 1
            if source in waiting:
                depth[source] = max(depth[source], depth[node] + 1)
                if not unresolved[source]:
                    ready.append(source)
    return depth
