"""Order of what stands in each column, by barycentre sweeps.

A link over several columns runs through a *lane* in each column it passes. Links to one target share their lanes: a
hundred links to one box are one line where they pass another column, and what enters a lane has only one place to go.

Reference: Sugiyama, Tagawa, Toda, 1981. Lanes are its dummy nodes, shared by target.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from harness.views.ranking import Link

__all__ = ["Grid", "grid"]

_SWEEPS = 8  # there and back
_LARGE, _LARGE_SWEEPS = 800, 1  # slots beyond which nobody follows single lines, and time counts


@final
@dataclass(frozen=True, slots=True)
class Grid:
    """Ordered columns of slots. Immutable.

    Attributes:
        columns: Slots from top to bottom, per column from left to right. Slots below ``size`` are nodes, others lanes.
        left: For each slot its neighbours in the column to the left.
        right: For each slot its neighbours in the column to the right.
        chains: For each link its slots from left to right; the source and the target alone if they share a column.
    """

    columns: list[list[int]]
    left: list[list[int]]
    right: list[list[int]]
    chains: list[list[int]]


def grid(columns: Sequence[Sequence[int]], links: Sequence[Link]) -> Grid:
    """Return the columns with lanes added and sorted so that few lines cross. Deterministic.

    Args:
        columns: The node numbers of each column; together ``0`` to ``n - 1``.
        links: Source and target of each link.
    """
    made = _with_lanes(columns, links)
    tried: list[tuple[int, int, list[list[int]]]] = []
    slots = sum(map(len, made.columns))
    for sweep in range(_SWEEPS if slots <= _LARGE else _LARGE_SWEEPS):
        _sweep(made, to_right=True)
        _sweep(made, to_right=False)
        tried.append((_crossings(made), sweep, [list(column) for column in made.columns]))
    return Grid(min(tried)[2], made.left, made.right, made.chains)


def _with_lanes(columns: Sequence[Sequence[int]], links: Sequence[Link]) -> Grid:
    filled = [list(column) for column in columns]
    column_of = {node: number for number, column in enumerate(columns) for node in column}
    lanes: dict[tuple[int, int], int] = {}
    chains: list[list[int]] = []
    for source, target in links:
        start, end = sorted((source, target), key=lambda node: column_of[node])
        chain = [start]
        for column in range(column_of[start] + 1, column_of[end]):
            if (column, target) not in lanes:
                lanes[column, target] = len(column_of) + len(lanes)
                filled[column].append(lanes[column, target])
            chain.append(lanes[column, target])
        chains.append([*chain, end])
    left, right = _neighbours(len(column_of) + len(lanes), chains, column_of)
    return Grid(filled, left, right, chains)


def _neighbours(
    size: int, chains: list[list[int]], column_of: dict[int, int]
) -> tuple[list[list[int]], list[list[int]]]:
    left: list[list[int]] = [[] for _ in range(size)]
    right: list[list[int]] = [[] for _ in range(size)]
    steps = dict.fromkeys(
        step for chain in chains if column_of[chain[0]] != column_of[chain[-1]] for step in pairwise(chain)
    )
    for before, after in steps:
        right[before].append(after)
        left[after].append(before)
    return left, right


def _sweep(made: Grid, *, to_right: bool) -> None:
    """Sort each column by the mean place of its neighbours on one side; the lonely keep their place, relatively."""
    neighbours = made.left if to_right else made.right
    place: dict[int, float] = {}
    for column in made.columns if to_right else reversed(made.columns):
        wanted = {
            slot: _mean([place[other] for other in neighbours[slot]], (position + 0.5) / len(column))
            for position, slot in enumerate(column)
        }
        column.sort(key=lambda slot: (not (made.left[slot] or made.right[slot]), wanted[slot]))
        place |= {slot: (position + 0.5) / len(column) for position, slot in enumerate(column)}


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(made: Grid) -> int:
    total = 0
    for before, after in pairwise(made.columns):
        place = {slot: position for position, slot in enumerate(after)}
        ends: list[int] = []
        for slot in before:
            reached = sorted(place[other] for other in made.right[slot])
            total += sum(len(ends) - bisect(ends, end) for end in reached)
            for end in reached:
                insort(ends, end)
    return total
