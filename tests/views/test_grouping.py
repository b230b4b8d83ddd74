from __future__ import annotations

from collections import Counter

import pytest

from harness.views.grouping import Picture, collapse, count_of

from .pictures import Source, entry, source


def _catalogue(providers: dict[str, int]) -> Source:
    models = [(f"{p}/gpt-{i}", p) for p, count in providers.items() for i in range(count)]
    return source(
        [entry("providers", p) for p in providers] + [entry("models", m) for m, _ in models],
        [(("models", m), ("providers", p), "provider") for m, p in models],
    )


def _dense(agents: int, tools: int) -> Source:
    return source(
        [entry("agents", f"a{i}") for i in range(agents)] + [entry("tools", f"t{i}") for i in range(tools)],
        [
            (("agents", f"a{i}"), ("tools", f"t{j}"), "tool")
            for i in range(agents)
            for j in range(tools)
            if (i * j) % 3 != 1
        ],
    )


def _members(picture: Picture) -> Counter[str]:
    return Counter(node.namespace for box in picture.boxes for node in box.members)


def test_graph_within_the_budget_is_not_collapsed() -> None:
    picture = collapse(_catalogue({"x": 10, "y": 3}).graph(), 15)

    assert picture.notes == ()
    assert not any(box.is_group for box in picture.boxes)


def test_unused_models_become_one_box_per_provider() -> None:
    picture = collapse(_catalogue({"x": 10, "y": 3}).graph(), 10)

    assert [box.label for box in picture.boxes] == ["10 models: gpt", "3 models: gpt", "x", "y"]
    assert picture.notes == ("13 models in 2 groups",)


def test_model_in_use_keeps_its_box_while_there_is_room() -> None:
    catalogue = _catalogue({"x": 10, "y": 10}).graph()
    used = source(
        [*catalogue.nodes, entry("agents", "a")],
        [(e.source, e.target, e.relation) for e in catalogue.edges]
        + [(("agents", "a"), ("models", "x/gpt-3"), "model")],
    )

    picture = collapse(used.graph(), 10)

    assert "x/gpt-3" in [box.label for box in picture.boxes]


def test_bundle_counts_its_edges() -> None:
    picture = collapse(_catalogue({"x": 10, "y": 3}).graph(), 10)

    assert [bundle.count for bundle in picture.bundles] == [10, 3]


def test_smallest_providers_are_merged_with_their_models() -> None:
    picture = collapse(_catalogue({f"p{size:02}": size for size in range(1, 31)}).graph(), 20)

    assert picture.boxes[-1].label == "21 further providers"
    assert "231 further models" in [box.label for box in picture.boxes]
    assert len(picture.bundles) == 10


def test_agents_with_equal_needs_become_one_box() -> None:
    agents = [entry("agents", f"reader-{i}") for i in range(30)]
    picture = collapse(
        source([*agents, entry("tools", "t")], [(agent.key, ("tools", "t"), "tool") for agent in agents]).graph(), 7
    )

    assert [box.label for box in picture.boxes] == ["30 agents: reader", "t"]


@pytest.mark.parametrize("budget", [7, 20, 149, 150, 1000])
def test_budget_holds_and_no_entry_or_edge_is_lost(budget: int) -> None:
    graph = _catalogue({f"p{number}": number * 37 % 50 for number in range(150)}).graph()
    picture = collapse(graph, budget)

    assert len(picture.boxes) <= budget
    assert _members(picture) == Counter(node.namespace for node in graph.nodes)
    assert sum(bundle.count for bundle in picture.bundles) == len(graph.edges)


def test_graph_of_very_many_edges_is_collapsed_to_four_per_box() -> None:
    picture = collapse(_dense(70, 70).graph(), 150)

    assert len(picture.bundles) <= 600
    assert sum(bundle.count for bundle in picture.bundles) == len(_dense(70, 70).graph().edges)


@pytest.mark.parametrize(("count", "words"), [(1, "1 model pool"), (2, "2 model pools"), (4551, "4,551 model pools")])
def test_counts_are_written_out(count: int, words: str) -> None:
    assert count_of(count, "model_pools") == words
