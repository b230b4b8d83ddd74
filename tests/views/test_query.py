from __future__ import annotations

import pytest

from harness.registry import Registry
from harness.views import graph
from harness.views.errors import (
    AmbiguousEntryError,
    InvalidArgumentError,
    InvalidChoiceError,
    UnknownEntryError,
)
from harness.views.facts import facts_of

from .pictures import FIXTURES, entry, source

FLEET = Registry.from_file(FIXTURES / "fleet.yaml").snapshot()


def ids(**asked: object) -> list[str]:
    return [node.id for node in graph(FLEET, **asked)._answer.selection.graph.nodes]  # type: ignore[arg-type]


def test_focus_draws_who_needs_it_and_what_it_needs() -> None:
    assert ids(focus="mistral-docs") == ["invoice-reader", "reply-translator", "scan", "translate", "mistral-docs"]


@pytest.mark.parametrize(("up", "count"), [(0, 1), (1, 3), (2, 5), (None, 5)])
def test_depth_up_bounds_those_who_need_it(up: int | None, count: int) -> None:
    assert len(ids(focus="mistral-docs", up=up)) == count


def test_depth_down_follows_what_it_needs() -> None:
    assert sorted(ids(focus="meeting-notes", up=0, down=1)) == ["calendar", "gpt-tiny", "meeting-notes", "redact"]


def test_several_entries_can_be_in_focus() -> None:
    assert ids(focus=["scan", ("models", "translate")], up=0, down=1) == ["scan", "translate", "mistral-docs"]


def test_path_draws_every_way_between_two_entries() -> None:
    view = graph(FLEET, focus="anthropic-eu", path_to="product-advice")

    assert view._answer.selection.path == (
        ("agents", "product-advice"),
        ("model_pools", "general"),
        ("models", "careful"),
        ("providers", "anthropic-eu"),
    )
    assert "path of 3 references between provider anthropic-eu and agent product-advice" in view.text


def test_missing_path_is_said() -> None:
    assert "no path between model scan and model fast" in graph(FLEET, focus="scan", path_to="fast").text


def test_hidden_namespaces_leave_the_picture() -> None:
    view = graph(FLEET, hidden=["tools", "plugins", "backends"])

    assert view.text == (
        "registry version 1: without tools, plugins, backends: "
        "40 agents (5 remote), 1 model pool, 25 models, 8 providers; nothing collapsed"
    )


def test_status_and_tag_choose_entries() -> None:
    assert ids(status="to be retired", up=0, down=0) == ["search-lite"]
    assert ids(tag="ocr", up=0, down=0) == ["scan"]
    assert len(ids(status="remote", up=0, down=0)) == 5


def test_focus_is_kept_out_of_groups() -> None:
    models = [entry("models", f"m{number:03}") for number in range(200)]
    edges = [(model.key, ("providers", "p"), "provider") for model in models]

    view = graph(source([*models, entry("providers", "p")], edges), focus="m100", max_nodes=20, down=1)
    whole = graph(source([*models, entry("providers", "p")], edges), focus=["m100", "p"], max_nodes=20)

    assert view._answer.boxes == ((100,), (200,))
    assert len(whole._answer.boxes) == 3
    assert "collapsed to 3 boxes: 199 models in 1 group" in whole.text


def test_facts_read_no_settings_of_a_provider() -> None:
    class Snooping:
        """Stands for a registry whose providers must not be asked for their settings."""

    assert facts_of(FLEET.graph(), Snooping())["providers", "anthropic-eu"].tag == ""
    assert facts_of(FLEET.graph(), FLEET)["providers", "anthropic-eu"].tag == "anthropic"


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"focus": "mistral-doc"}, UnknownEntryError, "no entry 'mistral-doc' in version 1; near: 'mistral-docs'"),
        (
            {"focus": ("models", "mistral-docs")},
            UnknownEntryError,
            "no entry 'mistral-docs' in models of version 1; nothing is near",
        ),
        (
            {"status": "dead"},
            InvalidChoiceError,
            "status='dead' is not known; pass one of 'used', 'unused', 'remote', 'to be retired'",
        ),
        (
            {"path_to": "scan"},
            InvalidChoiceError,
            "focus='' is not known; pass one of 'the entry where the path begins'",
        ),
        ({"up": -1}, InvalidArgumentError, "up=-1 is below 0; pass 0 or more"),
    ],
)
def test_wrong_question_is_refused(asked: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        graph(FLEET, **asked)

    assert str(caught.value) == message


def test_id_of_two_namespaces_must_be_named_with_one() -> None:
    twice = source([entry("agents", "x"), entry("models", "x")])

    with pytest.raises(AmbiguousEntryError, match=r"stands in agents and models; name it as \('agents', 'x'\)"):
        graph(twice, focus="x")
    assert graph(twice, focus=("models", "x"))._answer.boxes == ((1,),)


def test_what_a_page_asks_is_checked() -> None:
    explorer = graph(FLEET)._explorer
    query = graph(FLEET, focus="triage", path_to="scan", up=None, hidden=["tools"], tag="ocr", status="used").query

    assert explorer.read_query(explorer.write_query(query)) == query
    assert explorer.read_query({"focus": [10**9, "x", True], "path": -1, "hidden": None, "status": 3}).focus == ()
