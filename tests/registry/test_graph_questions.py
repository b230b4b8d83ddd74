"""Ranks, circles, all paths, and the graph in other tools' forms; checked against networkx where it has an answer."""

from __future__ import annotations

import random
import sys
from itertools import pairwise

import pytest

from harness.registry import DependencyGraph, Edge, MissingExtraError, Node, ProviderSpec, Registry, UnknownNodeError


def key(number):
    return ("agents", f"a{number:02}")


def graph_of(count, pairs):
    nodes = tuple(Node(*key(number), label=f"a{number:02}") for number in range(count))
    return DependencyGraph(nodes, tuple({Edge(key(one), key(other), "delegate") for one, other in pairs}))


def random_graphs():
    generator = random.Random(7)
    for _ in range(60):
        count = generator.randint(1, 7)
        pairs = [(generator.randrange(count), generator.randrange(count)) for _ in range(generator.randint(0, 12))]
        yield graph_of(count, pairs)


@pytest.fixture
def fleet(fixtures):
    return Registry.from_file(fixtures / "fleet.yaml").snapshot().graph()


def test_all_paths_are_those_of_brute_force():
    networkx = pytest.importorskip("networkx")
    for graph in random_graphs():
        other = graph.to_networkx()
        for source in other:
            for target in other:
                wanted = (
                    {(source,)}
                    if source == target
                    else {tuple(path) for path in networkx.all_simple_paths(other, source, target)}
                )
                found = graph.paths(source, target)

                assert list(found) == sorted(wanted)


def test_closures_and_circles_are_those_of_networkx():
    networkx = pytest.importorskip("networkx")
    for graph in random_graphs():
        other = graph.to_networkx()
        for node in other:
            assert set(graph.dependencies(node)) == networkx.descendants(other, node)
            assert set(graph.dependents(node)) == networkx.ancestors(other, node)
        circular = {
            frozenset(members)
            for members in networkx.strongly_connected_components(other)
            if len(members) > 1 or other.has_edge(*[*members] * 2)
        }

        assert len(graph.cycles()) == len(circular)
        for circle in graph.cycles():
            assert circle[0] == circle[-1] == min(next(members for members in circular if circle[0] in members))
            assert all(other.has_edge(one, two) for one, two in pairwise(circle))


def test_ranks_rise_along_every_edge_outside_of_circles(fleet):
    for graph in [*random_graphs(), fleet]:
        ranks = graph.ranks()
        circular = {node for members in _components(graph) if len(members) > 1 for node in members}

        assert list(ranks) == [node.key for node in graph.nodes]
        for edge in graph.edges:
            if edge.source == edge.target or {edge.source, edge.target} <= circular:
                assert ranks[edge.source] >= ranks[edge.target]
            else:
                assert ranks[edge.source] > ranks[edge.target]


def _components(graph):
    from harness.registry.circles import strong_components

    return strong_components(graph._dependencies, graph._dependencies.__getitem__)


def test_paths_are_bounded_where_there_are_too_many():
    # A ladder of 40 rungs has 2**40 paths.
    pairs = [(2 * n + i, 2 * n + 2 + j) for n in range(40) for i in (0, 1) for j in (0, 1)]
    graph = graph_of(82, pairs)

    assert len(graph.paths(key(0), key(80), max_paths=50)) == 50


def test_a_circle_does_not_make_the_search_endless():
    # All 16 nodes reach each other; only the last one leads to the end.
    pairs = [(one, other) for one in range(16) for other in range(16) if one != other]
    graph = graph_of(17, [*pairs, (15, 16)])

    assert len(graph.paths(key(0), key(16), max_paths=20)) == 20


def test_no_path_and_unknown_ends(fleet):
    assert fleet.paths(("providers", "openai-main"), ("agents", "triage")) == ()
    with pytest.raises(UnknownNodeError):
        fleet.paths(("agents", "nobody"), ("agents", "triage"))
    with pytest.raises(UnknownNodeError):
        fleet.paths(("agents", "triage"), ("agents", "nobody"))


def test_the_fleet_has_its_one_circle(fleet):
    (circle,) = fleet.cycles()

    assert [entry_id for _, entry_id in circle] == ["billing", "refunds", "support-lead", "triage", "billing"]


def test_networkx_gets_nodes_and_edges_with_what_they_are(fleet):
    pytest.importorskip("networkx")
    graph = fleet.to_networkx()

    assert graph.nodes["agents", "carrier-desk"] == {"namespace": "agents", "label": "carrier-desk", "remote": True}
    assert graph.edges[("agents", "triage"), ("models", "fast")] == {"relation": "model"}
    assert (len(graph), graph.size()) == (len(fleet.nodes), len(fleet.edges))


def test_without_networkx_the_extra_is_named(fleet, monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)

    with pytest.raises(MissingExtraError, match=r"wants networkx, it is not installed; install harness\[lab\]"):
        fleet.to_networkx()


def test_mermaid_text_is_escaped_and_the_same_every_time():
    registry = Registry()
    registry.update(lambda draft: draft.register_provider_spec(ProviderSpec('a "b" #c', "k&k", {"api_key": "s3"})))

    text = registry.snapshot().graph().to_mermaid()

    assert text == ('flowchart LR\n  n0["providers: a #quot;b#quot; #35;c (k#amp;k)"]\n')


def test_mermaid_has_a_line_per_node_and_edge(fleet):
    lines = fleet.to_mermaid().splitlines()

    assert len(lines) == 1 + len(fleet.nodes) + len(fleet.edges)
    assert sum("-->|delegate|" in line for line in lines) == sum(edge.relation == "delegate" for edge in fleet.edges)


def test_frame_has_a_row_per_edge(fleet):
    frame = fleet.to_frame()

    assert list(frame.columns) == ["source_namespace", "source_id", "target_namespace", "target_id", "relation"]
    assert len(frame) == len(fleet.edges)
    assert list(graph_of(1, []).to_frame().columns) == list(frame.columns)
