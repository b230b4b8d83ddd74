from __future__ import annotations

import pytest

from harness.registry import (
    NAMESPACES,
    AgentSpec,
    DependencyGraph,
    Edge,
    ModelPoolSpec,
    Node,
    PluginSpec,
    Registry,
    ToolSpec,
    UnknownNodeError,
)

A, B, C, D = (("agents", letter) for letter in "abcd")

pytestmark = pytest.mark.portable


@pytest.fixture
def diamond():
    """A to D through B and through C, and D back to A."""
    nodes = tuple(Node(*key, label=key[1]) for key in (D, C, B, A))
    edges = tuple(Edge(source, target, "delegate") for source, target in ((D, A), (C, D), (B, D), (A, C), (A, B)))
    return DependencyGraph(nodes, edges)


def test_nodes_and_edges_are_sorted(diamond):
    assert [node.key for node in diamond.nodes] == [A, B, C, D]
    assert [(edge.source, edge.target) for edge in diamond.edges] == [(A, B), (A, C), (B, D), (C, D), (D, A)]


def test_closures_leave_the_entry_itself_out_even_in_a_circle(diamond):
    assert diamond.dependencies(A) == (B, C, D)
    assert diamond.dependents(D) == (A, B, C)


def test_path_is_shortest_and_first_in_sorted_order(diamond):
    assert diamond.path(A, D) == (A, B, D)
    assert diamond.path(A, A) == (A,)


def test_path_is_empty_where_there_is_none():
    graph = DependencyGraph((Node("agents", "a", "a"), Node("agents", "b", "b")), ())

    assert graph.path(A, B) == ()


@pytest.mark.parametrize(
    "ask",
    [
        lambda graph: graph.dependents(("agents", "x")),
        lambda graph: graph.dependencies(("agents", "x")),
        lambda graph: graph.path(A, ("agents", "x")),
        lambda graph: graph.path(("agents", "x"), A),
        lambda graph: DependencyGraph(graph.nodes, (Edge(A, ("agents", "x"), "delegate"),)),
        lambda graph: DependencyGraph(graph.nodes, (Edge(("agents", "x"), A, "delegate"),)),
    ],
)
def test_an_unknown_node_is_refused(diamond, ask):
    with pytest.raises(UnknownNodeError, match="no node agents/x in the graph; take a key from its nodes"):
        ask(diamond)


def test_graphs_of_equal_states_are_equal(registry):
    assert registry.snapshot().graph() == registry.snapshot().graph()


def test_every_kind_of_reference_becomes_an_edge(draft):
    draft.register_plugin(PluginSpec("audit"))
    draft.register_tool(ToolSpec("ticket"))
    draft.register_model_pool(ModelPoolSpec("pool", ("m",)))
    draft.register_agent(
        AgentSpec("b", "pool", plugin_ids=("audit",), delegates=("a",), tool_ids=("ticket", "comes with the run"))
    )

    assert [(edge.source[1], edge.relation, edge.target) for edge in draft.freeze().graph().edges] == [
        ("a", "model", ("models", "m")),
        ("b", "delegate", ("agents", "a")),
        ("b", "model", ("model_pools", "pool")),
        ("b", "plugin", ("plugins", "audit")),
        ("b", "tool", ("tools", "ticket")),
        ("pool", "member", ("models", "m")),
        ("m", "provider", ("providers", "p")),
    ]


def test_edges_run_down_the_ranks_apart_from_delegation(fixtures):
    rank = {namespace: position for position, namespace in enumerate(NAMESPACES)}
    graph = Registry.from_file(fixtures / "fleet.yaml").snapshot().graph()

    assert len(graph.nodes) == 93
    for edge in graph.edges:
        assert edge.relation == "delegate" or rank[edge.source[0]] < rank[edge.target[0]]


def test_nodes_say_what_they_are(fixtures):
    graph = Registry.from_file(fixtures / "fleet.yaml").snapshot().graph()
    nodes = {node.key: node for node in graph.nodes}

    assert nodes["providers", "anthropic-eu"].label == "anthropic-eu (anthropic)"
    assert nodes["agents", "partner-support"].remote
    assert not nodes["agents", "triage"].remote
