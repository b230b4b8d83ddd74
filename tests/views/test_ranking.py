from __future__ import annotations

from harness.views.ranking import components, ranks


def test_bands_follow_each_other() -> None:
    assert ranks([4, 0, 2], []) == [2, 0, 1]


def test_node_stands_left_of_what_it_links_to_in_its_band() -> None:
    assert ranks([1, 1, 2], [(0, 1), (1, 2)]) == [0, 1, 2]


def test_node_without_links_in_its_band_stands_at_its_right_end() -> None:
    assert ranks([1, 1, 1], [(0, 1)]) == [0, 1, 1]


def test_cycle_is_cut_and_each_node_ranked_once() -> None:
    assert ranks([1, 1, 1], [(0, 1), (1, 2), (2, 0)]) == [2, 0, 1]


def test_link_to_itself_does_not_matter() -> None:
    assert ranks([1], [(0, 0)]) == [0]


def test_deep_chain_shares_the_leftmost_column() -> None:
    chain = ranks([1] * 3000, [(node, node + 1) for node in range(2999)])

    assert chain == [0] * 2996 + [1, 2, 3, 4]


def test_deep_chain_among_many_bands_takes_two_columns() -> None:
    chain = ranks([1, 1, 1, 0, 2, 3, 4], [(0, 1), (1, 2)])

    assert chain == [1, 1, 2, 0, 3, 4, 5]


def test_components_come_in_order_of_their_first_node() -> None:
    assert components(5, [(3, 1), (0, 4)]) == [[0, 4], [1, 3], [2]]
