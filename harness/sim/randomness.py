"""Random data inside a world: the same in each execution, in each process.

What the system gives (``os.urandom``, ``secrets``, ``uuid4``, a generator made without a seed) comes from a stream of
the task that asks, which starts the same in each execution: no other task changes what it gets. The functions of
`random` share one generator, as they do outside; it starts the same in each execution too, and each draw is a step that
others conflict with. Nothing of it depends on the seed of an exploration, so a token needs none of it.

Not controlled: the order of sets and the hashes of strings, which differ between processes unless ``PYTHONHASHSEED`` is
set, and ``id``. A program whose steps depend on them replays in its own process at best; ``check_determinism`` tells.
"""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any, final

from harness.sim.task import Task, current_task

__all__ = ["Randomness"]

_START = random.Random(0).getstate()  # noqa: S311 - nothing here is to be secret
_NODE = 2  # stands for the machine in the first version of UUIDs


@final
class Randomness:
    """Streams of one exploration. Confined."""

    def __init__(self) -> None:
        self._streams: dict[int, random.Random] = {}  # by number of the task
        self._real = random._inst.getstate()  # the generator behind the functions
        self._executions = 0
        self._is_drawn = True  # from the shared generator, in the first execution

    def reset(self) -> None:
        """Start all streams again, for a new execution."""
        self._streams.clear()
        uuid._last_timestamp = None  # type: ignore[attr-defined]  # what the first version of UUIDs counts on from
        shared = random._inst
        if self._executions == 1:  # to compare and put back takes as long as three steps of a task
            self._is_drawn = shared.getstate() != _START
        if self._is_drawn:
            shared.setstate(_START)
        self._executions += 1

    def stop(self) -> None:
        """Put the shared generator back."""
        random._inst.setstate(self._real)

    def replacements(self) -> Iterator[tuple[object, str, object]]:
        """Yield owner, name and replacement of what gives random data."""
        for owner, name in ((os, "urandom"), (os, "getrandom"), (random, "_urandom")):
            if hasattr(owner, name):
                yield owner, name, self._urandom(getattr(owner, name))
        seed = self._seed(random.Random.seed)
        yield random.Random, "seed", seed
        yield random, "seed", seed.__get__(random._inst)
        for name in ("_generate_time_safe", "_UuidCreate"):
            if hasattr(uuid, name):
                yield uuid, name, None
        yield uuid, "_node", _NODE
        yield uuid, "_last_timestamp", None

    def _stream(self, task: Task) -> random.Random:
        found = self._streams.get(task.number)
        if found is None:
            found = self._streams[task.number] = random.Random(f"task {task.number}")  # noqa: S311
        return found

    def _urandom(self, real: Callable[..., bytes]) -> Callable[..., bytes]:
        def urandom(size: int, *flags: int) -> bytes:
            task = current_task()
            return real(size, *flags) if task is None else self._stream(task).randbytes(size)

        return urandom

    def _seed(self, real: Callable[..., None]) -> Any:
        def seed(self_: random.Random, a: Any = None, version: int = 2) -> None:
            task = current_task() if a is None else None
            real(self_, a if task is None else self._stream(task).getrandbits(256), version)

        return seed
