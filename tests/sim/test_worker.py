"""Workers: kept from one execution to the next, and what a task finds is as if they were not."""

from __future__ import annotations

import contextvars
import gc
import threading
import time

import pytest
from greenlet import getcurrent

from harness.explore import explore
from harness.sim import World
from harness.sim.worker import Worker

pytestmark = pytest.mark.portable

mark = contextvars.ContextVar("mark", default="fresh")


def first(candidates, current):
    return current if current in candidates else candidates[0]


def in_threads(body, number=2):
    threads = [threading.Thread(target=body) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_thread_does_not_find_the_context_of_one_in_the_execution_before():
    seen = []

    def work():
        seen.append(mark.get())
        mark.set("used")

    with World(lambda: in_threads(work), []) as world:
        for _ in range(3):
            world.execute(first)

    assert seen == ["fresh"] * 6


def test_executions_run_on_the_same_workers():
    with World(lambda: in_threads(lambda: None), []) as world:
        world.execute(first)
        used = set(workers())
        world.execute(first)
        assert set(workers()) == used
        assert len(used) == 3

    assert all(worker.dead for worker in used)


def test_more_threads_than_workers_are_kept_run_as_well():
    finished = []

    def program():
        in_threads(lambda: finished.append(1), 100)

    with World(program, []) as world:
        kinds = [world.execute(first).kind for _ in range(2)]
        kept = len(workers())

    assert kinds == ["ok", "ok"]
    assert len(finished) == 200
    assert kept == 64


def test_worker_whose_task_would_not_end_is_not_used_again():
    ran = []

    def stubborn():
        while len(ran) < 100:  # of all executions
            try:
                time.sleep(1.0)
            except BaseException:
                ran.append("refused")

    def program():
        threading.Thread(target=stubborn, daemon=True).start()
        in_threads(lambda: ran.append("run"))

    with World(program, []) as world:
        kinds = [world.execute(first).kind for _ in range(3)]

    assert kinds == ["ok", "ok", "ok"]
    assert ran.count("run") == 6
    assert ran.count("refused") >= 3


def test_worker_interrupted_when_its_task_had_ended_is_not_used_again():
    ran = []

    def program():
        thread = threading.Thread(target=lambda: ran.append(getcurrent()))
        thread.start()
        thread.join()
        ran[-1].throw()

    with World(program, []) as world:
        kinds = [world.execute(first).kind for _ in range(2)]

    assert kinds == ["ok", "ok"]
    assert [worker.dead for worker in ran] == [True, True]
    assert ran[0] is not ran[1]


def test_task_that_never_began_leaves_its_worker_to_the_next_execution():
    ran = []

    def program():
        thread = threading.Thread(target=ran.append, args=("daemon",), daemon=True)
        thread.start()
        if ran:
            thread.join()
        ran.append("main")

    with World(program, []) as world:
        for _ in range(3):
            world.execute(first)

    assert ran == ["main", "daemon", "main", "daemon", "main"]


def test_exploration_leaves_no_worker():
    before = workers()
    result = explore(lambda: in_threads(lambda: None), max_schedules=20)

    assert result.schedules == 20
    assert workers() == before


def workers():
    return [each for each in gc.get_objects() if type(each) is Worker and not each.dead]
