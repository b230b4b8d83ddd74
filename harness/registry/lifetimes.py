"""Lifetimes: executors are closed once, after the last lease that may use them.

Removing or replacing a provider only unlinks its executor. Who works with executors takes a *lease* on a snapshot; an
unlinked executor is *retired*, and closed when no leased snapshot holds it. Counting and swapping go under one lock,
so a lease is either on the state before a swap, and then keeps its executors open, or on the one after:

    lease                       replace
    lock: current is 1, count
                                lock: current is 2, old executor retired, 1 is leased: wait
    ... uses old executor
    release: count is 0, close

Closing is foreign code and runs outside of every lock: ``aclose()`` on the loop that opened the executor, ``close()``
on the thread that ended the last lease or swapped. What a close raises is reported and takes nothing back.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from harness.registry.errors import CloseError
from harness.registry.executor_cell import ExecutorCell
from harness.registry.snapshot import Snapshot

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType

__all__ = ["Lease", "Lifetimes", "Statistics"]

_LOGGER = logging.getLogger("harness.registry")


@final
@dataclass(frozen=True, slots=True)
class Statistics:
    """Numbers about a registry at one moment. Immutable.

    Attributes:
        version: The current version.
        leases: Leases that have not ended.
        leased_versions: Versions they are on, sorted.
        open_executors: Executors of the current snapshot that have been made.
        retired_executors: Executors that are unlinked and wait for the last lease.
        closing_executors: Executors whose asynchronous close has begun and not ended.
        closed_executors: Executors that have been closed, failures included.
        close_errors: Closes that failed.
        subscriptions: Subscriptions.
        subscriber_errors: Failures of subscribers.
    """

    version: int
    leases: int
    leased_versions: tuple[int, ...]
    open_executors: int
    retired_executors: int
    closing_executors: int
    closed_executors: int
    close_errors: int
    subscriptions: int
    subscriber_errors: int


@final
class Lease:
    """A right to use the executors of one snapshot. Concurrency: *thread-safe*. End it once, best with ``with``.

    Attributes:
        snapshot: What was current when it began.
    """

    def __init__(self, snapshot: Snapshot, owner: Lifetimes) -> None:
        self.snapshot = snapshot
        self._owner: Lifetimes | None = owner  # None once it has ended; written under the owner's lock

    def executor(self, provider_id: str) -> object:
        """The executor of a provider, open until the lease ends.

        Raises:
            NotFoundError: No such provider.
            ExecutorUnavailableError: The provider is only described and nothing was given that makes its executor.
        """
        return self.snapshot.executor(provider_id)

    def release(self) -> None:
        """End it. Ending twice is fine."""
        owner = self._owner
        if owner is not None:
            owner.release(self)

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def __del__(self) -> None:
        if self._owner is not None:  # not ended here: a finaliser may run where the lock is held
            text = f"lease on version {self.snapshot.version} was never ended; use `with` or call release()"
            warnings.warn(text, ResourceWarning, stacklevel=2, source=self)


@final
class Lifetimes:
    """Leases and retired executors of one registry. Concurrency: *thread-safe*.

    Args:
        lock: The lock under which the registry swaps snapshots.
        current: The registry's first snapshot.
    """

    def __init__(self, lock: threading.Lock, current: Snapshot) -> None:
        self._lock = lock
        self._current = current  # as the registry's; under _lock. Asking the registry for it would make a circle
        self._changed = threading.Condition(lock)  # something ended
        self._leased: dict[int, tuple[Snapshot, int]] = {}  # by version, with the number of leases; under _lock
        self._retired: list[ExecutorCell] = []  # unlinked and not closed, in the order unlinked; under _lock
        self._closing: set[Future[Any]] = set()  # under _lock
        self._closed = self._errors = 0  # under _lock

    def lease(self) -> Lease:
        """A lease on the current snapshot."""
        with self._lock:
            current = self._current
            _, leases = self._leased.get(current.version, (current, 0))
            self._leased[current.version] = (current, leases + 1)
        return Lease(current, self)

    def release(self, lease: Lease) -> None:
        """End a lease, and close what nobody may use any more."""
        version = lease.snapshot.version
        with self._lock:
            if lease._owner is None:
                return
            lease._owner = None
            snapshot, leases = self._leased[version]
            if leases > 1:
                self._leased[version] = (snapshot, leases - 1)
                return
            del self._leased[version]
            self._changed.notify_all()
            closable = self._take_closable([self._current]) if self._retired else ()
        self.close_all(closable)

    def relink(self, cells: Iterable[ExecutorCell]) -> tuple[ExecutorCell, ...]:
        """Take cells back into service, unless one of them is closed: then none, and the closed ones are given."""
        linked = tuple(cells)
        with self._lock:
            closed = tuple(cell for cell in linked if cell.is_closed)
            if not closed:
                self._retired = [cell for cell in self._retired if not _is_among(cell, linked)]
        return closed

    def move_on(self, current: Snapshot, unlinked: Iterable[ExecutorCell]) -> tuple[ExecutorCell, ...]:
        """Note what is current now and which cells are not any more; give those to close. The caller holds the lock."""
        self._current = current
        cells = tuple(unlinked)
        if not cells:
            return ()
        self._retired += [cell for cell in cells if cell.can_close or not cell.is_made]
        return self._take_closable([self._current])

    def retire_all(self) -> tuple[ExecutorCell, ...]:
        """Retire what is current, and give what is to be closed."""
        with self._lock:
            current = self._current.executors.values()
            self._retired += [cell for cell in current if cell.can_close and not cell.is_closed]
            return self._take_closable([])

    def close_all(self, cells: Iterable[ExecutorCell]) -> None:
        """Close executors, the last opened first. The caller holds no lock; the cells are taken."""
        for cell in sorted(cells, key=lambda cell: -cell.opened_ns):
            self._close(cell)

    def wait(self, timeout_s: float | None, *, for_leases: bool) -> bool:
        """Wait until all retired executors are closed, or until all leases have ended. Whether it came to that."""

        def is_done() -> bool:
            return not (self._leased if for_leases else self._retired or self._closing)

        with self._changed:
            return self._changed.wait_for(is_done, timeout_s)

    def leased_versions(self) -> tuple[int, ...]:
        """Versions that leases are on, sorted."""
        with self._lock:
            return tuple(sorted(self._leased))

    def statistics(self, subscriptions: int, subscriber_errors: int) -> Statistics:
        """The numbers now."""
        with self._lock:
            return Statistics(
                version=self._current.version,
                leases=sum(leases for _, leases in self._leased.values()),
                leased_versions=tuple(sorted(self._leased)),
                open_executors=sum(cell.is_made and not cell.is_closed for cell in self._current.executors.values()),
                retired_executors=len(self._retired),
                closing_executors=len(self._closing),
                closed_executors=self._closed,
                close_errors=self._errors,
                subscriptions=subscriptions,
                subscriber_errors=subscriber_errors,
            )

    def _take_closable(self, others: list[Snapshot]) -> tuple[ExecutorCell, ...]:
        """Take the retired cells that neither a leased snapshot nor these others need. Looks at all their providers."""
        snapshots = [*others, *(snapshot for snapshot, _ in self._leased.values())]
        closable: dict[int, ExecutorCell] = {}  # by executor, because two providers may share one
        waiting: list[ExecutorCell] = []
        for cell in self._retired:
            if any(_is_among(cell, snapshot.executors.unordered()) for snapshot in snapshots):
                waiting.append(cell)
            elif cell.can_close:
                cell.is_closed = True
                closable[id(cell.get())] = cell
        self._retired = waiting
        self._changed.notify_all()
        return tuple(closable.values())

    def _close(self, cell: ExecutorCell) -> None:
        executor: Any = cell.get()  # Any: it has close() or aclose()
        if hasattr(executor, "aclose"):
            self._begin_close(cell, executor)
            return
        failure: Exception | None = None
        try:
            executor.close()
        except Exception as error:
            failure = error
        self._ended(cell, failure)

    def _begin_close(self, cell: ExecutorCell, executor: Any) -> None:  # Any: it has aclose()
        import asyncio

        if cell.loop is None or cell.loop.is_closed():
            state = "has none" if cell.loop is None else "its loop is closed"
            self._ended(cell, CloseError(cell.provider_id, state))
            return
        future = asyncio.run_coroutine_threadsafe(executor.aclose(), cell.loop)
        with self._lock:
            self._closing.add(future)
        future.add_done_callback(lambda done: self._end_close(cell, done))

    def _end_close(self, cell: ExecutorCell, future: Future[Any]) -> None:
        error = CloseError(cell.provider_id, "it was cancelled") if future.cancelled() else future.exception()
        with self._lock:
            self._closing.discard(future)
        self._ended(cell, error)

    def _ended(self, cell: ExecutorCell, error: BaseException | None) -> None:
        with self._lock:
            self._closed += 1
            self._errors += error is not None
            self._changed.notify_all()
        if error is not None:
            _LOGGER.error("closing the executor of provider %r failed", cell.provider_id, exc_info=error)


def _is_among(cell: ExecutorCell, cells: Iterable[ExecutorCell]) -> bool:
    """Whether the cell, or another one with the very same executor, is among them."""
    if not cell.is_made:
        return any(other is cell for other in cells)
    executor = cell.get()
    return any(other is cell or other.holds(executor) for other in cells)
