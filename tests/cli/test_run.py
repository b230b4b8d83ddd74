from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from harness import pitfalls
from harness.cli.exit_code import ExitCode
from harness.cli.program_path import load_program
from harness.cli.run import CatalogueReport, Options, run_catalogue, select_pitfalls, try_pitfalls
from harness.pitfalls import Pitfall

from .conftest import Finished

Harness = Callable[..., Finished]
Form = Callable[[], None]


@pytest.fixture
def counter_pitfall(workplace: Path) -> Callable[..., Pitfall]:
    """Make a pitfall of two functions of counter.py."""

    def make(broken: str = "lost_update", mended: str = "locked_update") -> Pitfall:
        forms = (
            cast("Form", load_program(f"counter.py::{broken}")),
            cast("Form", getattr(sys.modules["counter"], mended)),
        )
        return Pitfall(
            id="counter",
            title="a count is lost",
            origin="made up",
            family="lost update",
            broken=forms[0],
            mended=forms[1],
            program=forms[0],
            replaced=forms,
            instrument=(),
            lesson="Take a lock.",
        )

    return make


def tried(*pitfalls: Pitfall, shown: list[str] | None = None, seed: int = 0) -> CatalogueReport:
    show: Callable[[str], None] = (shown if shown is not None else []).append
    return try_pitfalls(pitfalls, Options(seed=seed, max_schedules=50, native_runs=5), show)


def test_catalogue_holds_when_broken_is_found_and_mended_is_not(counter_pitfall: Callable[..., Pitfall]) -> None:
    report = tried(counter_pitfall())

    assert report.exit_code is ExitCode.HOLDS
    assert report.summary() == "1 of 1 broken forms found, 1 of 1 mended forms hold; seed 0"


def test_broken_form_not_found_is_the_contrary(counter_pitfall: Callable[..., Pitfall]) -> None:
    report = tried(counter_pitfall(broken="locked_update"))

    assert report.exit_code is ExitCode.FAILED
    assert report.summary() == "0 of 1 broken forms found, 1 of 1 mended forms hold; seed 0"


def test_mended_form_that_fails_is_the_contrary(counter_pitfall: Callable[..., Pitfall]) -> None:
    assert tried(counter_pitfall(mended="lost_update")).exit_code is ExitCode.FAILED


def test_form_that_escapes_is_undecided(counter_pitfall: Callable[..., Pitfall], workplace: Path) -> None:
    with (workplace / "counter.py").open("a") as file:
        file.write("\n\ndef escape():\n    import subprocess\n    subprocess.run(['true'])\n")

    assert tried(counter_pitfall(mended="escape")).exit_code is ExitCode.UNDECIDED


def test_progress_names_pitfall_and_phase(counter_pitfall: Callable[..., Pitfall]) -> None:
    shown: list[str] = []

    tried(counter_pitfall(), shown=shown)

    assert shown == [
        "1 of 1: counter, exploring the broken form",
        "1 of 1: counter, exploring the mended form",
        "1 of 1: counter, running the broken form natively",
    ]


def test_pitfalls_tried_side_by_side_are_as_each_by_itself() -> None:
    def stable(*chosen: Pitfall) -> list[dict[str, object]]:
        return [{**report.to_json(), "native": None} for report in tried(*chosen).reports]

    chosen = [pitfalls.get(pitfall_id) for pitfall_id in ("nested-update", "lost-update", "lock-across-await")]

    assert stable(*chosen) == [found for pitfall in chosen for found in stable(pitfall)]


def test_progress_of_several_counts_those_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    shown: list[str] = []

    tried(pitfalls.get("nested-update"), pitfalls.get("lost-update"), shown=shown)

    assert shown == ["0 of 2 tried, in 2 processes", "1 of 2 tried: nested-update", "2 of 2 tried: lost-update"]


def test_json_is_equal_for_equal_seeds_but_for_native_and_speed(counter_pitfall: Callable[..., Pitfall]) -> None:
    def stable(report: CatalogueReport) -> object:
        found = json.loads(json.dumps(report.to_json()))
        found["schedules_per_s"] = None
        for pitfall in found["pitfalls"]:
            pitfall["native"]["failures"] = None
        return found

    assert stable(tried(counter_pitfall(), seed=4)) == stable(tried(counter_pitfall(), seed=4))


def test_json_has_the_documented_fields(harness: Harness) -> None:
    finished = harness("run", "lazy-init", "--max-schedules", "20", "--seed", "3", "--json")
    report = json.loads(finished.out)
    (pitfall,) = report["pitfalls"]

    assert finished.code == 0
    assert set(report) == {"pitfalls", "seed", "schedules_per_s"}
    assert set(pitfall) == {"pitfall", "broken", "mended", "native"}
    assert set(pitfall["broken"]) == {"verdict", "schedules", "preemptions", "token", "reachable_under_gil"}
    assert pitfall["broken"]["verdict"] == "FAILED"
    assert pitfall["broken"]["reachable_under_gil"] is None
    assert pitfall["mended"] == {"verdict": "PASSED", "schedules": 20}
    assert set(pitfall["native"]) == {"runs", "failures"}
    assert (pitfall["native"]["runs"], report["seed"]) == (1_000, 3)


@pytest.fixture
def only_counter(counter_pitfall: Callable[..., Pitfall], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the catalogue hold one pitfall, of a rather long name."""
    pitfall = dataclasses.replace(counter_pitfall(), id="counter-without-lock")
    monkeypatch.setattr(pitfalls, "all", lambda: (pitfall,))


@pytest.mark.usefixtures("only_counter")
@pytest.mark.parametrize("width", [80, 120, 200])
def test_table_fits_width_and_ids_and_tokens_are_whole(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))

    run_catalogue([], Options(native_runs=5), as_json=False)

    lines = capsys.readouterr().out.splitlines()
    table = lines[: lines.index("")]
    command = next(line for line in lines if line.startswith("harness replay "))
    assert max(map(len, table)) <= width
    assert any(line.startswith("counter-without-lock  FAILED") for line in table)
    assert harness(*command.split()[1:]).code == 1


@pytest.mark.usefixtures("only_counter")
def test_run_ends_with_one_line_of_summary(capsys: pytest.CaptureFixture[str]) -> None:
    code = run_catalogue([], Options(max_schedules=20, native_runs=5), as_json=False)

    printed = capsys.readouterr()
    assert code is ExitCode.HOLDS
    assert printed.out.splitlines()[-1] == "1 of 1 broken forms found, 1 of 1 mended forms hold; seed 0"
    assert "exploring the broken form" in printed.err


def test_pitfall_named_twice_is_tried_once() -> None:
    assert [pitfall.id for pitfall in select_pitfalls(["lazy-init", "lost-update", "lazy-init"])] == [
        "lazy-init",
        "lost-update",
    ]


def test_unknown_pitfall_is_refused_before_anything_runs(harness: Harness) -> None:
    finished = harness("run", "lazy-init", "lasy-init")

    assert (finished.code, finished.out) == (2, "")
    assert finished.err.startswith("harness: no pitfall 'lasy-init' ")
    assert finished.err.endswith("near: 'lazy-init'\n")
