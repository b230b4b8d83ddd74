"""Where boxes and lines lie: columns from left to right, names of entries as text in rows.

Rank (``ranking``), order (``ordering``), then heights: every slot wants the mean height of its neighbours, and the
least-squares heights that keep order and distance come from pooling adjacent violators. Lines bend only in the gutters
between columns and cross a column in a lane of their own, so that no line runs through a label.

Columns that would grow too tall are broken: unconnected parts go side by side in strips, and what is still too tall is
dealt out to several columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, isqrt
from typing import final

from harness.views.ordering import Grid, grid
from harness.views.ranking import Link, components, ranks

__all__ = ["Arrangement", "Cell", "Column", "Place", "arrange"]

Point = tuple[float, float]

_TALLEST = 45  # rows of a column before it is broken
_BROKEN = 30  # least number of rows aimed at in a broken one
_MOST_STRIPS = 4
_GUTTER, _STRIP_GUTTER = 46.0, 32.0
_WIDENED = 24.0  # added to a gutter at most, where many lines meet
_ROW_GAP, _LANE_HEIGHT = 6.0, 2.0
_ARC = 40.0  # room for the arcs beside the leftmost column
_ROUNDS = 10
_LARGE, _LARGE_ROUNDS = 800, 2  # slots beyond which nobody sees a line's slope, and time counts


@final
@dataclass(frozen=True, slots=True)
class Cell:
    """A box to place. Immutable.

    Attributes:
        band: Lower bands stand left.
        width: Least width in pixels; boxes of one column are drawn equally wide.
        height: In pixels.
    """

    band: int
    width: float
    height: float


@final
@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell lies: left edge, top edge and width. Immutable."""

    x: float
    y: float
    width: float


@final
@dataclass(frozen=True, slots=True)
class Column:
    """One column or, with several side by side, all columns of a band in one strip: band and horizontal extent."""

    band: int
    x: float
    width: float


@final
@dataclass(frozen=True, slots=True)
class Arrangement:
    """The finished layout, with its upper left corner at (0, 0). Immutable.

    Attributes:
        places: One per cell.
        routes: One per link, points from source to target: first to second is a curve through a gutter, second to third
            a straight line, and so on in turn. Two points with equal ``x`` ask for an arc to the left.
        columns: Bands with their extents, from left to right.
        width: In pixels.
        height: In pixels.
    """

    places: tuple[Place, ...]
    routes: tuple[tuple[Point, ...], ...]
    columns: tuple[Column, ...]
    width: float
    height: float


def arrange(cells: Sequence[Cell], links: Sequence[Link]) -> Arrangement:
    """Return places for ``cells`` and routes for ``links``, which are pairs of cell numbers. Deterministic.

    Earlier cells stand higher where nothing else decides.
    """
    rank = ranks([cell.band for cell in cells], links)
    places: dict[int, Place] = {}
    routes: dict[int, tuple[Point, ...]] = {}
    columns: list[Column] = []
    x = height = 0.0
    for nodes in _strips(rank, links):
        strip = _Strip(cells, rank, nodes, links, x)
        places |= strip.places
        routes |= strip.routes
        columns += strip.columns
        height = max(height, strip.height)
        x = strip.end + _STRIP_GUTTER
    return Arrangement(
        tuple(places[node] for node in range(len(cells))),
        tuple(routes[link] for link in range(len(links))),
        tuple(columns),
        max(x - _STRIP_GUTTER, 0.0),
        height,
    )


def _strips(rank: list[int], links: Sequence[Link]) -> Iterator[list[int]]:
    """Yield the nodes of each strip: whole components, shared out evenly if one column would be too tall."""
    parts = components(len(rank), links)
    rows = [_tallest(rank, part) for part in parts]
    everything = list(range(len(rank)))
    most = sum(rows)
    if _tallest(rank, everything) > _TALLEST:
        most = ceil(most / min(_MOST_STRIPS, ceil(most / _BROKEN)))
    strip: list[int] = []
    filled = 0
    for part, height in zip(parts, rows, strict=True):
        if strip and filled + height > most:
            yield sorted(strip)
            strip, filled = [], 0
        strip += part
        filled += height
    if strip:
        yield sorted(strip)


def _tallest(rank: list[int], nodes: list[int]) -> int:
    rows: dict[int, int] = {}
    for node in nodes:
        rows[rank[node]] = rows.get(rank[node], 0) + 1
    return max(rows.values(), default=0)


class _Strip:
    """Layout of one strip; nodes are renumbered from 0 inside. Confined."""

    def __init__(
        self, cells: Sequence[Cell], rank: list[int], nodes: list[int], links: Sequence[Link], x: float
    ) -> None:
        number = {node: position for position, node in enumerate(nodes)}
        inner = {
            link: (number[source], number[target]) for link, (source, target) in enumerate(links) if source in number
        }
        self._cells = [cells[node] for node in nodes]
        self._grid = _grid([rank[node] for node in nodes], list(inner.values()))
        heights = _heights(self._grid, self._cells)
        self.height = max(*heights, *(heights[slot] + cell.height / 2 for slot, cell in enumerate(self._cells)))
        first = self._grid.columns[0]
        has_arcs = any(source in first and target in first for source, target in inner.values())
        extents = list(self._extents(x + _ARC * has_arcs))
        self.end = extents[-1][0] + extents[-1][1]
        column_of = {slot: extents[c] for c, column in enumerate(self._grid.columns) for slot in column}
        self.places = {
            node: Place(column_of[slot][0], heights[slot] - cells[node].height / 2, column_of[slot][1])
            for slot, node in enumerate(nodes)
        }
        self.columns = list(self._bands(extents))
        self.routes = {
            link: _route(chain, ends, column_of, heights)
            for (link, ends), chain in zip(inner.items(), self._grid.chains, strict=True)
        }

    def _extents(self, x: float) -> Iterator[Point]:
        for column in self._grid.columns:
            width = max((self._cells[slot].width for slot in column if slot < len(self._cells)), default=0.0)
            yield x, width
            lines = sum(len(self._grid.right[slot]) for slot in column)
            x += width + _GUTTER + min(lines / 3, _WIDENED)

    def _bands(self, extents: list[Point]) -> Iterator[Column]:
        band_of = [self._cells[min(column)].band for column in self._grid.columns]
        for band in dict.fromkeys(band_of):
            mine = [extent for extent, other in zip(extents, band_of, strict=True) if other == band]
            yield Column(band, mine[0][0], mine[-1][0] + mine[-1][1] - mine[0][0])


def _grid(rank: list[int], links: list[Link]) -> Grid:
    """Order the columns; deal out those that are too tall and order again."""
    columns = [[node for node, r in enumerate(rank) if r == wanted] for wanted in sorted(set(rank))]
    made = grid(columns, links)
    if max(map(len, columns)) <= _TALLEST:
        return made
    aimed_at = max(_BROKEN, 2 * isqrt(len(rank)))  # very many nodes make a square rather than a strip
    dealt: list[list[int]] = []
    for column in made.columns:
        nodes = [slot for slot in column if slot < len(rank)]
        parts = ceil(len(nodes) / aimed_at) if len(nodes) > _TALLEST else 1
        dealt += [nodes[part::parts] for part in range(parts)]
    return grid(dealt, links)


def _heights(made: Grid, cells: list[Cell]) -> list[float]:
    """Return the height of each slot's middle, the highest box touching 0."""
    half = [cell.height / 2 + _ROW_GAP / 2 for cell in cells]
    half += [_LANE_HEIGHT / 2 + _ROW_GAP / 2] * (len(made.left) - len(cells))
    height = [0.0] * len(half)
    stacks = [(column, _stacked(column, half)) for column in made.columns]
    for column, below in stacks:
        middle = (below[-1] + half[column[-1]]) / 2
        for slot, y in zip(column, below, strict=True):
            height[slot] = y - middle
    for round_ in range(_ROUNDS if len(half) <= _LARGE else _LARGE_ROUNDS):
        for column, below in stacks if round_ % 2 else reversed(stacks):
            _settle(column, below, made, height)
    top = min((height[slot] - cell.height / 2 for slot, cell in enumerate(cells)), default=0.0)
    top = min([top, *height[len(cells) :]])
    return [y - top for y in height]


def _stacked(column: list[int], half: list[float]) -> list[float]:
    """Return how far below the top of the column each slot's middle lies if they stand close together."""
    below: list[float] = []
    y = 0.0
    for slot in column:
        y += half[slot]
        below.append(y)
        y += half[slot]
    return below


def _settle(column: list[int], below: list[float], made: Grid, height: list[float]) -> None:
    """Move the slots of a column as near to their neighbours as order and distance allow."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, place in the column of the first slot, from the top
    for place, slot in enumerate(column):
        left, right = made.left[slot], made.right[slot]
        degree = len(left) + len(right)
        first, weight = place, float(degree) or 0.1
        if len(left) == len(right) == 1:  # nearly all lanes
            mean = (height[left[0]] + height[right[0]]) / 2
        elif degree:
            mean = sum([height[other] for other in right], sum([height[other] for other in left])) / degree
        else:
            mean = height[slot]
        mean -= below[place]
        while pools and pools[-1][0] > mean:
            above, more, first = pools.pop()
            mean = (above * more + mean * weight) / (more + weight)
            weight += more
        pools.append((mean, weight, first))
    pools.append((0.0, 0.0, len(column)))
    for (mean, _, first), (_, _, end) in pairwise(pools):
        for place in range(first, end):
            height[column[place]] = mean + below[place]


def _route(chain: list[int], ends: Link, column_of: dict[int, Point], heights: list[float]) -> tuple[Point, ...]:
    if column_of[chain[0]] == column_of[chain[-1]]:
        x = column_of[chain[0]][0]
        apart = 4.0 if ends[0] == ends[1] else 0.0
        return ((x, heights[ends[0]] - apart), (x, heights[ends[1]] + apart))
    points: list[Point] = []
    for slot in chain:
        x, width = column_of[slot]
        points += [(x, heights[slot]), (x + width, heights[slot])]
    points = points[1:-1]
    return tuple(points if ends[0] == chain[0] else reversed(points))
