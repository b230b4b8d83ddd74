"""What `explore` does when it is not told how: it finds, it proves where it can, and it honours every option."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest

import harness
from harness.explore import InvalidArgumentError, Verdict, explore, replay
from harness.sim import Delay, fault_point

LEAST = 30  # schedules before the first look at the estimate


class Box:
    def __init__(self):
        self.n = 0

    def increment(self):
        self.n += 1


def run_together(*bodies):
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def lost_update():
    box = Box()
    run_together(box.increment, box.increment)
    assert box.n == 2


def locked_update():
    box, lock = Box(), threading.Lock()

    def increment():
        with lock:
            box.increment()

    run_together(increment, increment)
    assert box.n == 2


async def lost_update_async():
    box = Box()

    async def increment():
        seen = box.n
        await asyncio.sleep(0)
        box.n = seen + 1

    await asyncio.gather(increment(), increment())
    assert box.n == 2


async def locked_update_async():
    box, lock = Box(), asyncio.Lock()

    async def increment():
        async with lock:
            seen = box.n
            await asyncio.sleep(0)
            box.n = seen + 1

    await asyncio.gather(increment(), increment())
    assert box.n == 2


def bad_pair():
    assert (harness.choose(range(4)), harness.choose(range(3))) != (2, 1)


def good_pairs():
    assert harness.choose(range(4)) + harness.choose(range(3)) <= 5


def handed_over():
    box, turn = Box(), threading.Condition()

    def give():
        with turn:
            box.n = 1
            turn.notify()

    def take():
        with turn:
            turn.wait_for(lambda: box.n == 1)

    run_together(give, take)


def far_too_large():
    box = Box()
    run_together(*[lambda: [box.increment() for _ in range(12)]] * 3)
    assert box.n >= 12


def opaque():
    """What an element of a tree does with what it is given, nobody has said."""
    tree = ElementTree.Element("fleet")
    run_together(lambda: tree.set("n", "1"), lambda: tree.get("n"))


MENDED = [locked_update, locked_update_async, good_pairs, handed_over]
BROKEN = [lost_update, lost_update_async, bad_pair]


@pytest.mark.parametrize("program", MENDED)
def test_small_program_that_holds_is_proved(program):
    result = explore(program)

    assert result.verdict is Verdict.PROVED, result.summary()
    assert LEAST < result.schedules < 150
    assert "strategy auto, seed 0; " in result.summary()
    assert "trace" in result.claim
    assert "assuming sequential consistency" in result.claim


@pytest.mark.parametrize("program", BROKEN)
def test_failure_names_the_member_that_found_it(program):
    result = explore(program)

    assert result.verdict is Verdict.FAILED
    assert result.found_by in ("random", "pct", "pos", "dpor")
    assert f"strategy auto (found by {result.found_by}), seed 0" in result.summary()
    assert type(replay(program, result.failure.token).error) is AssertionError


def test_program_too_large_to_be_proved_says_so():
    result = explore(far_too_large, max_schedules=200)

    assert result.verdict is Verdict.PASSED
    assert result.schedules == 200
    assert result.claim == "no proof tried, at least about 2,278 traces (Chao's estimator, 67 random executions)"
    assert result.limits == ()


def test_odds_are_told_where_they_say_something():
    result = explore(lambda: run_together(*[Box().increment] * 3), max_schedules=29)

    assert result.verdict is Verdict.PASSED
    assert result.claim == ""  # 9 executions of PCT are worth nothing
    pct_alone = explore(lambda: run_together(*[Box().increment] * 3), strategy="pct", max_schedules=3_000)
    assert "missed with p <= " in pct_alone.claim


@pytest.mark.parametrize("most", [1, 30, 31, 33, 64])
@pytest.mark.parametrize("program", [locked_update, far_too_large, opaque])
def test_number_of_schedules_never_exceeds_what_was_allowed(program, most):
    result = explore(program, max_schedules=most)

    assert result.schedules <= most
    if result.verdict is not Verdict.PROVED:
        assert result.schedules == most


def test_proof_that_is_withheld_leaves_the_rest_to_the_others():
    result = explore(opaque, max_schedules=120)

    assert result.verdict is Verdict.PASSED
    assert result.schedules == 120
    assert result.limits == ("set may do anything to an object that two tasks touch",)


# Options


def test_preempt_gil_is_explored_without_a_proof():
    result = explore(lost_update, preempt="gil", max_schedules=60)

    assert (result.verdict, result.schedules) == (Verdict.PASSED, 60)
    assert result.strategy == "auto"
    assert result.claim == "" or "pct" in result.claim
    with pytest.raises(InvalidArgumentError, match="'dpor' counts on all; pass strategy='auto'"):
        explore(lost_update, preempt="gil", strategy="dpor")


def test_preempt_gil_finds_what_a_gil_lets_happen():
    def program():
        box = Box()

        def slowly():
            seen = box.n
            identity(seen)
            box.n = seen + 1

        run_together(slowly, slowly)
        assert box.n == 2

    result = explore(program, preempt="gil")

    assert result.verdict is Verdict.FAILED
    assert result.found_by in ("random", "pct")


def identity(value):
    return value


def test_races_that_fail_and_races_left_alone():
    def racing():
        run_together(*[Box.increment.__get__(SHARED)] * 2)

    assert explore(racing, races="fail").failure.kind == "race"
    assert explore(racing, races="off").verdict is Verdict.PROVED
    reported = explore(racing)
    assert reported.verdict is Verdict.PROVED
    assert reported.races
    assert explore(locked_update, races="fail").verdict is Verdict.PROVED


SHARED = Box()


def test_all_failures_of_a_small_program_are_collected():
    def program():
        box = Box()
        run_together(box.increment, box.increment, lambda: check(box))
        assert box.n == 2, "lost"

    def check(box):
        assert box.n != 1, "half"

    result = explore(program, on_failure="continue")

    assert result.verdict is Verdict.FAILED
    assert sorted(str(failure.error).split("\n")[0] for failure in result.failures) == ["half", "lost"]
    assert result.schedules < 1_000  # DPOR has seen every trace


def test_faults_strike_and_all_their_places_are_tried():
    def program(patience_s):
        answered = threading.Event()
        run_together(lambda: (fault_point("store"), answered.set()), lambda: told.append(answered.wait(patience_s)))
        assert answered.is_set()
        assert told.pop()

    told = []

    assert explore(lambda: program(None), faults=[Delay(5.0)]).verdict is Verdict.PROVED
    assert explore(lambda: program(9.0), faults=[Delay(5.0)]).verdict is Verdict.FAILED


def test_time_that_is_up_is_a_limit():
    result = explore(far_too_large, max_seconds=1e-9)

    assert result.verdict is Verdict.PASSED
    assert result.schedules == 1
    assert result.limits == ("stopped after 1e-09 s and 1 schedules",)


def test_threads_give_the_same_result():
    assert explore(locked_update, engine="threads").summary() == explore(locked_update).summary()
    assert explore(lost_update, engine="threads").summary() == explore(lost_update).summary()


def test_checking_determinism_keeps_the_result():
    assert explore(locked_update, check_determinism=True).summary() == explore(locked_update).summary()


def test_set_up_runs_before_each_execution():
    begun = []

    result = explore(locked_update, setup=lambda: begun.append(1))

    assert result.verdict is Verdict.PROVED
    assert len(begun) >= result.schedules


# The same everywhere


_SCRIPT = """
import harness, sys
sys.path.insert(0, {folder!r})
import test_default_strategy as programs
for program in (programs.locked_update, programs.opaque, programs.far_too_large, programs.locked_update_async):
    junk = [object() for _ in range({junk})]
    print(harness.explore(program, max_schedules=150, seed=3))
"""


def test_equal_seeds_give_equal_results_in_other_processes():
    printed = set()
    for junk, hashes in ((0, "1"), (12_345, "2")):
        script = _SCRIPT.format(folder=str(Path(__file__).parent), junk=junk)
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": hashes, "PYTHONPATH": str(Path(harness.__file__).parent.parent)},
        )
        printed.add(done.stdout)

    assert len(printed) == 1
    assert "PROVED" in printed.pop()


def test_default_is_the_same_in_all_faces():
    from harness.cli.app import _explore, _run
    from harness.cli.run import Options
    from harness.ipython import _parser

    faces = [
        inspect.signature(explore).parameters["strategy"].default,
        inspect.signature(_explore).parameters["strategy"].default,
        inspect.signature(_run).parameters["strategy"].default,
        Options().strategy,
        _parser().parse_args([]).strategy,
    ]

    assert faces == ["auto"] * 5
