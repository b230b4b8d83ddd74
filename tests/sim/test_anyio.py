"""anyio on its asyncio backend in a world: its own tasks, groups, locks and threads, unmodified."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from sink import make_sink

from harness.explore import Verdict, explore, replay

pytestmark = pytest.mark.portable
ENGINES = pytest.mark.parametrize("engine", ["greenlet", "threads"])


class Counter:
    def __init__(self):
        self.n = 0

    async def add(self, seconds=0):
        n = self.n
        await anyio.sleep(seconds)
        self.n = n + 1

    async def add_under(self, lock):
        async with lock:
            await self.add()

    def bump(self):
        self.n += 1


# Programs with a race, and the same with a lock


async def group_of_two():
    counter = Counter()
    async with anyio.create_task_group() as group:
        group.start_soon(counter.add)
        group.start_soon(counter.add)
    assert counter.n == 2


async def threads_of_two():
    counter = Counter()
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.to_thread.run_sync, counter.bump)
        group.start_soon(anyio.to_thread.run_sync, counter.bump)
    assert counter.n == 2


def in_anyio_run():
    anyio.run(group_of_two)


def with_a_portal():
    counter = Counter()
    with anyio.from_thread.start_blocking_portal(name="portal") as portal:
        futures = [portal.start_task_soon(counter.add, 1) for _ in range(2)]
        for future in futures:
            future.result()
    assert counter.n == 2


async def group_with_lock():
    counter, lock = Counter(), anyio.Lock()
    async with anyio.create_task_group() as group:
        group.start_soon(counter.add_under, lock)
        group.start_soon(counter.add_under, lock)
    assert counter.n == 2


async def threads_with_limiter():
    counter, limiter = Counter(), anyio.CapacityLimiter(1)
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(lambda: anyio.to_thread.run_sync(counter.bump, limiter=limiter))
    assert counter.n == 2


def locked_in_anyio_run():
    anyio.run(group_with_lock)


@pytest.mark.parametrize(
    "program", [group_of_two, threads_of_two, in_anyio_run, with_a_portal], ids=lambda program: program.__name__
)
def test_race_is_found_replays_and_is_the_same_on_os_threads(program):
    failure = explore(program, max_schedules=200).failure

    assert failure is not None
    assert type(failure.error) is AssertionError
    assert type(replay(program, failure.token).error) is AssertionError
    forced = replay(program, failure.token, engine="threads")
    assert forced.events == failure.execution.events


@pytest.mark.parametrize(
    "program", [group_with_lock, threads_with_limiter, locked_in_anyio_run], ids=lambda program: program.__name__
)
def test_mended_program_holds(program):
    result = explore(program, strategy="random", max_schedules=50)

    assert result.verdict is Verdict.PASSED, str(result)
    assert result.schedules == 50


def test_lost_update_in_anyio_run_is_found_by_the_reduction():
    assert explore(in_anyio_run, strategy="dpor").verdict is Verdict.FAILED


# anyio's own semantics: the same program natively and in a world, the same log


async def cancellation(log):
    async def work(name, seconds):
        try:
            await anyio.sleep(seconds)
            raise ValueError(name)
        except anyio.get_cancelled_exc_class():
            log(f"{name} cancelled")
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.001)
            log(f"{name} cleaned up")
            raise

    try:
        async with anyio.create_task_group() as group:
            for name, seconds in (("late", 5), ("early", 0.001), ("later", 6)):
                group.start_soon(work, name, seconds)
    except* ValueError as errors:
        log([str(error) for error in errors.exceptions])


async def time_outs(log):
    with anyio.move_on_after(0.01) as scope:
        await anyio.sleep(60)
    log(f"cancelled {scope.cancelled_caught}")
    try:
        with anyio.fail_after(0.01):
            await anyio.Event().wait()
    except TimeoutError:
        log("timed out")


async def primitives(log):
    send, receive = anyio.create_memory_object_stream[int](1)
    event, condition, semaphore = anyio.Event(), anyio.Condition(), anyio.Semaphore(2)

    async def produce(*, task_status):
        task_status.started("begun")
        async with send:
            for item in range(3):
                await send.send(item)
                log(f"sent {item}")
        event.set()

    async def consume():
        async with receive:
            async for item in receive:
                log(f"got {item}")
        await event.wait()
        async with condition:
            condition.notify_all()

    async def wait():
        async with semaphore, condition:
            await condition.wait()
            log("notified")

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        log(await group.start(produce))
        group.start_soon(consume)
    log(await anyio.to_thread.run_sync(lambda: anyio.from_thread.run(anyio.sleep, 0)))


@ENGINES
@pytest.mark.parametrize("program", [cancellation, time_outs, primitives], ids=lambda program: program.__name__)
def test_log_is_that_of_a_native_run(program, engine):
    native = []
    note, kept = make_sink()
    anyio.run(program, native.append)

    def in_world():
        log = []
        anyio.run(program, log.append)
        note(log)

    result = explore(in_world, max_schedules=3, engine=engine)

    assert result.verdict is Verdict.PASSED, str(result.failure)
    logs = kept()
    assert logs[1:] == logs[:-1]
    assert sorted(map(str, logs[0])) == sorted(map(str, native))


# One order in every process

ABORTED = """
import json, sys
import anyio
from harness.explore import explore

async def work(log, name):
    try:
        await anyio.sleep(10 if name else 0.1)
        raise ValueError
    except anyio.get_cancelled_exc_class():
        log.append(name)
        raise

async def main(log):
    async with anyio.create_task_group() as group:
        for name in range(20):
            group.start_soon(work, log, name)

def program():
    log = []
    try:
        anyio.run(main, log)
    except* ValueError:
        pass
    assert not log, log

print(json.dumps([str(explore(program, max_schedules=1).failure.error)]))
"""


def test_group_is_cancelled_in_order_of_creation_in_every_process(tmp_path):
    script = tmp_path / "aborted.py"
    script.write_text(ABORTED)
    root = str(Path(__file__).parents[2])
    finished = [
        subprocess.run(
            [sys.executable, str(script)],
            env={**os.environ, "PYTHONPATH": root, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in ("1", "2")
    ]

    for process in finished:
        assert json.loads(process.stdout) == [str(list(range(1, 20)))]
