"""Closing: how the executors of a registry are held open while they are used, and closed after that."""

from __future__ import annotations

import threading
import warnings

from harness.registry.errors import DrainTimeoutError, NestedUpdateError
from harness.registry.lifetimes import Lease, Statistics
from harness.registry.writing import Writing

__all__ = ["Closing"]


class Closing(Writing):
    """Leases, draining and the end of a registry. Concurrency: *thread-safe*."""

    def lease(self) -> Lease:
        """The current snapshot with the right to use its executors until the lease ends.

        What is removed or replaced meanwhile is closed after that. Whoever takes an executor from ``snapshot()``
        without a lease may find it closed.

        Example:
            >>> registry = Registry()
            >>> registry.register_provider("mail", str.upper)
            2
            >>> with registry.lease() as lease:
            ...     lease.executor("mail")("ping")
            'PING'
        """
        return self._lifetimes.lease()

    def drain(self, timeout_s: float | None = None) -> bool:
        """Wait until all retired executors are closed.

        Blocks the thread. On the loop that has to close some, use ``adrain``.

        Args:
            timeout_s: Longest wait; ``None`` for no limit.

        Returns:
            Whether it came to that in time.
        """
        return self._lifetimes.wait(timeout_s, for_leases=False)

    async def adrain(self, timeout_s: float | None = None) -> bool:
        """Wait until all retired executors are closed, without holding the loop up."""
        import asyncio

        return await asyncio.to_thread(self.drain, timeout_s)

    def close(self, timeout_s: float | None = 10.0) -> None:
        """Refuse writes, wait for the leases to end and close all executors, the last opened first.

        Those with ``aclose()`` are closed on the loops that opened them, which must run; on such a loop use
        ``aclose``. Closing twice is fine. Snapshots can still be read.

        Args:
            timeout_s: Longest wait for the leases, and again for the loops; ``None`` for no limit.

        Raises:
            DrainTimeoutError: Leases did not end; nothing more was closed. Close again once they did.
            NestedUpdateError: Called from inside an update of this registry on the same thread.
        """
        if self._writer == threading.get_ident():
            raise NestedUpdateError
        with self._writers:
            self._is_closed = True
        if not self._lifetimes.wait(timeout_s, for_leases=True):
            raise DrainTimeoutError(self._lifetimes.leased_versions(), timeout_s or 0)
        self._lifetimes.close_all(self._lifetimes.retire_all())
        self._lifetimes.wait(timeout_s, for_leases=False)

    async def aclose(self, timeout_s: float | None = 10.0) -> None:
        """The same as ``close``, without holding the loop up."""
        import asyncio

        await asyncio.to_thread(self.close, timeout_s)

    def statistics(self) -> Statistics:
        """Leases, executors and subscriptions in numbers."""
        told = self._subscriptions
        return self._lifetimes.statistics(len(told), told.errors)

    def __del__(self) -> None:
        if getattr(self, "_is_closed", True):
            return
        left = sorted(cell.provider_id for cell in self._state.current.executors.values() if cell.needs_closing())
        if left:
            text = f"executors of {', '.join(left)} were never closed; call close(), or await aclose() on their loop"
            warnings.warn(text, ResourceWarning, stacklevel=2, source=self)
