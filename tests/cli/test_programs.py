from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Finished

Harness = Callable[..., Finished]


def explored(harness: Harness, *words: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(harness("explore", *words, "--json").out)
    return result


def token_of(harness: Harness, place: str = "counter.py::lost_update") -> str:
    token: str = explored(harness, place)["failure"]["token"]
    return token


def test_explore_finds_lost_update(harness: Harness) -> None:
    finished = harness("explore", "counter.py::lost_update")

    assert finished.code == 1
    assert finished.out.startswith("lost_update: FAILED, AssertionError at schedule ")
    assert "\nfailed: AssertionError: expected 2, counted 1, at counter.py:26 in count_twice\n" in finished.out
    assert "\nFix (lock): " in finished.out


def test_explore_prints_output_of_failing_execution(harness: Harness) -> None:
    assert "--- stdout ---\ncounted to 1\n" in harness("explore", "counter.py::lost_update").out


def test_printed_replay_command_replays(harness: Harness) -> None:
    last = harness("explore", "counter.py::lost_update").out.splitlines()[-1]
    command = shlex.split(last.removeprefix("replay: "))

    finished = harness(*command[1:])

    assert command[0] == "harness"
    assert finished.code == 1
    assert finished.out.startswith("lost_update: AssertionError in task 'MainThread', expected 2, counted 1; ")


def test_explore_of_locked_update_holds(harness: Harness) -> None:
    finished = harness("explore", "counter.py::locked_update", "--max-schedules", "50")

    assert (finished.code, finished.err) == (0, "")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert finished.out == (
        "locked_update: PROVED, no failure in 32 schedules; strategy auto, seed 0; "
        "2 traces, 2 shared locations (Counter.n, Lock); "
        f"assuming sequential consistency, this source on Python {version}, any waiter may get a released lock\n"
    )


def test_explore_json_stands_alone_on_standard_output(harness: Harness, workplace: Path) -> None:
    (workplace / "loud.py").write_text("print('loading')\ndef program(): print('running')\n")

    finished = harness("explore", "loud.py::program", "--max-schedules", "3", "--seed", "7", "--json")

    assert json.loads(finished.out) == {
        "program": "program",
        "verdict": "PASSED",
        "schedules": 3,
        "seed": 7,
        "strategy": "auto",
        "found_by": None,
        "failure": None,
        "claim": "",
        "races": [],
        "limits": [],
    }


def test_explore_names_the_step_of_a_program_that_does_not_repeat_itself(harness: Harness, workplace: Path) -> None:
    (workplace / "adrift.py").write_text(
        "import sys\n"
        "table = {}\n"
        "def program():\n"
        "    sys.harness_adrift = getattr(sys, 'harness_adrift', 0) + 1\n"
        "    table[sys.harness_adrift] = 1\n"
    )

    plain = harness("explore", "adrift.py::program", "--max-schedules", "3")
    checked = harness("explore", "adrift.py::program", "--max-schedules", "3", "--check-determinism")

    assert plain.code == 0
    assert checked.code == 3
    assert checked.out.startswith("program: UNCONTROLLED after ")
    assert "differs when its schedule is run again: write dict#1[" in checked.out
    assert "adrift.py:5; likely a global left over" in checked.out


def test_explore_of_a_program_that_repeats_itself_says_the_same_when_checked(harness: Harness) -> None:
    words = ("explore", "counter.py::locked_update", "--max-schedules", "20")

    assert harness(*words, "--check-determinism").out == harness(*words).out


def test_explore_json_describes_failure(harness: Harness) -> None:
    failure = explored(harness, "counter.py::lost_update")["failure"]

    assert set(failure) == {"kind", "error", "token", "preemptions", "reachable_under_gil", "explanation"}
    assert failure["reachable_under_gil"] is False
    assert (failure["kind"], failure["error"]) == ("error", "AssertionError: expected 2, counted 1")


def test_equal_seeds_give_equal_output(harness: Harness) -> None:
    words = ("explore", "counter.py::lost_update", "--seed", "5")

    assert harness(*words).out == harness(*words).out


def test_instrument_option_reaches_another_module(harness: Harness, workplace: Path) -> None:
    (workplace / "shared.py").write_text("class Box:\n    n = 0\n    def add(self): self.n += 1\n")
    (workplace / "user.py").write_text(
        "import threading, shared\n"
        "def program():\n"
        "    box = shared.Box()\n"
        "    threads = [threading.Thread(target=box.add) for _ in range(2)]\n"
        "    for thread in threads: thread.start()\n"
        "    for thread in threads: thread.join()\n"
        "    assert box.n == 2\n"
    )

    assert harness("explore", "user.py::program", "--max-schedules", "50").code == 0
    assert harness("explore", "user.py::program", "--max-schedules", "50", "--instrument", "shared").code == 1


def test_program_that_escapes_is_undecided(harness: Harness, workplace: Path) -> None:
    (workplace / "escape.py").write_text("import subprocess\ndef program(): subprocess.run(['true'])\n")

    finished = harness("explore", "escape.py::program")

    assert finished.code == 3
    assert "UNCONTROLLED" in finished.out
    assert "escape.py:2" in finished.out


def test_interrupt_prints_partial_result_and_exits_with_130(harness: Harness, workplace: Path) -> None:
    (workplace / "interrupted.py").write_text(
        "import pathlib, signal\n"
        "def program():\n"
        "    if not pathlib.Path('sent').exists():\n"
        "        pathlib.Path('sent').touch()\n"
        "        signal.getsignal(signal.SIGINT)(signal.SIGINT, None)\n"  # as Ctrl-C does
    )

    finished = harness("explore", "interrupted.py::program")

    assert finished.code == 130
    assert "limit: interrupted after 1 of 1000 schedules" in finished.out
    assert finished.err == "harness: interrupted\n"


def test_test_file_of_pytest_can_be_explored(harness: Harness, workplace: Path) -> None:
    (workplace / "test_counter.py").write_text(
        "import pytest\nfrom counter import lost_update\n"
        "@pytest.mark.explore\ndef test_lost_update():\n    lost_update()\n"
    )

    assert harness("explore", "test_counter.py::test_lost_update", "--instrument", "counter").code == 1


def test_replay_lists_events(harness: Harness) -> None:
    finished = harness("replay", "counter.py::lost_update", token_of(harness))
    cells = [line.split() for line in finished.out.splitlines()]

    assert ["task", "kind", "target", "line", "source"] in cells
    assert ["Thread-1", "(increment)", "write", "Counter#1.n", "counter.py:12", "self.n", "+=", "1"] in cells
    assert "counted to 1" in finished.out


@pytest.mark.parametrize("width", ["80", "120", "200"])
def test_event_table_fits_width(harness: Harness, monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)

    table = harness("replay", "counter.py::lost_update", token_of(harness)).out.splitlines()[1:-2]

    assert max(map(len, table)) <= int(width)


def test_replay_json_has_event_rows(harness: Harness) -> None:
    execution = json.loads(harness("replay", "counter.py::lost_update", token_of(harness), "--json").out)

    assert (execution["kind"], execution["error"]) == ("error", "AssertionError: expected 2, counted 1")
    assert execution["events"][0]["target"] == "Counter#1.n"
    assert execution["events"][0]["source"] == "self.n = 0"


def test_replay_of_mended_program_diverges(harness: Harness, workplace: Path) -> None:
    token = token_of(harness)
    text = (workplace / "counter.py").read_text()
    (workplace / "counter.py").write_text(text.replace("        self.n += 1\n\n", "        pass\n\n", 1))

    finished = harness("replay", "counter.py::lost_update", token)

    assert (finished.code, finished.out) == (3, "")
    assert "the program changed" in finished.err


def test_stress_counts_native_failures(harness: Harness, workplace: Path) -> None:
    (workplace / "sure.py").write_text("def program():\n    print('running')\n    raise ValueError\n")

    finished = harness("stress", "sure.py::program", "--runs", "5")

    assert finished.code == 1
    assert finished.out == "program: 5 failures in 5 native runs\nValueError: 5\n"


def test_stress_json_stands_alone_on_standard_output(harness: Harness) -> None:
    finished = harness("stress", "counter.py::locked_update", "--runs", "5", "--json")

    assert finished.code == 0
    assert json.loads(finished.out) == {
        "program": "locked_update",
        "runs": 5,
        "failures": 0,
        "errors": [],
        "switch_interval_s": 1e-06,
    }


WRONG_USE = {
    "takes arguments": ("explore", "wrong.py::needs"),
    "strategy='rondom' is unknown": ("explore", "counter.py::lost_update", "--strategy", "rondom"),
    "max_schedules=0 is below 1": ("explore", "counter.py::lost_update", "--max-schedules", "0"),
    "instrument='nowhere' names no module": ("explore", "counter.py::lost_update", "--instrument", "nowhere"),
    "runs=0 is below 1": ("stress", "counter.py::lost_update", "--runs", "0"),
    "is cut or has a wrong letter": ("replay", "counter.py::lost_update", "h1bSFbVAAF"),
    "a token starts with 'h1'": ("replay", "counter.py::lost_update", "zzz"),
}


@pytest.mark.parametrize("message", WRONG_USE)
def test_wrong_use_is_one_line_on_standard_error(harness: Harness, workplace: Path, message: str) -> None:
    (workplace / "wrong.py").write_text("def needs(counter): pass\n")

    finished = harness(*WRONG_USE[message])

    assert (finished.code, finished.out) == (2, "")
    assert finished.err.startswith("harness: ")
    assert message in finished.err
    assert finished.err.count("\n") == 1


def test_token_of_another_program_is_wrong_use(harness: Harness) -> None:
    finished = harness("replay", "counter.py::locked_update", token_of(harness))

    assert (finished.code, finished.out) == (2, "")
    assert "this one belongs to another program" in finished.err
