"""What a task of a generated program may ask of an event loop, and what coroutines do there."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from random import Random
from typing import Any

from tests.explore.dpor.notes import note
from tests.explore.dpor.shared import Shared, Step, draw_step, moment, own, table

__all__ = ["COROUTINES", "REQUESTS", "begin", "serve"]


def begin(s: Shared, me: int, at: int, step: Step) -> Coroutine[Any, Any, None]:
    function, *arguments = step
    return function(s, me, at, *arguments)  # type: ignore[no-any-return]  # a table of coroutines


def serve(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped, and end what is left there."""
    loop.run_forever()
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))


# What any thread may ask


def post(s: Shared, me: int, at: int) -> None:
    s.loops[at].loop.call_soon_threadsafe(increment, s, me)


def ask(s: Shared, me: int, at: int, step: Step) -> None:
    note(me, asyncio.run_coroutine_threadsafe(begin(s, me, at, step), s.loops[at].loop).result())


def ask_soon(s: Shared, me: int, at: int, seconds: float, other: int, step: Step) -> None:
    try:
        asyncio.run_coroutine_threadsafe(begin(s, other, at, step), s.loops[at].loop).result(seconds)
    except TimeoutError:
        note(me, "late")


def tell(s: Shared, me: int, at: int, other: int, step: Step) -> None:
    asyncio.run_coroutine_threadsafe(begin(s, other, at, step), s.loops[at].loop)


def revoke(s: Shared, me: int, at: int, other: int, step: Step) -> None:
    note(me, asyncio.run_coroutine_threadsafe(begin(s, other, at, step), s.loops[at].loop).cancel())


def post_later(s: Shared, me: int, at: int, seconds: float) -> None:
    loop = s.loops[at].loop
    loop.call_soon_threadsafe(loop.call_later, seconds, increment, s, me)


def hop(s: Shared, me: int, at: int) -> None:
    s.loops[at].loop.call_soon_threadsafe(s.loops[-1].loop.call_soon_threadsafe, increment, s, me)


def increment(s: Shared, me: int) -> None:
    note(~me, s.cell.n)  # apart from the notes of who asked for it
    s.cell.n += 1


# What coroutines do


async def answer(s: Shared, me: int, at: int) -> None:
    await asyncio.sleep(0)
    s.cell.n += 1
    note(me, s.cell.n)


async def nap(s: Shared, me: int, at: int, seconds: float) -> None:
    await asyncio.sleep(seconds)
    note(me, s.loops[at].loop.time())


async def hold(s: Shared, me: int, at: int, seconds: float) -> None:
    async with s.loops[at].lock:
        n = s.cell.n
        await asyncio.sleep(seconds)
        s.cell.n = n + 1


async def set_event(s: Shared, me: int, at: int) -> None:
    s.loops[at].event.set()


async def await_event(s: Shared, me: int, at: int) -> None:
    await s.loops[at].event.wait()


async def put(s: Shared, me: int, at: int) -> None:
    await s.loops[at].queue.put(me)


async def get(s: Shared, me: int, at: int) -> None:
    note(me, await s.loops[at].queue.get())


async def within(s: Shared, me: int, at: int, seconds: float, step: Step) -> None:
    try:
        await asyncio.wait_for(begin(s, me, at, step), seconds)
    except TimeoutError:
        note(me, "late")


async def until(s: Shared, me: int, at: int, seconds: float, step: Step) -> None:
    try:
        async with asyncio.timeout(seconds):
            await begin(s, me, at, step)
    except TimeoutError:
        note(me, "late")


async def both(s: Shared, me: int, at: int, other: int, step: Step, step_of_other: Step) -> None:
    await asyncio.gather(begin(s, me, at, step), begin(s, other, at, step_of_other))


async def group(s: Shared, me: int, at: int, other: int, step: Step, step_of_other: Step) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(begin(s, me, at, step))
        tasks.create_task(begin(s, other, at, step_of_other))


async def cancel(s: Shared, me: int, at: int, seconds: float, other: int, step: Step) -> None:
    task = asyncio.create_task(begin(s, other, at, step))
    await asyncio.sleep(seconds)
    note(me, task.cancel())
    with suppress(asyncio.CancelledError):
        await task


async def cancel_call(s: Shared, me: int, at: int, seconds: float, longer: float) -> None:
    handle = asyncio.get_running_loop().call_later(longer, increment, s, me)
    await asyncio.sleep(seconds)
    handle.cancel()


async def run_beside(s: Shared, me: int, at: int, other: int) -> None:
    await asyncio.get_running_loop().run_in_executor(s.pool, increment, s, other)


def _loop(random: Random) -> int:
    return random.choice((0, 0, -1))


def _simple(random: Random) -> Step:
    return draw_step(random, SIMPLE)


def _coroutine(random: Random) -> Step:
    return draw_step(random, random.choice((SIMPLE, SIMPLE, COROUTINES)))


SIMPLE = table(((), answer, set_event, await_event, put, get), ((moment,), nap, hold))
COROUTINES = table(
    ((own,), run_beside),
    ((moment, moment), cancel_call),
    ((moment, _simple), within, until),
    ((moment, own, _simple), cancel),
    ((own, _simple, _simple), both, group),
)
REQUESTS = table(
    ((_loop,), post, hop),
    ((_loop, moment), post_later),
    ((_loop, _coroutine), ask),
    ((_loop, own, _coroutine), tell, revoke),
    ((_loop, moment, own, _coroutine), ask_soon),
)
