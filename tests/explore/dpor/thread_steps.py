"""What a task of a generated program may do with memory and the primitives of threads."""

from __future__ import annotations

import queue
import threading
import time
from concurrent import futures
from contextlib import suppress
from random import Random

import harness
from tests.explore.dpor.notes import note
from tests.explore.dpor.shared import Shared, Step, draw_step, moment, own, table

__all__ = ["FAMILIES", "INNER", "run"]


def run(s: Shared, me: int, steps: tuple[Step, ...]) -> None:
    for function, *arguments in steps:
        function(s, me, *arguments)


# Memory


def read(s: Shared, me: int) -> None:
    note(me, s.cell.n)


def write(s: Shared, me: int) -> None:
    s.cell.n = me


def add(s: Shared, me: int) -> None:
    s.cell.n += 1


def put_key(s: Shared, me: int, key: int) -> None:
    s.d[key] = me


def has_key(s: Shared, me: int, key: int) -> None:
    note(me, key in s.d)


def length(s: Shared, me: int) -> None:
    note(me, len(s.d))


def append(s: Shared, me: int) -> None:
    s.items.append(me)


def size(s: Shared, me: int) -> None:
    note(me, len(s.items))


# Locks


def locked(s: Shared, me: int, inner: Step) -> None:
    with s.lock:
        run(s, me, (inner,))


def twice(s: Shared, me: int, inner: Step) -> None:
    with s.rlock, s.rlock:
        run(s, me, (inner,))


def try_lock(s: Shared, me: int, inner: Step) -> None:
    if s.lock.acquire(blocking=False):
        run(s, me, (inner,))
        s.lock.release()
    else:
        note(me, "busy")


def try_rlock(s: Shared, me: int, inner: Step) -> None:
    if s.rlock.acquire(blocking=False):
        run(s, me, (inner,))
        s.rlock.release()
    else:
        note(me, "busy")


def is_locked(s: Shared, me: int) -> None:
    note(me, s.lock.locked())


def lock_soon(s: Shared, me: int, seconds: float, inner: Step) -> None:
    if s.lock.acquire(timeout=seconds):
        run(s, me, (inner,))
        s.lock.release()
    else:
        note(me, "late")


def rlock_soon(s: Shared, me: int, seconds: float, inner: Step) -> None:
    if s.rlock.acquire(timeout=seconds):
        run(s, me, (inner,))
        s.rlock.release()
    else:
        note(me, "late")


# Queues, events, semaphores, barriers


def put(s: Shared, me: int) -> None:
    s.queue.put(me)


def put_now(s: Shared, me: int) -> None:
    try:
        s.queue.put_nowait(me)
    except queue.Full:
        note(me, "full")


def put_soon(s: Shared, me: int, seconds: float) -> None:
    try:
        s.queue.put(me, timeout=seconds)
    except queue.Full:
        note(me, "full")


def get(s: Shared, me: int) -> None:
    note(me, s.queue.get())


def get_now(s: Shared, me: int) -> None:
    try:
        note(me, s.queue.get_nowait())
    except queue.Empty:
        note(me, "empty")


def get_soon(s: Shared, me: int, seconds: float) -> None:
    try:
        note(me, s.queue.get(timeout=seconds))
    except queue.Empty:
        note(me, "empty")


def task_done(s: Shared, me: int) -> None:
    try:
        s.queue.task_done()
    except ValueError:
        note(me, "none")


def join_queue(s: Shared, me: int) -> None:
    s.queue.join()


def qsize(s: Shared, me: int) -> None:
    note(me, s.queue.qsize())


def set_event(s: Shared, me: int) -> None:
    s.event.set()


def clear_event(s: Shared, me: int) -> None:
    s.event.clear()


def await_event(s: Shared, me: int) -> None:
    s.event.wait()


def await_soon(s: Shared, me: int, seconds: float) -> None:
    note(me, s.event.wait(seconds))


def is_set(s: Shared, me: int) -> None:
    note(me, s.event.is_set())


def acquire(s: Shared, me: int) -> None:
    s.semaphore.acquire()


def acquire_soon(s: Shared, me: int, seconds: float) -> None:
    note(me, s.semaphore.acquire(timeout=seconds))


def release(s: Shared, me: int) -> None:
    s.semaphore.release()


def acquire_bounded(s: Shared, me: int) -> None:
    note(me, s.bounded.acquire(blocking=False))


def release_bounded(s: Shared, me: int) -> None:
    try:
        s.bounded.release()
    except ValueError:
        note(me, "over")


def meet(s: Shared, me: int) -> None:
    try:
        note(me, s.barrier.wait())
    except threading.BrokenBarrierError:
        note(me, "broken")


def meet_soon(s: Shared, me: int, seconds: float) -> None:
    try:
        note(me, s.barrier.wait(seconds))
    except threading.BrokenBarrierError:
        note(me, "broken")


# Conditions


def wait(s: Shared, me: int) -> None:
    with s.condition:
        s.condition.wait()


def wait_soon(s: Shared, me: int, seconds: float) -> None:
    with s.condition:
        note(me, s.condition.wait(seconds))


def wait_for_soon(s: Shared, me: int, seconds: float) -> None:
    with s.condition:
        note(me, s.condition.wait_for(lambda: s.cell.n, seconds))


def notify(s: Shared, me: int) -> None:
    with s.condition:
        s.condition.notify()


def notify_all(s: Shared, me: int) -> None:
    with s.condition:
        s.cell.n = me
        s.condition.notify_all()


# The clock


def sleep(s: Shared, me: int, seconds: float) -> None:
    time.sleep(seconds)


def now(s: Shared, me: int) -> None:
    note(me, time.monotonic())


def stamp(s: Shared, me: int) -> None:
    s.cell.n = time.monotonic()


def later(s: Shared, me: int, seconds: float, other: int, inner: Step) -> None:
    threading.Timer(seconds, run, (s, other, (inner,))).start()


def not_later(s: Shared, me: int, seconds: float, other: int, inner: Step) -> None:
    timer = threading.Timer(seconds, run, (s, other, (inner,)))
    timer.start()
    timer.cancel()


# Threads


def submit(s: Shared, me: int, other: int, inner: Step) -> None:
    s.pool.submit(run, s, other, (inner,)).result()


def submit_soon(s: Shared, me: int, seconds: float, other: int, inner: Step) -> None:
    try:
        s.pool.submit(run, s, other, (inner,)).result(seconds)
    except futures.TimeoutError:
        note(me, "late")


def submit_failing(s: Shared, me: int) -> None:
    with suppress(ZeroDivisionError):
        s.pool.submit(divmod, 1, 0).result()


def spawn(s: Shared, me: int, other: int, inner: Step) -> None:
    thread = threading.Thread(target=run, args=(s, other, (inner,)))
    thread.start()
    thread.join()


def spawn_soon(s: Shared, me: int, seconds: float, other: int, inner: Step) -> None:
    thread = threading.Thread(target=run, args=(s, other, (inner,)))
    thread.start()
    thread.join(seconds)
    note(me, thread.is_alive())


def spawn_daemon(s: Shared, me: int, other: int, inner: Step) -> None:
    threading.Thread(target=run, args=(s, other, (inner,)), daemon=True).start()


def draw(s: Shared, me: int) -> None:
    s.cell.n = harness.choose([1, 2])


def fail_if_set(s: Shared, me: int) -> None:
    if s.cell.n:
        raise LookupError


def _key(random: Random) -> int:
    return random.choice((0, 1))


def _inner(random: Random) -> Step:
    return draw_step(random, INNER)


def _simple(random: Random) -> Step:
    return draw_step(random, random.choice((INNER, INNER, PRIMITIVES, CLOCK)))


INNER = table(((), read, write, add, stamp))
MEMORY = table(((), read, write, add, length, append, size), ((_key,), put_key, has_key))
LOCKS = table(
    ((), is_locked), ((_inner,), locked, twice, try_lock, try_rlock), ((moment, _inner), lock_soon, rlock_soon)
)
PRIMITIVES = table(
    ((), put, put_now, get, get_now, qsize, task_done, join_queue, set_event, clear_event, await_event, is_set),
    ((), acquire, release, acquire_bounded, release_bounded, meet),
    ((moment,), put_soon, get_soon, await_soon, acquire_soon, meet_soon),
)
CONDITIONS = table(((), wait, notify, notify_all), ((moment,), wait_soon, wait_for_soon))
CLOCK = table(
    ((), now, stamp),
    ((moment,), sleep, put_soon, get_soon, await_soon, acquire_soon, meet_soon, wait_soon, wait_for_soon),
    ((moment, _inner), lock_soon, rlock_soon),
)
THREADS = table(
    ((), submit_failing, draw, fail_if_set),
    ((own, _simple), submit, spawn, spawn_daemon),
    ((moment, own, _simple), later, not_later, submit_soon, spawn_soon),
)
FAMILIES = (MEMORY, LOCKS, PRIMITIVES, CONDITIONS, CLOCK, CLOCK, THREADS)
