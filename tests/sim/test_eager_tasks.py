"""Tasks that begin at once, inside the call that makes them: the same in a world as natively."""

from __future__ import annotations

import asyncio
import sys

import pytest
from sink import make_sink

from harness.explore import Verdict, explore, replay

pytestmark = [
    pytest.mark.portable,
    pytest.mark.skipif(sys.version_info < (3, 12), reason="Python has eager tasks since 3.12"),
]


class Counter:
    def __init__(self):
        self.n = 0

    async def add(self):
        n = self.n
        await asyncio.sleep(0)
        self.n = n + 1


class OwnTask(asyncio.Task):
    pass


def set_factory(factory):
    asyncio.get_running_loop().set_task_factory(factory)


async def add_twice():
    counter = Counter()
    async with asyncio.TaskGroup() as group:
        group.create_task(counter.add())
        group.create_task(counter.add())
    assert counter.n == 2


async def eager():
    set_factory(asyncio.eager_task_factory)
    await add_twice()


async def eager_of_own_class():
    set_factory(asyncio.create_eager_task_factory(OwnTask))
    await add_twice()


@pytest.mark.parametrize("strategy", ["random", "dpor"])
@pytest.mark.parametrize("program", [eager, eager_of_own_class], ids=lambda program: program.__name__)
def test_race_is_found_replays_and_is_the_same_on_os_threads(program, strategy):
    failure = explore(program, strategy=strategy, max_schedules=50).failure

    assert failure is not None
    assert type(failure.error) is AssertionError
    forced = replay(program, failure.token, engine="threads")
    assert forced.events == failure.execution.events


@pytest.mark.parametrize("program", [eager, eager_of_own_class], ids=lambda program: program.__name__)
def test_tasks_are_named_by_their_number_in_the_execution(program):
    events = explore(program, max_schedules=50).failure.execution.events

    assert {event.async_task.name for event in events if event.async_task is not None} == {"Task-1", "Task-2", "Task-3"}


def test_name_that_the_program_gives_is_kept():
    async def program():
        set_factory(asyncio.create_eager_task_factory(OwnTask))
        task = asyncio.create_task(asyncio.sleep(0), name="given")
        assert task.get_name() == "given"
        await task

    assert explore(program, max_schedules=2).verdict is Verdict.PASSED


async def order(log):
    async def work(name, rounds):
        log(f"{name} begins")
        for _ in range(rounds):
            await asyncio.sleep(0)
        log(f"{name} ends, of {len(asyncio.all_tasks())}")
        return name

    set_factory(asyncio.eager_task_factory)
    at_once = asyncio.create_task(work("at once", 0))
    log(f"done {at_once.done()}")
    tasks = [asyncio.create_task(work(f"after {rounds}", rounds)) for rounds in (2, 1)]
    log("all made")
    log(await asyncio.gather(at_once, *tasks))
    cancelled = asyncio.create_task(work("cancelled", 3))
    cancelled.cancel()
    log(await asyncio.gather(cancelled, return_exceptions=True))


async def failing(log):
    async def fail():
        raise ValueError("at once")

    set_factory(asyncio.eager_task_factory)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(5))
            group.create_task(fail())
    except* ValueError as errors:
        log([str(error) for error in errors.exceptions])


@pytest.mark.parametrize("engine", ["greenlet", "threads"])
@pytest.mark.parametrize("program", [order, failing], ids=lambda program: program.__name__)
def test_log_is_that_of_a_native_run(program, engine):
    native = []
    note, kept = make_sink()
    asyncio.run(program(lambda line: native.append(str(line))))

    def in_world():
        log = []
        asyncio.run(program(lambda line: log.append(str(line))))
        note(log)

    result = explore(in_world, max_schedules=3, engine=engine)

    assert result.verdict is Verdict.PASSED, str(result.failure)
    assert all(log == native for log in kept())
