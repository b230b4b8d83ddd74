"""The watchdog ends an execution that is stuck out of sight, and names the line."""

from __future__ import annotations

import functools
import sys
import threading

import pytest

from harness.sim import World

pytestmark = pytest.mark.portable


def first(candidates, current):
    return current if current in candidates else candidates[0]


def run(program):
    with World(program, [sys.modules[__name__]], patience_s=0.1) as world:
        return world.execute(first)


def test_endless_computation_is_ended_and_named():
    def program():
        while True:
            pass

    outcome = run(program)

    assert outcome.kind == "uncontrolled"
    assert outcome.text.startswith("no scheduling point for 0.1 s: a task waits or computes out of sight, at ")
    assert "test_watchdog.py:" in outcome.text


def test_wait_for_a_real_lock_in_native_code_is_ended():
    held = threading.Lock()
    held.acquire()
    acquire = functools.partial(held.acquire)  # called in C, where no hook stands

    def program():
        acquire()

    assert run(program).kind == "uncontrolled"


def test_task_that_swallows_the_end_is_ended_again():
    def program():
        try:
            while True:
                pass
        except BaseException:
            {}.get("a scheduling point")
            held.acquire()

    held = threading.Lock()
    held.acquire()

    assert run(program).kind == "uncontrolled"


def test_exploration_on_another_thread_is_watched_too():
    outcomes = []

    def program():
        while True:
            pass

    thread = threading.Thread(target=lambda: outcomes.append(run(program)))
    thread.start()
    thread.join()

    assert outcomes[0].kind == "uncontrolled"


def test_watchdog_thread_is_gone_afterwards():
    run(lambda: None)

    assert "harness watchdog" not in {thread.name for thread in threading.enumerate()}
