"""Failures that hang on what was drawn, data or faults: they are told with it, and so are their tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.explore import STRATEGIES, InvalidArgumentError, Verdict, explore, replay
from harness.sim import Delay, fault_point

ROOT = Path(__file__).parents[2]

PROGRAM = """import time
from dataclasses import dataclass
from harness.sim import fault_point

STATE = {"saved": 0}


@dataclass(frozen=True)
class Refusal:
    name: str = "refusal"

    def may_strike(self, call):
        return call.strikes < 1

    def strike(self, call):
        raise ConnectionError(call.name)


def put_back():
    STATE["saved"] = 0


def save():
    fault_point("store.save")
    STATE["saved"] += 1
    assert STATE["saved"] == 1
"""
RETRIES = PROGRAM.replace(
    '    fault_point("store.save")\n',
    '    try:\n        fault_point("store.save")\n    except ConnectionError:\n        fault_point("store.save")\n',
)
MAKE = """import saving, harness
print(harness.explore(saving.save, faults=[saving.Refusal()], setup=saving.put_back).failure.to_test(), end='')"""
RACY = """import threading

N = 0
M = 0


def add():
    global N, M
    N += 1
    M += 1


def both():
    threads = [threading.Thread(target=add) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
"""
ORDERED = RACY.replace("def add():\n", "LOCK = threading.Lock()\n\n\ndef add():\n").replace(
    "    N += 1\n", "    with LOCK:\n        N += 1\n"
)
MAKE_OF_RACE = """import racing, harness
allow = [("M", "counted elsewhere")]
print(harness.explore(racing.both, races="fail", allow=allow).failure.to_test(), end='')"""


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"PYTHONPATH": f"{ROOT}:{folder}", "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )


@pytest.mark.parametrize(
    ("name", "broken", "mended", "make"),
    [("saving", PROGRAM, RETRIES, MAKE), ("racing", RACY, ORDERED, MAKE_OF_RACE)],
    ids=["fault", "race"],
)
def test_made_test_has_the_options_without_which_nothing_fails(tmp_path, name, broken, mended, make):
    def outcome():
        return run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_made.py").returncode

    (tmp_path / f"{name}.py").write_text(broken)
    (tmp_path / "test_made.py").write_text(run(tmp_path, "-c", make).stdout)
    assert outcome() == 1

    (tmp_path / f"{name}.py").write_text(mended)
    assert outcome() == 0


class Unnamed:
    name = "unnamed"

    def may_strike(self, call):
        return call.strikes < 1

    def strike(self, call):
        raise ConnectionError(call.name)


def saves():
    fault_point("store.save")


def draws():
    assert (harness.choose([1, 2, 3]), harness.choose("ab")) != (2, "b")


def test_fault_that_cannot_be_written_down_makes_no_test():
    failure = explore(saves, faults=[Unnamed()]).failure

    assert ", ... with the options it was explored with)" in failure.explain()
    with pytest.raises(
        InvalidArgumentError, match="cannot be written into one; pass a name, a function or an object of"
    ):
        failure.to_test()


def test_explanation_names_what_was_drawn():
    first, second, third, *rest = explore(draws).failure.explain().splitlines()

    assert first == "No two tasks touch the same thing before it fails: in any order,"
    assert second.startswith("it fails once MainThread draws 2 at test_data.py:")
    assert ", and MainThread draws 'b' at test_data.py:" in second
    assert third == "Fix: see the error, and what was drawn."
    assert sum("  draws " in line for line in rest) == 2


def test_explanation_names_the_fault_that_struck_and_the_call_that_repeats_it():
    def late():
        fault_point("store.load")
        fault_point("store.save")
        raise AssertionError("too late")

    failure = explore(saves, faults=[Unnamed(), Delay(5.0)]).failure
    with_delay = explore(late, faults=[Delay(5.0)]).failure

    assert "it fails once MainThread draws 'unnamed in store.save' at test_data.py:" in failure.explain()
    assert "no fault" not in with_delay.explain()  # it fails without one
    assert "faults=[Delay(seconds=5.0, calls='*', at_most=1)])" in with_delay.explain()


@pytest.mark.parametrize("name", STRATEGIES)
def test_fault_that_raises_is_met_and_repeated_under_each_strategy(name):
    failure = explore(saves, strategy=name, faults=[Unnamed()]).failure

    assert failure is not None
    assert type(replay(saves, failure.token, faults=[Unnamed()]).error) is ConnectionError


def borne():
    for _ in range(3):
        try:
            fault_point("store.save")
        except ConnectionError:
            continue
        return
    raise AssertionError("gave up")


def test_faults_are_enumerated_by_a_proof():
    result = explore(borne, strategy="dpor", faults=[Unnamed()])

    assert result.verdict is Verdict.PROVED
    assert result.schedules == 2  # it strikes, or not
