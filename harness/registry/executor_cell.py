"""Executor cell: a provider's executor, made on first use, with what its end needs.

A cell belongs to all snapshots that hold the entry. It remembers the loop on which the executor came to be, because an
asynchronous client can be closed on that loop only, and the order, because the last opened is the first closed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, final

from harness.registry.errors import ExecutorClosedError
from harness.registry.once import Once

if TYPE_CHECKING:
    import asyncio

__all__ = ["ExecutorCell"]


@final
class ExecutorCell:
    """Holds or makes one executor. Concurrency: *thread-safe*.

    Attributes:
        provider_id: The provider it was made for.
        is_closed: Whether its executor was closed, or is about to be; set once, under the registry's lock.
        loop: The loop that ran where the executor came to be, ``None`` for a plain thread or before that.
        opened_ns: When, by the monotonic clock; 0 before that. Orders the cells without a counter they would share.
        can_close: Whether it has ``close()`` or ``aclose()``; false before that.
    """

    __slots__ = ("_make", "_once", "can_close", "is_closed", "loop", "opened_ns", "provider_id")

    def __init__(self, provider_id: str, make: Callable[[], object]) -> None:
        self.provider_id, self.is_closed = provider_id, False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.opened_ns, self.can_close = 0, False
        self._make: Callable[[], object] | None = make
        self._once = Once(self._open, f"executor of provider {provider_id!r}")

    @classmethod
    def holding(cls, provider_id: str, executor: object) -> ExecutorCell:
        """A cell whose executor is there already, and for which there is no recipe."""
        cell = cls(provider_id, lambda: executor)
        cell._make = None
        cell._once = Once.holding(executor, f"executor of provider {provider_id!r}")
        cell._note(executor)
        return cell

    @property
    def is_made(self) -> bool:
        """Whether the executor is there."""
        return self._once.is_made

    @property
    def has_recipe(self) -> bool:
        """Whether another executor of the kind can be made."""
        return self._make is not None

    def get(self) -> object:
        """The executor, made now if it is not there."""
        return self._once.get()

    def holds(self, executor: object) -> bool:
        """Whether the executor is there and is this very object."""
        return self._once.holds(executor)

    def fresh(self) -> ExecutorCell:
        """A cell with the same recipe and no executor yet.

        Raises:
            ExecutorClosedError: There is no recipe.
        """
        if self._make is None:
            raise ExecutorClosedError(self.provider_id)
        return ExecutorCell(self.provider_id, self._make)

    def needs_closing(self) -> bool:
        """Whether the registry made an executor here that can be closed and was not."""
        return self.can_close and not self.is_closed and self._make is not None

    def _open(self) -> object:
        assert self._make is not None
        executor = self._make()
        self._note(executor)
        return executor

    def _note(self, executor: object) -> None:
        self.loop, self.opened_ns = _running_loop(), time.monotonic_ns()
        self.can_close = hasattr(executor, "aclose") or hasattr(executor, "close")


def _running_loop() -> asyncio.AbstractEventLoop | None:
    # Without asyncio imported no loop runs, and importing it costs more than the rest of the package.
    asyncio = sys.modules.get("asyncio")
    return None if asyncio is None else asyncio._get_running_loop()
