"""Hashes of the futures of pools: numbers, so that sets of futures iterate in the same order in every run.

``concurrent.futures.as_completed`` and ``wait`` go through sets, and lock futures in the order of their ids. Each
task numbers those that it hashes first, so that no number tells what another task has done meanwhile.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any
from weakref import WeakKeyDictionary

from harness.sim.task import Task, current_task

__all__ = ["hash_of_future"]

_HASH = "harness hash"  # no identifier, so that no subclass can have it
_MOST = 1_000_000  # that one task hashes
_HASHED: WeakKeyDictionary[Task, int] = WeakKeyDictionary()  # how many futures each task has hashed


def hash_of_future(future: Future[Any]) -> int:
    """Return the number that a future was given when a task first hashed it; its own hash elsewhere."""
    known: int | None = vars(future).get(_HASH)
    if known is not None:
        return known
    task = current_task()
    if task is None:
        return object.__hash__(future)
    hashed = _HASHED.get(task, 0)
    _HASHED[task] = hashed + 1
    number = vars(future)[_HASH] = task.number * _MOST + hashed
    return number
