"""Circles in a directed graph: who can get back to where it started.

Reference: Tarjan, "Depth-first search and linear graph algorithms", 1972; without recursion, because chains of
delegates may be longer than the stack.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

__all__ = ["find_circle", "strong_components"]

N = TypeVar("N")

Successors = Callable[[N], Iterable[N]]


def strong_components(starts: Iterable[N], successors: Successors[N]) -> Iterator[tuple[N, ...]]:
    """The sets of nodes that reach each other, of all that the starts reach. Each node is in exactly one."""
    number: dict[N, int] = {}  # in the order met
    lowest: dict[N, int] = {}  # smallest number reached within the open component
    open_nodes: dict[N, None] = {}  # a stack with membership test
    for start in starts:
        if start in number:
            continue
        number[start] = lowest[start] = len(number)
        open_nodes[start] = None
        path = [(start, iter(successors(start)))]
        while path:
            node, rest = path[-1]
            for successor in rest:
                if successor not in number:
                    number[successor] = lowest[successor] = len(number)
                    open_nodes[successor] = None
                    path.append((successor, iter(successors(successor))))
                    break
                if successor in open_nodes:
                    lowest[node] = min(lowest[node], number[successor])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
                if lowest[node] == number[node]:
                    yield _close(open_nodes, node)


def find_circle(start: N, successors: Successors[N]) -> tuple[N, ...]:
    """A shortest way from a node back to itself over another one, both ends included; empty if there is none."""
    came_from: dict[N, N] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for successor in successors(node):
            if successor == start and node != start:
                return _walk_back(came_from, start, node)
            if successor not in came_from and successor != start:
                came_from[successor] = node
                queue.append(successor)
    return ()


def _walk_back(came_from: dict[N, N], start: N, node: N) -> tuple[N, ...]:
    way = [start, node]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))


def _close(open_nodes: dict[N, None], root: N) -> tuple[N, ...]:
    members = []
    while True:
        node, _ = open_nodes.popitem()
        members.append(node)
        if node == root:
            return tuple(members)
