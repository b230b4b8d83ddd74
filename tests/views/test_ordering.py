from __future__ import annotations

import random

from harness.views.ordering import grid


def test_crossed_links_are_uncrossed() -> None:
    made = grid([[0, 1], [2, 3]], [(0, 3), (1, 2)])

    left, right = made.columns
    assert [right.index(3), right.index(2)] == [left.index(0), left.index(1)]


def test_links_to_one_target_share_a_lane() -> None:
    made = grid([[0, 1], [2], [3]], [(0, 3), (1, 3)])

    assert made.chains == [[0, 4, 3], [1, 4, 3]]
    assert sorted(made.columns[1]) == [2, 4]


def test_links_to_two_targets_have_two_lanes() -> None:
    made = grid([[0], [1], [2, 3]], [(0, 2), (0, 3)])

    assert [chain[1] for chain in made.chains] == [4, 5]


def test_leftward_link_shares_the_lane_of_its_target() -> None:
    made = grid([[0], [1], [2, 3]], [(2, 0), (3, 0)])

    assert made.chains == [[0, 4, 2], [0, 4, 3]]


def test_link_inside_a_column_needs_no_lane() -> None:
    made = grid([[0, 1]], [(1, 0)])

    assert made.chains == [[1, 0]]
    assert made.left == made.right == [[], []]


def test_node_without_links_stands_last() -> None:
    made = grid([[0, 1], [2]], [(1, 2)])

    assert made.columns[0] == [1, 0]


def test_sweeps_leave_few_crossings_in_a_shuffled_ladder() -> None:
    order = random.Random(4).sample(range(30), 30)
    made = grid([list(range(30)), [30 + place for place in order]], [(node, 30 + node) for node in range(30)])

    assert [node + 30 for node in made.columns[0]] == made.columns[1]
