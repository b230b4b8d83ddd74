"""Order of what stands in each column, by barycentre sweeps.

A link over several columns runs through a *lane* in each column it passes. Links to one target share their lanes: a
hundred links to one box are one line where they pass another column, and what enters a lane has only one place to go.

Reference: Sugiyama, Tagawa, Toda, 1981. Lanes are its dummy nodes, shared by target.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from harness.views.ranking import Link

__all__ = ["Grid", "grid"]

_SWEEPS = 8  # there and back
_LARGE = 800  # slots beyond which nobody follows single lines, and time counts: one sweep
_LONELY = 10.0  # added to the place of slots without neighbours, which stand below the others


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
    if sum(map(len, made.columns)) > _LARGE:
        _sweep_there_and_back(made)
        return made
    tried: list[tuple[int, int, list[list[int]]]] = []
    for sweep in range(_SWEEPS):
        _sweep_there_and_back(made)
        tried.append((_crossings(made), sweep, [list(column) for column in made.columns]))
    return Grid(min(tried)[2], made.left, made.right, made.chains)


def _with_lanes(columns: Sequence[Sequence[int]], links: Sequence[Link]) -> Grid:
    filled = [list(column) for column in columns]
    column_of = [0] * sum(map(len, filled))
    for number, column in enumerate(filled):
        for node in column:
            column_of[node] = number
    lanes: dict[tuple[int, int], int] = {}
    chains: list[list[int]] = []
    steps: dict[Link, None] = {}
    for source, target in links:
        start, end = (source, target) if column_of[source] <= column_of[target] else (target, source)
        chain = [start]
        for between in range(column_of[start] + 1, column_of[end]):
            lane = lanes.get((between, target))
            if lane is None:
                lane = lanes[between, target] = len(column_of) + len(lanes)
                filled[between].append(lane)
            chain.append(lane)
        chain.append(end)
        chains.append(chain)
        if column_of[start] != column_of[end]:
            steps.update(dict.fromkeys(pairwise(chain)))
    left, right = _neighbours(len(column_of) + len(lanes), steps)
    return Grid(filled, left, right, chains)


def _neighbours(size: int, steps: Iterable[Link]) -> tuple[list[list[int]], list[list[int]]]:
    left: list[list[int]] = [[] for _ in range(size)]
    right: list[list[int]] = [[] for _ in range(size)]
    for before, after in steps:
        right[before].append(after)
        left[after].append(before)
    return left, right


def _sweep_there_and_back(made: Grid) -> None:
    _sweep(made, made.columns, made.left)
    _sweep(made, reversed(made.columns), made.right)


def _sweep(made: Grid, columns: Iterable[list[int]], neighbours: list[list[int]]) -> None:
    """Sort each column by the mean place of its neighbours on one side; the lonely keep their place, relatively."""
    place = [0.0] * len(made.left)
    for column in columns:
        size = len(column)
        wanted: dict[int, float] = {}
        for position, slot in enumerate(column):
            around = neighbours[slot]
            if len(around) == 1:
                wanted[slot] = place[around[0]]
            elif around:
                wanted[slot] = sum([place[other] for other in around]) / len(around)
            else:
                is_lonely = not (made.left[slot] or made.right[slot])
                wanted[slot] = (position + 0.5) / size + _LONELY * is_lonely
        column.sort(key=wanted.__getitem__)
        for position, slot in enumerate(column):
            place[slot] = (position + 0.5) / size


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
