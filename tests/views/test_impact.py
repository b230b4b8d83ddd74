from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest

from harness.registry import (
    NAMESPACES,
    DependencyGraph,
    Edge,
    ModelSpec,
    Node,
    ProviderInUseError,
    Registry,
    RemovalPolicy,
    VersionConflictError,
    VersionNotKeptError,
)
from harness.views import ImpactView, impact
from harness.views.errors import InvalidChoiceError, ReadOnlyViewError, UnknownEntryError
from harness.views.following import follow
from harness.views.removing import remove

from .pictures import FIXTURES, HOSTILE, assert_plain, assert_readable, drawn_nodes, entry

CASCADE = RemovalPolicy.CASCADE_UNUSED
SECRET = "sk-live-5f2b9c"  # a made-up key


def fleet() -> Registry:
    return Registry.from_file(FIXTURES / "fleet.yaml")


def unused() -> Registry:
    registry = Registry()
    registry.register_provider("mail", object())
    registry.register_model(ModelSpec("letter", "mail"))  # type: ignore[arg-type]
    return registry


def hostile() -> Registry:
    """Stands in for a registry that lets any id in; ours refuses these at its edges."""
    provider = Node("providers", HOSTILE[0], f"{HOSTILE[0]} (object)")
    nodes, edges = [provider], []
    for name in HOSTILE:
        model, agent = entry("models", f"{name}|"), entry("agents", f"{name}|")
        nodes += [model, agent]
        edges += [Edge(model.key, provider.key, "provider"), Edge(agent.key, model.key, "model")]
    ids = {namespace: [node.id for node in nodes if node.namespace == namespace] for namespace in NAMESPACES}
    whole = DependencyGraph(tuple(nodes), tuple(edges))
    snapshot = SimpleNamespace(version=1, graph=lambda: whole, **ids)
    return SimpleNamespace(version=1, snapshot=lambda: snapshot)  # type: ignore[return-value]


_PICTURES = {
    "fleet": lambda: impact(fleet(), "anthropic-eu"),
    "two providers": lambda: impact(fleet(), "anthropic-eu", "openai-main"),
    "plugin": lambda: impact(fleet(), "audit"),
    "catalogue": lambda: impact(Registry.from_file(FIXTURES / "model_catalogue.csv"), "bedrock", policy=CASCADE),
    "hostile": lambda: impact(hostile(), HOSTILE[0]),
    "nothing needs it": lambda: impact(fleet(), "night-cluster"),
}


@pytest.mark.parametrize("name", _PICTURES)
def test_picture_is_readable_plain_and_the_same_bytes(name: str) -> None:
    view = _PICTURES[name]()

    assert_readable(view.svg)
    assert_plain(view.svg)
    assert view.svg == _PICTURES[name]().svg
    assert len(drawn_nodes(view.svg)) <= 60


def test_text_is_one_line_with_the_counts_and_the_verdict() -> None:
    assert str(impact(fleet(), "mistral-docs")) == (
        "removal of provider mistral-docs from registry version 1: "
        "1 removed, 0 cascaded, 4 broken, 0 kept; 4 would break"
    )


def test_states_differ_by_mark_dash_and_text() -> None:
    nodes = drawn_nodes(impact(fleet(), "anthropic-eu").svg)

    states = {node.get("data-state") for node in nodes}
    assert states == {"removed", "broken", "kept"}
    for node in nodes:
        words = [text.text or "" for text in node.iter("{http://www.w3.org/2000/svg}text")]
        assert words[1].startswith(f"{node.get('data-state')}: ")


def test_apply_publishes_the_removal_and_undo_brings_it_back() -> None:
    registry = unused()
    before = registry.snapshot()
    view = impact(registry, "mail", policy=CASCADE, writable=True)

    assert view.apply() == 4
    assert len(registry.snapshot().providers) == len(registry.snapshot().models) == 0
    assert "nothing to remove" in view.text

    assert view.undo() == 5
    assert registry.snapshot().providers == before.providers
    assert registry.snapshot().models == before.models
    assert registry.snapshot().executor("mail") is before.executor("mail")


def test_view_that_is_not_writable_refuses_to_apply() -> None:
    registry = unused()

    with pytest.raises(ReadOnlyViewError, match="it only shows; make it with writable=True"):
        impact(registry, "mail", policy=CASCADE).apply()
    assert registry.version == 3


def test_refused_removal_changes_nothing() -> None:
    registry = fleet()

    with pytest.raises(ProviderInUseError):
        impact(registry, "mistral-docs", policy=CASCADE, writable=True).apply()
    assert registry.version == 1


def test_cascade_to_agents_is_applied_to_the_version_seen_and_undone() -> None:
    registry = fleet()
    before = registry.snapshot()
    view = impact(registry, "mistral-docs", "anthropic-eu", policy=RemovalPolicy.CASCADE_ALL, writable=True)
    gone = {consequence.key for consequence in view.consequences.touched if consequence.state != "kept"}

    with pytest.raises(VersionConflictError):
        remove(registry, view.consequences.targets, RemovalPolicy.CASCADE_ALL, 2)
    assert view.apply() == 2
    assert set(before.diff(registry.snapshot()).removed) == gone

    assert view.undo() == 3
    assert before.diff(registry.snapshot()).is_empty


def test_undo_is_a_rollback_that_the_history_shows() -> None:
    registry = unused()
    view = impact(registry, "mail", policy=CASCADE, writable=True)
    view.apply()
    view.undo()

    assert [(entry.version, entry.restored_from) for entry in registry.history()][-2:] == [(4, None), (5, 3)]
    with pytest.raises(ReadOnlyViewError, match="nothing was applied by it"):
        view.undo()


def test_undo_says_that_the_history_is_too_short() -> None:
    registry = Registry(unused().snapshot(), history_limit=1)
    view = impact(registry, "mail", policy=CASCADE, writable=True)
    view.apply()

    with pytest.raises(VersionNotKeptError):
        view.undo()
    assert pressed(view, action="undo").startswith("not done: ")


def test_removal_of_any_entry_is_applied_and_undone() -> None:
    registry = fleet()
    before = registry.snapshot()
    for key in (("plugins", "citations"), ("tools", "pager"), ("model_pools", "general"), ("agents", "carrier-desk")):
        view = impact(registry, key, policy=RemovalPolicy.CASCADE_ALL, writable=True)
        gone = {c.key for c in view.consequences.touched if c.state in ("removed", "cascaded")}
        view.apply()

        assert set(before.diff(registry.snapshot()).removed) == gone
        view.undo()
        assert before.diff(registry.snapshot()).is_empty


def test_who_names_another_goes_first() -> None:
    registry = unused()
    strict = RemovalPolicy.BLOCK_IF_REFERENCED
    assert impact(registry, "mail", policy=strict).consequences.is_allowed is False
    view = impact(registry, "mail", "letter", policy=strict, writable=True)

    assert view.consequences.is_allowed is True
    view.apply()
    assert (len(registry.snapshot().providers), len(registry.snapshot().models)) == (0, 0)


def test_undo_does_not_overwrite_what_came_after() -> None:
    registry = unused()
    view = impact(registry, "mail", policy=CASCADE, writable=True)
    view.apply()
    registry.register_provider("search", object())

    assert not view.can_undo
    with pytest.raises(VersionConflictError):
        view.undo()
    assert "search" in registry.snapshot().providers


def pressed(view: ImpactView, **asked: object) -> str:
    return str(view.answer(asked)["message"])


def test_page_cannot_apply_what_it_did_not_see_or_may_not() -> None:
    registry = unused()
    shown = impact(registry, "mail", policy=CASCADE)
    view = impact(registry, "mail", policy=CASCADE, writable=True)

    assert pressed(view, action="apply", version=2).startswith("not done: ")
    assert pressed(view, action="apply").startswith("not done: ")
    assert pressed(shown, action="apply", version=3).startswith("not done: apply is asked of the view, it only shows")
    assert pressed(shown, action="undo") == ""
    assert registry.version == 3
    assert pressed(view, action="apply", version=3) == "removed in version 4"
    assert pressed(view, action="undo") == "brought back in version 5"


def test_page_chooses_the_policy() -> None:
    view = impact(fleet(), "mistral-docs", writable=True)

    assert (
        view.answer({"policy": "block_if_referenced"})["verdict"] == "block_if_referenced refuses: 2 models in the way"
    )
    assert view.answer({"policy": "drop table"})["policy"] == ""


def test_view_follows_the_registry() -> None:
    registry = fleet()
    view = impact(registry, "mistral-docs")
    registry.register_provider("new", object())

    assert "from registry version 2" in view.text


def test_following_tells_of_publishes_of_other_threads_on_the_loop_and_ends_with_the_display() -> None:
    registry, seen = Registry(), []

    async def play() -> None:
        told = asyncio.Event()

        def changed() -> None:
            seen.append((registry.version, threading.get_ident()))
            told.set()

        subscription = follow(registry, changed, lambda: len(seen) < 2, rest_s=0)
        assert subscription is not None
        for provider in ("mail", "search"):
            await asyncio.to_thread(registry.register_provider, provider, object())
            await told.wait()
            told.clear()
        assert subscription.is_active
        registry.remove_provider("mail", CASCADE)
        while subscription.is_active:
            await asyncio.sleep(0)

    asyncio.run(play())

    assert seen == [(2, threading.get_ident()), (3, threading.get_ident())]


def test_of_versions_in_quick_succession_the_last_is_drawn() -> None:
    registry, seen = Registry(), []

    async def play() -> None:
        told = asyncio.Event()
        follow(registry, lambda: (seen.append(registry.version), told.set()), lambda: True, rest_s=0)
        for provider in "abc":
            registry.register_provider(provider, object())
        await told.wait()

    asyncio.run(play())

    assert seen == [4]


def test_nothing_is_followed_where_no_loop_runs() -> None:
    registry = Registry()

    assert follow(registry, lambda: None, lambda: True) is None
    assert registry.statistics().subscriptions == 0


@pytest.mark.parametrize(
    ("entries", "options", "error"),
    [
        ((), {}, InvalidChoiceError),
        (("nobody",), {}, UnknownEntryError),
    ],
)
def test_wrong_question_is_refused(entries: tuple[str, ...], options: dict, error: type[Exception]) -> None:
    with pytest.raises(error):
        impact(fleet(), *entries, **options)


def test_key_in_a_configuration_appears_nowhere(tmp_path: object) -> None:
    from harness.views import graph

    file = tmp_path / "fleet.yaml"  # type: ignore[operator]
    file.write_text(
        f"providers: [{{id: mail, kind: anthropic, config: {{api_key: {SECRET}, nested: {{token: {SECRET}}}}}}}]\n"
        "models: [{id: letter, provider_id: mail}]\n"
    )
    registry = Registry.from_file(file)
    drawn, removal = graph(registry.snapshot()), impact(registry, "mail", policy=CASCADE)
    written = [drawn.to_html(), drawn.to_csv(), drawn.to_mermaid(), drawn.to_frame().to_csv()]
    written += [removal.to_html(), removal.to_frame().to_csv(), str(removal.for_page()), repr(registry.snapshot())]
    bundles = [str(view._repr_mimebundle_()) for view in (drawn, removal, registry.snapshot())]

    assert [text for text in [*written, *bundles, drawn.svg, removal.svg] if SECRET in text] == []
    assert all("mail" in text for text in written[:-1])
