from __future__ import annotations

from base64 import b64encode
from xml.etree import ElementTree

import pytest

from harness.registry import NAMESPACES, Registry
from harness.views import GraphView, graph
from harness.views.errors import InvalidArgumentError

from .pictures import (
    FIXTURES,
    HOSTILE,
    SVG,
    Source,
    assert_lines_stay_inside,
    assert_plain,
    assert_readable,
    drawn_nodes,
    entry,
    labels,
    source,
)

_MODEL = (("agents", "a"), ("models", "m"), "model")
_PROVIDER = (("models", "m"), ("providers", "p"), "provider")


def _texts(view: GraphView) -> list[str]:
    return [label.text for label in labels(view.svg)]


def _titles(view: GraphView) -> list[str]:
    return [node[0].text or "" for node in drawn_nodes(view.svg)]


def _hostile() -> Source:
    agents = [entry("agents", name, remote=position % 3 == 0) for position, name in enumerate(HOSTILE)]
    models, providers = [entry("models", name) for name in HOSTILE], [entry("providers", name) for name in HOSTILE]
    edges = [(model.key, provider.key, "provider") for model, provider in zip(models, providers, strict=True)]
    return source(
        [*agents, *models, *providers], edges + [(a.key, m.key, "model") for a, m in zip(agents, models, strict=True)]
    )


def _cyclic() -> Source:
    names = [f"agent-{number}" for number in range(12)]
    ring = [
        (("agents", one), ("agents", other), "delegate")
        for one, other in zip(names, [*names[1:], names[0]], strict=True)
    ]
    own = [(("agents", name), ("agents", name), "delegate") for name in names[:2]]
    return source([entry("agents", name) for name in names], ring + own)


def _crowded() -> Source:
    """Every namespace, 1,400 entries, many lines over many columns."""
    counts = {
        "agents": 600,
        "model_pools": 60,
        "models": 500,
        "providers": 40,
        "tools": 90,
        "plugins": 60,
        "backends": 50,
    }
    nodes = [
        entry(namespace, f"{namespace}-{number}") for namespace, count in counts.items() for number in range(count)
    ]
    relations = {"model_pools": "model", "models": "model", "tools": "tool", "plugins": "plugin", "backends": "backend"}
    edges = [
        (("agents", f"agents-{agent}"), (target, f"{target}-{agent * prime % counts[target]}"), relation)
        for agent in range(600)
        for (target, relation), prime in zip(relations.items(), (7, 11, 13, 17, 19), strict=True)
    ]
    edges += [
        (("model_pools", f"model_pools-{i % 60}"), ("models", f"models-{i * 3 % 500}"), "member") for i in range(180)
    ]
    edges += [(("models", f"models-{i}"), ("providers", f"providers-{i * i % 40}"), "provider") for i in range(500)]
    edges += [(("agents", f"agents-{i}"), ("agents", f"agents-{i * 5 % 600}"), "delegate") for i in range(200)]
    return source(nodes, sorted(set(edges)))


def _pool_of(providers: int) -> Source:
    names = [f"{number:02}" for number in range(providers)]
    edges = [(("agents", "a"), ("model_pools", "pool"), "model")]
    edges += [(("model_pools", "pool"), ("models", name), "member") for name in names]
    edges += [(("models", name), ("providers", name), "provider") for name in names]
    entries = [entry(namespace, name) for namespace in ("models", "providers") for name in names]
    return source([entry("agents", "a"), entry("model_pools", "pool"), *entries], edges)


def _fixture(name: str) -> GraphView:
    return graph(Registry.from_file(FIXTURES / name).snapshot())


_PICTURES = {
    "fleet": lambda: _fixture("fleet.yaml"),
    "catalogue": lambda: _fixture("model_catalogue.csv"),
    "hostile": lambda: graph(_hostile()),
    "cyclic": lambda: graph(_cyclic()),
    "crowded": lambda: graph(_crowded()),
    "crowded in few boxes": lambda: graph(_crowded(), max_nodes=30),
    "pool of 20 providers": lambda: graph(_pool_of(20)),
    "empty": lambda: graph(source([])),
}


@pytest.mark.parametrize("name", _PICTURES)
def test_picture_is_readable_plain_small_and_within_its_budget(name: str) -> None:
    view = _PICTURES[name]()

    assert_readable(view.svg)
    assert_plain(view.svg)
    assert_lines_stay_inside(view.svg)
    assert len(drawn_nodes(view.svg)) <= 150
    assert len(view.svg.encode()) <= 300_000


@pytest.mark.parametrize("name", _PICTURES)
def test_equal_graphs_give_equal_bytes(name: str) -> None:
    assert _PICTURES[name]() == _PICTURES[name]()


def test_mimebundle_holds_one_line_and_the_picture() -> None:
    view = graph(source([entry("providers", "p")]))

    bundle = view._repr_mimebundle_()
    image = b64encode(view.svg.encode()).decode()
    assert bundle == {
        "text/plain": str(view),
        "text/html": f'<img alt="{view}" src="data:image/svg+xml;base64,{image}">',  # shown without trust
        "image/svg+xml": view.svg,
    }
    assert "\n" not in str(view)
    assert repr(view) == str(view)


def test_text_counts_entries_and_says_that_nothing_was_collapsed() -> None:
    view = graph(source([entry("agents", "a", remote=True), entry("providers", "p")]))

    assert str(view) == "registry version 1: 1 agent (1 remote), 1 provider; nothing collapsed"


def test_text_of_the_catalogue_says_what_was_collapsed() -> None:
    assert str(_fixture("model_catalogue.csv")) == (
        "registry version 1: 4,551 models, 152 providers; "
        "collapsed to 150 boxes: 4,551 models in 75 groups, 78 providers in 1 group"
    )


def test_picture_says_what_was_collapsed() -> None:
    assert any("4,551 models in 75 groups" in text for text in _texts(_fixture("model_catalogue.csv")))


def test_fleet_is_drawn_entry_by_entry() -> None:
    snapshot = Registry.from_file(FIXTURES / "fleet.yaml").snapshot()

    assert len(drawn_nodes(graph(snapshot).svg)) == len(snapshot.graph().nodes)


def test_agent_shows_the_letter_of_its_provider() -> None:
    view = graph(source([entry("agents", "a"), entry("models", "m"), entry("providers", "p")], [_MODEL, _PROVIDER]))

    assert _texts(view).count("A") == 4  # agent, model, provider, legend


def test_agent_of_many_providers_counts_those_without_a_letter() -> None:
    assert _texts(graph(_pool_of(20))).count("+12") == 2  # agent and pool


def test_more_providers_than_letters_are_drawn_without_letters() -> None:
    assert "A" not in _texts(graph(_pool_of(27)))


def test_provider_counts_its_models_and_agents() -> None:
    view = graph(source([entry("agents", "a"), entry("models", "m"), entry("providers", "p")], [_MODEL, _PROVIDER]))

    assert "1 agent, 1 model" in [", ".join(sorted(text.split(", "))) for text in _texts(view)]


def test_remote_agent_is_dashed_and_says_so() -> None:
    view = graph(source([entry("agents", "far", remote=True)]))

    (node,) = drawn_nodes(view.svg)
    assert node.find(f"{SVG}rect[@stroke-dasharray]") is not None
    assert [text.text for text in node.iter(f"{SVG}text")] == ["far", "remote"]


def test_full_name_of_a_cut_label_is_in_its_title() -> None:
    view = graph(source([entry("tools", "w" * 480)]))

    assert _titles(view) == ["tool " + "w" * 480]
    assert max(len(text) for text in _texts(view)) < 200


def test_lines_between_groups_carry_their_counts() -> None:
    models = [entry("models", f"m{number}") for number in range(200)]
    view = graph(source([*models, entry("providers", "p")], [(m.key, ("providers", "p"), "provider") for m in models]))

    assert "×200" in _texts(view)  # noqa: RUF001  # a count of times


def test_every_namespace_has_a_legend_entry_and_a_shape_of_its_own() -> None:
    view = graph(source([entry(namespace, "x") for namespace in NAMESPACES]))

    shapes = {ElementTree.tostring(node[1]).split(b"stroke-width")[0] for node in drawn_nodes(view.svg)}
    assert len(shapes) == len(NAMESPACES)
    assert {"agent", "model pool", "backend"} <= set(_texts(view))


def test_mutual_delegation_has_a_head_at_both_ends() -> None:
    pair = [(("agents", "a"), ("agents", "b"), "delegate"), (("agents", "b"), ("agents", "a"), "delegate")]
    one = graph(source([entry("agents", "a"), entry("agents", "b")], pair[:1]))
    both = graph(source([entry("agents", "a"), entry("agents", "b")], pair))

    assert both.svg.count("<polygon") == one.svg.count("<polygon") + 1


def test_budget_below_the_number_of_namespaces_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"max_nodes=6 is below 7; pass 7 or more"):
        graph(source([]), max_nodes=6)
