"""Writing: how the next snapshot takes the place of the current one.

Writers take turns under one lock that no reader takes: each makes the next snapshot of the current one, and publishes
snapshot and history by one assignment; an error on the way publishes nothing. After the swap, and outside of every
lock, executors that nobody can reach any more are closed and subscribers are told.

    writer A              writer B              reader
    lock, draft from 1    ...waits              reads 1
    swap to 2             ...waits              reads 1 or 2
    unlock                lock, draft from 2    reads 2
    closes, tells of 2    swap to 3
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, final

from harness.registry.draft import Draft
from harness.registry.errors import InvalidSpecError, NestedUpdateError, RegistryClosedError, VersionConflictError
from harness.registry.executor_cell import ExecutorCell
from harness.registry.lifetimes import Lifetimes
from harness.registry.publication import HistoryEntry, Publication
from harness.registry.snapshot import EMPTY_SNAPSHOT, Snapshot
from harness.registry.subscriptions import ErrorHandler, Subscriptions

__all__ = ["Next", "Writing"]

T = TypeVar("T")


@final
@dataclass(frozen=True, slots=True)
class _State:
    """What one assignment replaces. Immutable."""

    current: Snapshot
    history: tuple[HistoryEntry, ...]  # oldest first, the current one last


@final
@dataclass(frozen=True, slots=True)
class Next(Generic[T]):
    """What a write would make of the current snapshot. Immutable."""

    result: T  # for the caller
    snapshot: Snapshot  # to publish; the current one for nothing
    touched: Sequence[str] = ()  # providers whose executors may differ


class Writing:
    """A current snapshot and the one way to replace it. Concurrency: *thread-safe*."""

    def __init__(self, snapshot: Snapshot | None, history_limit: int, on_subscriber_error: ErrorHandler | None) -> None:
        if history_limit < 1:
            raise InvalidSpecError(f"history_limit={history_limit} is below 1", "pass the number of versions to keep")
        first = (EMPTY_SNAPSHOT if snapshot is None else snapshot).renumbered(1)
        self._state = _State(first, (HistoryEntry(first),))  # replaced under _writers and _subscriptions.lock
        self._writers = threading.Lock()  # no reader takes it
        # Thread inside a write; written under _writers, equals its reader's only if it is.
        self._writer: int | None = None
        self._history_limit = history_limit
        self._subscriptions = Subscriptions(on_subscriber_error)
        self._lifetimes = Lifetimes(self._subscriptions.lock, first)
        self._is_closed = False  # written under _writers

    def _change(
        self, change: Callable[[Draft], T], expected_version: int | None = None, *, if_changed: bool = False
    ) -> tuple[T, int]:
        def draft_next(current: Snapshot) -> Next[T]:
            draft = Draft(current)
            result = change(draft)
            if if_changed and draft.diff().is_empty:
                return Next(result, current)
            return Next(result, draft.freeze(current.version + 1), draft.touched_providers())

        return self._write(draft_next, expected_version)

    def _take_in(self, current: Snapshot, content: Snapshot) -> Next[None]:
        """Content that was not drafted from the current snapshot; executors closed since then are made anew."""
        came, went, differ = current.executors.changes_to(content.executors)
        executors = content.executors
        returning = [executors[provider_id] for provider_id in (*came, *differ)]
        if self._lifetimes.relink(returning):
            for provider_id in (*came, *differ):
                if executors[provider_id].is_closed:
                    executors = executors.with_entry(provider_id, executors[provider_id].fresh())
            self._lifetimes.relink(cell for cell in returning if not cell.is_closed)
        return Next(None, content.renumbered(current.version + 1, executors), [*came, *went, *differ])

    def _write(
        self,
        make_next: Callable[[Snapshot], Next[T]],
        expected_version: int | None,
        *,
        if_changed: bool = False,
        restored_from: int | None = None,
    ) -> tuple[T, int]:
        me = threading.get_ident()
        if self._writer == me:
            raise NestedUpdateError
        with self._writers:
            self._writer = me
            try:
                state = self._state
                current = state.current
                if self._is_closed:
                    raise RegistryClosedError
                if expected_version is not None and expected_version != current.version:
                    raise VersionConflictError(expected_version, current.version)
                following = make_next(current)
                snapshot = following.snapshot
                if snapshot is current or (if_changed and current.diff(snapshot).is_empty):
                    return following.result, current.version
                closable = self._swap(state, following, restored_from)
            finally:
                self._writer = None
        try:
            if closable:
                self._lifetimes.close_all(closable)
        finally:
            self._subscriptions.drain()
        return following.result, snapshot.version

    def _swap(self, state: _State, following: Next[T], restored_from: int | None) -> tuple[ExecutorCell, ...]:
        old, new = state.current, following.snapshot
        kept = state.history[1:] if len(state.history) == self._history_limit else state.history
        next_state = _State(new, (*kept, HistoryEntry(new, restored_from)))
        publication = Publication(old, new, restored_from)
        unlinked = _unlinked(old, new, following.touched) if following.touched else ()
        # One step with a subscription, so that its first publication is the one after the version it saw; and with a
        # lease, so that it is on the old snapshot, which keeps executors open, or on the new one.
        with self._subscriptions.lock:
            self._state = next_state
            self._subscriptions.post(publication)
            return self._lifetimes.move_on(new, unlinked)


def _unlinked(old: Snapshot, new: Snapshot, touched: Iterable[str]) -> list[ExecutorCell]:
    """Cells that only the old snapshot holds. A renamed provider keeps its cell under another id."""
    ids = tuple(touched)
    linked = [cell for provider_id in ids if (cell := new.executors.get(provider_id)) is not None]
    before = [cell for provider_id in ids if (cell := old.executors.get(provider_id)) is not None]
    return [cell for cell in before if not any(other is cell for other in linked)]
