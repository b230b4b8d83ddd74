"""The event of a thread that a task makes: as any other to whoever uses it."""

from __future__ import annotations

import threading

import pytest

from harness.sim import World

pytestmark = pytest.mark.portable


def first(candidates, current):
    return current if current in candidates else candidates[0]


def executed(program):
    with World(program, []) as world:
        return world.execute(first)


def test_thread_made_by_a_task_can_be_started_when_the_world_is_gone():
    made, ran = [], []

    outcome = executed(lambda: made.append(threading.Thread(target=ran.append, args=("native",))))
    made[0].start()
    made[0].join()

    assert outcome.kind == "ok"
    assert ran == ["native"]


def test_started_thread_says_so_and_keeps_its_daemon_flag():
    told = []

    def program():
        thread = threading.Thread(target=str)
        thread.daemon = True
        told.append(repr(thread))
        thread.start()
        with pytest.raises(RuntimeError, match="active thread"):
            thread.daemon = False
        with pytest.raises(RuntimeError, match="only be started once"):
            thread.start()
        thread.join()

    outcome = executed(program)

    assert outcome.kind == "ok"
    assert "initial daemon" in told[0]


def test_event_of_a_thread_can_be_waited_for():
    seen = []

    def program():
        thread = threading.Thread(target=str)
        waiting = threading.Thread(target=lambda: seen.append(thread._started.wait(5.0)))
        waiting.start()
        thread._started.set()
        waiting.join()

    outcome = executed(program)

    assert outcome.kind == "ok"
    assert seen == [True]
