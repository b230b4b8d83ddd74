"""Shadow of a ``queue.SimpleQueue`` made before the world: waits are the scheduler's, items stay in the real queue."""

from __future__ import annotations

from collections import deque
from queue import _PySimpleQueue  # type: ignore[attr-defined]  # the standard library's own version in Python
from typing import Any, final

__all__ = ["SimpleQueueShadow"]


@final
class SimpleQueueShadow(_PySimpleQueue):  # type: ignore[misc]  # no stub has it
    """Stands in for a queue written in C. Made in a task; confined to one execution."""

    def __init__(self, real: Any) -> None:
        super().__init__()
        self._real = real
        self._before = _items(real)
        self._queue = _Items(real)
        if self._before:
            self._count.release(len(self._before))

    def put_back(self) -> None:
        """Give the real queue the items it had before the execution."""
        _items(self._real, keep=False)
        for item in self._before:
            self._real.put(item)


@final
class _Items:
    """The items of a real queue, as much of a deque as a queue needs."""

    def __init__(self, real: Any) -> None:
        self.append, self.popleft, self.__len = real.put, real.get_nowait, real.qsize

    def __len__(self) -> int:
        size: int = self.__len()
        return size


def _items(real: Any, *, keep: bool = True) -> deque[Any]:
    """Return what a real queue holds; it still does afterwards if asked to keep it."""
    items = deque(real.get_nowait() for _ in range(real.qsize()))
    for item in items if keep else ():
        real.put(item)
    return items
