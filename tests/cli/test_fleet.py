from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli.errors import WrongUseError
from harness.cli.fleet import write_whole

from .conftest import ROOT, Finished

Harness = Callable[..., Finished]


def test_graph_prints_counts_and_one_line_per_entry(harness: Harness) -> None:
    lines = harness("graph", "fleet.yaml").out.splitlines()

    assert lines[0].startswith("registry version 1: 40 agents (5 remote), ")
    assert "models/fast → provider anthropic-eu" in lines
    assert "providers/anthropic-eu" in lines


def test_graph_writes_picture_and_says_so_on_standard_error(harness: Harness, workplace: Path) -> None:
    finished = harness("graph", "fleet.yaml", "-o", "fleet.svg")

    assert (finished.code, finished.out) == (0, "")
    assert finished.err.startswith("fleet.svg: registry version 1: ")
    assert (workplace / "fleet.svg").read_text().startswith("<svg")
    assert sorted(path.name for path in workplace.iterdir()) == ["counter.py", "fleet.svg", "fleet.yaml"]


def test_graph_overwrites_only_with_force(harness: Harness, workplace: Path) -> None:
    picture = workplace / "fleet.svg"
    picture.write_text("mine")

    refused = harness("graph", "fleet.yaml", "-o", "fleet.svg")

    assert refused.code == 2
    assert refused.err == "harness: 'fleet.svg' is to be written, it exists; pass --force to overwrite it\n"
    assert picture.read_text() == "mine"
    assert harness("graph", "fleet.yaml", "-o", "fleet.svg", "--force").code == 0
    assert picture.read_text() != "mine"


def test_write_that_fails_leaves_nothing(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)

    with pytest.raises(WrongUseError) as caught:
        write_whole(workplace / "fleet.svg", "<svg/>")
    assert str(caught.value).endswith("is to be written, got No space left on device; check the directory")
    assert sorted(path.name for path in workplace.iterdir()) == ["counter.py", "fleet.yaml"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("fleet.png", "'fleet.png' does not end in .svg, .html, .mmd or .csv; name one that does"),
        ("nowhere/fleet.svg", "'nowhere/fleet.svg' is to be written, got No such file or directory"),
        ("pictures.svg", "a file is wanted, 'pictures.svg' is a directory; name pictures.svg/FILE.svg"),
    ],
)
def test_wrong_target_is_refused(harness: Harness, workplace: Path, target: str, message: str) -> None:
    (workplace / "pictures.svg").mkdir()

    finished = harness("graph", "fleet.yaml", "-o", target, "--force")

    assert (finished.code, finished.out) == (2, "")
    assert message in finished.err


@pytest.mark.parametrize(
    "name",
    ["unknown_key.yaml", "duplicate_id.yaml", "dangling_reference.yaml", "wrong_extension.toml", "missing.yaml", "."],
)
def test_wrong_fleet_is_one_line_and_writes_nothing(harness: Harness, workplace: Path, name: str) -> None:
    fleet = ROOT / "fixtures/invalid" / name

    finished = harness("graph", str(fleet), "-o", "fleet.svg")

    assert (finished.code, finished.out) == (2, "")
    assert finished.err.startswith(f"harness: {fleet}")
    assert finished.err.count("\n") == 1
    assert not (workplace / "fleet.svg").exists()


def test_impact_shows_policies_and_paths(harness: Harness) -> None:
    rows = [line.rstrip() for line in harness("impact", "fleet.yaml", "mistral-docs").out.splitlines()]
    row = "agents/invoice-reader    yes             agent invoice-reader → model scan → provider mistral-docs"

    assert rows[0] == "removal of provider mistral-docs from registry version 1"
    assert "block_if_referenced no nothing models/scan, models/translate" in [" ".join(row.split()) for row in rows]
    assert row in rows


def test_impact_json_has_policies_and_paths(harness: Harness) -> None:
    report = json.loads(harness("impact", "fleet.yaml", "mistral-docs", "--json").out)

    assert (report["provider"], report["version"]) == ("mistral-docs", 1)
    assert [policy["policy"] for policy in report["policies"]] == [
        "block_if_referenced",
        "cascade_unused",
        "cascade_all",
    ]
    assert report["policies"][0]["blocked_by"][0] == {"namespace": "models", "id": "scan"}
    assert report["affected"][0] == {
        "namespace": "agents",
        "id": "invoice-reader",
        "counted": True,
        "path": [
            {"namespace": "agents", "id": "invoice-reader"},
            {"namespace": "models", "id": "scan"},
            {"namespace": "providers", "id": "mistral-docs"},
        ],
    }


def test_impact_of_unused_provider_says_so(harness: Harness, workplace: Path) -> None:
    (workplace / "one.yaml").write_text("providers: [{id: mail, kind: anthropic}]\n")

    finished = harness("impact", "one.yaml", "mail")

    assert finished.out.endswith("nothing needs it\n")
    assert "providers/mail" in finished.out


def test_unknown_provider_is_wrong_use_with_near_match(harness: Harness) -> None:
    finished = harness("impact", "fleet.yaml", "mistral-doc")

    assert (finished.code, finished.out) == (2, "")
    assert finished.err == "harness: no provider 'mistral-doc' in version 1; near: 'mistral-docs'\n"


@pytest.mark.parametrize(
    ("name", "start"),
    [("x.html", "<!DOCTYPE html>"), ("x.mmd", "flowchart LR"), ("x.csv", "source_namespace,"), ("x.svg", "<svg")],
)
def test_graph_writes_the_kind_of_file_that_its_ending_says(
    harness: Harness, workplace: Path, name: str, start: str
) -> None:
    finished = harness("graph", "fleet.yaml", "--focus", "triage", "--up", "1", "-o", name)

    assert finished.code == 0, finished.err
    assert "around agent triage (1 up, 3 down)" in finished.err
    assert (workplace / name).read_text(encoding="utf-8").startswith(start)


def test_graph_of_an_unknown_focus_is_wrong_use_and_writes_nothing(harness: Harness, workplace: Path) -> None:
    finished = harness("graph", "fleet.yaml", "--focus", "triag", "-o", "x.svg")

    assert (finished.code, finished.err) == (
        2,
        "harness: no entry 'triag' in version 1; near: 'triage', 'test-triage'\n",
    )
    assert not (workplace / "x.svg").exists()


def test_graph_lists_what_is_around_the_focus(harness: Harness) -> None:
    lines = harness("graph", "fleet.yaml", "--focus", "mistral-docs").out.splitlines()

    assert lines[1:] == [
        "agents/invoice-reader → model scan",
        "agents/reply-translator → model translate",
        "models/scan → provider mistral-docs",
        "models/translate → provider mistral-docs",
        "providers/mistral-docs",
    ]


@pytest.mark.parametrize(("name", "start"), [("x.html", "<!DOCTYPE html>"), ("x.csv", "state,"), ("x.svg", "<svg")])
def test_impact_draws_the_picture_of_the_view(harness: Harness, workplace: Path, name: str, start: str) -> None:
    finished = harness("impact", "fleet.yaml", "mistral-docs", "--policy", "block-if-referenced", "-o", name)

    assert (finished.code, finished.out) == (0, ""), finished.err
    assert "block_if_referenced refuses: 2 models in the way" in finished.err
    assert (workplace / name).read_text(encoding="utf-8").startswith(start)


def test_dark_picture_has_a_dark_ground(harness: Harness, workplace: Path) -> None:
    assert harness("impact", "fleet.yaml", "mistral-docs", "-o", "x.svg", "--dark").code == 0

    assert 'fill="#1b1f24"' in (workplace / "x.svg").read_text(encoding="utf-8")


def test_unknown_policy_is_wrong_use(harness: Harness) -> None:
    finished = harness("impact", "fleet.yaml", "mistral-docs", "--policy", "force")

    assert finished.code == 2
    assert finished.err.startswith("harness: a policy is wanted, got 'force'; pass one of block_if_referenced, ")
