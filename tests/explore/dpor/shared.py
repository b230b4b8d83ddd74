"""What the tasks of a generated program share, and the table of what they may do with it."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any, NamedTuple

from tests.explore.dpor.notes import SHARED, begin

__all__ = ["Cell", "Draw", "Loop", "Shared", "Step", "Table", "draw_step", "make_shared", "moment", "own", "table"]

Step = tuple[Any, ...]  # a function and its arguments after the shared objects and the number of who performs it
Draw = Callable[[Random], object]  # draws an argument
Table = dict[Callable[..., Any], tuple[Draw, ...]]  # what a task may do, with what draws its arguments


class Cell:
    def __init__(self) -> None:
        self.n: float = 0


class Loop(NamedTuple):
    """An event loop, and what is used on it alone."""

    loop: asyncio.AbstractEventLoop
    lock: asyncio.Lock
    event: asyncio.Event
    queue: asyncio.Queue[int]


class Shared(NamedTuple):
    """What the tasks share; looking it up is no access, a tuple never changes."""

    cell: Cell
    d: dict[int, int]
    items: list[int]
    lock: threading.Lock
    rlock: threading.RLock
    queue: queue.Queue[int]
    event: threading.Event
    semaphore: threading.Semaphore
    bounded: threading.BoundedSemaphore
    barrier: threading.Barrier
    condition: threading.Condition
    pool: ThreadPoolExecutor
    loops: tuple[Loop, ...]


def make_shared(room: int, loops: int = 0) -> Shared:
    shared = Shared(
        Cell(),
        {},
        [],
        threading.Lock(),
        threading.RLock(),
        queue.Queue(room),
        threading.Event(),
        threading.Semaphore(1),
        threading.BoundedSemaphore(1),
        threading.Barrier(2),
        threading.Condition(),
        ThreadPoolExecutor(1),
        tuple(Loop(asyncio.new_event_loop(), asyncio.Lock(), asyncio.Event(), asyncio.Queue(1)) for _ in range(loops)),
    )
    begin()
    SHARED[0] = shared
    return shared


def moment(random: Random) -> float:
    """Draw a length of time: different ones, and often equal ones."""
    return random.choice((0.2, 0.5, 0.5, 1.0))


def own(random: Random) -> int:
    """Draw a number for what a task starts, to keep its notes apart."""
    return random.randrange(100, 1_000_000)


def table(*groups: tuple[Any, ...]) -> Table:
    """Return a table of groups: what draws the arguments, and the functions that take them."""
    return {function: draws for draws, *functions in groups for function in functions}


def draw_step(random: Random, table: Table) -> Step:
    """Draw one of the operations of a table, with its arguments."""
    function = random.choice(list(table))
    return (function, *(draw(random) for draw in table[function]))
