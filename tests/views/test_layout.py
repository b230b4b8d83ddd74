from __future__ import annotations

from itertools import combinations

import pytest

from harness.views.layout import Arrangement, Cell, Place, arrange
from harness.views.ranking import Link

_HEIGHT = 22.0


def _arrange(bands: list[int], links: list[Link]) -> Arrangement:
    return arrange([Cell(band, 100, _HEIGHT) for band in bands], links)


def _overlap(one: Place, other: Place) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not (beside or one.y + _HEIGHT <= other.y or other.y + _HEIGHT <= one.y)


def _mesh(agents: int, models: int) -> tuple[list[int], list[Link]]:
    links = [(agent, agents + agent * 7 % models) for agent in range(agents)]
    return [1] * agents + [3] * models, links + [(agent, agents) for agent in range(0, agents, 9)]


@pytest.mark.parametrize(("agents", "models"), [(5, 2), (40, 25), (120, 9), (200, 60)])
def test_no_two_boxes_overlap(agents: int, models: int) -> None:
    places = _arrange(*_mesh(agents, models)).places

    assert not [pair for pair in combinations(places, 2) if _overlap(*pair)]


@pytest.mark.parametrize(("agents", "models"), [(40, 25), (120, 9)])
def test_straight_part_of_a_line_meets_no_box(agents: int, models: int) -> None:
    arranged = _arrange(*_mesh(agents, models))
    straight = [
        (min(start[0], end[0]), max(start[0], end[0]), start[1])
        for route in arranged.routes
        for start, end in zip(route[1::2], route[2::2], strict=False)
    ]

    for left, right, y in straight:
        assert not [p for p in arranged.places if p.y < y < p.y + _HEIGHT and p.x < right and left < p.x + p.width]


def test_route_runs_from_source_to_target() -> None:
    arranged = _arrange([1, 3], [(0, 1)])

    (source, target), (start, end) = arranged.places, arranged.routes[0]
    assert start == (source.x + source.width, source.y + _HEIGHT / 2)
    assert end == (target.x, target.y + _HEIGHT / 2)


def test_dependency_of_a_lower_band_stands_left() -> None:
    arranged = _arrange([1, 0], [(0, 1)])

    assert arranged.places[1].x < arranged.places[0].x
    assert arranged.routes[0][0][0] > arranged.routes[0][-1][0]


def test_tall_column_is_dealt_out_to_several() -> None:
    arranged = _arrange([1] * 140 + [3], [(agent, 140) for agent in range(140)])

    assert len({place.x for place in arranged.places[:140]}) == 5
    assert arranged.height < 35 * (_HEIGHT + 8)


def test_unconnected_parts_go_side_by_side_when_the_column_is_tall() -> None:
    pairs = 75
    arranged = _arrange([3] * pairs + [4] * pairs, [(pair, pairs + pair) for pair in range(pairs)])

    assert [column.band for column in arranged.columns] == [3, 4] * 3
    assert arranged.height < arranged.width


def test_pairs_stand_level() -> None:
    arranged = _arrange([3, 3, 4, 4], [(0, 3), (1, 2)])

    assert arranged.places[0].y == arranged.places[3].y
    assert arranged.places[1].y == arranged.places[2].y


def test_link_to_itself_is_an_arc_beside_its_box() -> None:
    (start, end) = _arrange([1], [(0, 0)]).routes[0]

    assert start[0] == end[0]
    assert start[1] != end[1]


def test_nothing_takes_no_room() -> None:
    arranged = _arrange([], [])

    assert (arranged.width, arranged.height, arranged.columns) == (0, 0, ())
