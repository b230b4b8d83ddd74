"""Registry: the handle on the current snapshot.

Readers read one attribute. Writers take turns under one lock that no reader takes: each drafts from the current
snapshot, changes the draft, has it validated as a whole and publishes snapshot and history by one assignment; an error
on the way publishes nothing. After the swap, and outside of every lock, subscribers are told.

Source: Awaken's registry handle. Ours beyond it: expected versions, refusal of nested updates (upstream hangs),
validation on every way in, dry runs, history, subscriptions.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar, final

from harness.registry.draft import Draft, ExecutorFactory
from harness.registry.errors import (
    DrainTimeoutError,
    InvalidSpecError,
    NestedUpdateError,
    RegistryClosedError,
    StalePreviewError,
    VersionConflictError,
    VersionNotKeptError,
    WrongTypeError,
)
from harness.registry.executor_cell import ExecutorCell
from harness.registry.keys import Key
from harness.registry.lifetimes import Lease, Lifetimes, Statistics
from harness.registry.publication import DryRun, HistoryEntry, Publication
from harness.registry.registry_verbs import RegistryVerbs
from harness.registry.removal import RemovalImpact, RemovalPolicy, RemovalPreview, plan_removal
from harness.registry.snapshot import EMPTY_SNAPSHOT, Snapshot
from harness.registry.subscriptions import ErrorHandler, Subscriber, Subscription, Subscriptions

__all__ = ["Registry"]

T = TypeVar("T")


@final
@dataclass(frozen=True, slots=True)
class _State:
    """What one assignment replaces. Immutable."""

    current: Snapshot
    history: tuple[HistoryEntry, ...]  # oldest first, the current one last


@final
@dataclass(frozen=True, slots=True)
class _Next(Generic[T]):
    """What a write would make of the current snapshot. Immutable."""

    result: T  # for the caller
    snapshot: Snapshot  # to publish; the current one for nothing
    touched: Sequence[str] = ()  # providers whose executors may differ


@final
class Registry(RegistryVerbs):
    """Providers, models, agents and what they need, in versions. Concurrency: *thread-safe*.

    Starts at version 1; each successful write adds exactly 1.

    Args:
        snapshot: Content to start with, nothing if left out. Its own version does not matter.
        history_limit: Versions that ``history`` and ``rollback`` reach, the current one included; at least 1.
        on_subscriber_error: Told what a subscriber raised, and about which publication. Left out, it is logged.

    Example:
        >>> registry = Registry()
        >>> registry.register_provider("mail", object())
        2
        >>> list(registry.snapshot().providers)
        ['mail']
    """

    def __init__(
        self,
        snapshot: Snapshot | None = None,
        *,
        history_limit: int = 100,
        on_subscriber_error: ErrorHandler | None = None,
    ) -> None:
        if history_limit < 1:
            raise InvalidSpecError(f"history_limit={history_limit} is below 1", "pass the number of versions to keep")
        first = (EMPTY_SNAPSHOT if snapshot is None else snapshot).renumbered(1)
        self._state = _State(first, (HistoryEntry(first),))  # replaced under _writers and _subscriptions.lock
        self._writers = threading.Lock()  # no reader takes it
        self._writer: int | None = (
            None  # thread inside a write; written under _writers, equals its reader's only if it is
        )
        self._history_limit = history_limit
        self._subscriptions = Subscriptions(on_subscriber_error)
        self._lifetimes = Lifetimes(self._subscriptions.lock, first)
        self._is_closed = False  # written under _writers

    def __repr__(self) -> str:
        return f"Registry at {self._state.current!r}"

    @classmethod
    def from_file(
        cls, path: str | Path, *, executors: ExecutorFactory | None = None, max_bytes: int | None = None
    ) -> Registry:
        """A registry with the content of a fleet file (``.yaml``, ``.yml``) or a model catalogue (``.csv``).

        Args:
            path: The file, UTF-8.
            executors: Makes the executor of a provider when it is first asked for.
            max_bytes: Largest file to read, 16 MB if left out.

        Raises:
            RegistryFileError: The file does not describe a registry. Says file, line, place, fault and remedy.
        """
        from harness.registry.files import MAX_FILE_BYTES, load_snapshot  # pydantic and YAML are needed here only

        limit = MAX_FILE_BYTES if max_bytes is None else max_bytes
        return cls(load_snapshot(Path(path), executors, max_bytes=limit))

    @property
    def version(self) -> int:
        """The current version. To read more than that, take one snapshot and read all from it."""
        return self._state.current.version

    def snapshot(self) -> Snapshot:
        """The current snapshot. Takes no lock."""
        return self._state.current

    def update(
        self, fn: Callable[[Draft], object], *, expected_version: int | None = None, if_changed: bool = False
    ) -> int:
        """Change several things in one version.

        Args:
            fn: Changes the draft it is given. Called once, under the writers' lock: readers go on, other writers
                wait. What it returns is ignored; what it raises passes on.
            expected_version: Update only if this is the current version.
            if_changed: Publish nothing, and return the current version, if the draft comes out as it went in.

        Returns:
            The version published.

        Raises:
            NestedUpdateError: Called from inside an update of this registry on the same thread.
            RegistryValidationError: The changed draft refers to what it does not hold.
            VersionConflictError: The registry moved on; ``fn`` was not called.
        """
        return self._change(fn, expected_version, if_changed=if_changed)[1]

    def batch(
        self,
        changes: Iterable[Callable[[Draft], object]],
        *,
        expected_version: int | None = None,
        if_changed: bool = False,
    ) -> int:
        """Make several changes, all or none, in one version; otherwise as ``update``.

        Args:
            changes: Called in order with the same draft. If one fails its error passes on, with a note which it was.
            expected_version: As for ``update``.
            if_changed: As for ``update``.
        """
        steps = tuple(changes)  # an iterator is foreign code and not for the lock

        def change_all(draft: Draft) -> None:
            for position, change in enumerate(steps, 1):
                try:
                    change(draft)
                except Exception as error:
                    error.add_note(f"in change {position} of {len(steps)}; nothing was published")
                    raise

        return self.update(change_all, expected_version=expected_version, if_changed=if_changed)

    @contextmanager
    def edit(self, *, if_changed: bool = False) -> Iterator[Draft]:
        """A draft to change in a ``with`` block, published once at its end, unless the block raises.

        No lock is held in the block. If another writer was faster, nothing is published; ``update`` cannot lose.

        Raises:
            VersionConflictError: At the end, if the registry moved on since the beginning.
            RegistryValidationError: At the end, if the draft refers to what it does not hold.

        Example:
            >>> registry = Registry()
            >>> with registry.edit() as draft:
            ...     draft.register_provider("mail", object())
            ...     draft.register_provider("search", object())
            >>> registry.version
            2
        """
        draft = Draft(self._state.current)
        yield draft
        self.publish(draft, expected_version=draft.version, if_changed=if_changed)

    def dry_run(self, fn: Callable[[Draft], object]) -> DryRun:
        """What an update would change and what would be wrong with it. Publishes nothing and takes no lock.

        Args:
            fn: As for ``update``. What it raises passes on.
        """
        draft = Draft(self._state.current)
        fn(draft)
        return DryRun(draft.version, draft.diff(), draft.diagnose())

    def publish(
        self, proposal: Snapshot | Draft, expected_version: int | None = None, *, if_changed: bool = False
    ) -> int:
        """Make this the content, whatever is current.

        Without ``expected_version`` the swap is unconditional: what others published since the proposal was drafted
        is lost. ``update`` never loses anything.

        Args:
            proposal: The new content. A draft is validated; a snapshot is valid by construction.
            expected_version: Publish only if this is the current version.
            if_changed: Publish nothing, and return the current version, if specs and executors are those at hand.

        Returns:
            The version published, current + 1. The proposal's own version does not matter.

        Raises:
            VersionConflictError: The registry moved on.
            RegistryValidationError: The draft refers to what it does not hold.
            NestedUpdateError: Called from inside an update of this registry on the same thread.
            WrongTypeError: ``proposal`` is neither.
        """
        if not isinstance(proposal, Snapshot | Draft):
            raise WrongTypeError("proposal", "a Snapshot or a Draft", proposal)

        def take(current: Snapshot) -> _Next[None]:
            version = current.version + 1
            if isinstance(proposal, Draft) and proposal.is_based_on(current):
                return _Next(None, proposal.freeze(version), proposal.touched_providers())
            content = proposal.freeze() if isinstance(proposal, Draft) else proposal
            return self._take_in(current, content)

        return self._write(take, expected_version, if_changed=if_changed)[1]

    def history(self) -> tuple[HistoryEntry, ...]:
        """The last versions, oldest first, the current one last. Takes no lock."""
        return self._state.history

    def rollback(self, version: int, *, expected_version: int | None = None) -> int:
        """Publish the content of an earlier version as a new version, executors included.

        Args:
            version: One of those in ``history()``.
            expected_version: Roll back only if this is the current version.

        Returns:
            The version published.

        Raises:
            VersionNotKeptError: The history does not reach back so far.
            VersionConflictError: The registry moved on.
            ExecutorClosedError: An executor of that version was closed, and there is no recipe for another one.
        """

        def take_back(current: Snapshot) -> _Next[None]:
            kept = self._state.history
            for entry in kept:
                if entry.version == version:
                    return self._take_in(current, entry.snapshot)
            raise VersionNotKeptError(version, kept[0].version, kept[-1].version)

        return self._write(take_back, expected_version, restored_from=version)[1]

    def preview_remove(self, namespace: str, entry_id: str) -> RemovalPreview:
        """Who needs an entry now, and which removal policy would let it go. Takes no lock.

        Raises:
            NotFoundError: No such entry.
        """
        return self._state.current.preview_remove(namespace, entry_id)

    def remove(
        self,
        target: Key | RemovalPreview,
        policy: RemovalPolicy,
        *,
        expected_version: int | None = None,
    ) -> RemovalImpact:
        """Remove an entry, and what the policy takes along.

        The rule behind the preview is asked anew inside the update, so a user added since then is seen.

        Args:
            target: The entry's key, or a preview of its removal. A preview confirms what it shows, however old it is.
            policy: What may be taken along.
            expected_version: Remove only if this is the current version. ``CASCADE_ALL`` of a key wants the version of
                the preview here, as confirmation.

        Raises:
            NotFoundError: No such entry.
            EntryInUseError: The policy forbids it; ``ProviderInUseError`` for a provider.
            ConfirmationRequiredError: ``CASCADE_ALL`` of a key without a version.
            StalePreviewError: Others need the entry now than those in the preview.
            VersionConflictError: The registry moved on.
        """
        seen = target if isinstance(target, RemovalPreview) else None
        namespace, entry_id = target.key if isinstance(target, RemovalPreview) else target

        def remove(draft: Draft) -> RemovalPreview:
            confirmed = expected_version
            if seen is not None:
                if not seen.has_impact_of(draft.preview_remove(namespace, entry_id)):
                    raise StalePreviewError(namespace, entry_id, seen.version, draft.version)
                confirmed = draft.version
            return draft.remove(namespace, entry_id, policy, expected_version=confirmed)

        preview, version = self._change(remove, expected_version)
        paths = tuple(found.path for found in preview.dependents)
        return RemovalImpact(version, preview.key, plan_removal(preview, policy).removed, paths)

    def subscribe(self, fn: Subscriber, *, coalesce: bool = False, weak: bool = False) -> Subscription:
        """Be told of every publish from now on, in version order, after it can be read.

        A plain function runs on the thread of a writer, after the locks are released, before or after that write
        returns; a coroutine function runs on the loop that subscribes, one call at a time. It may write to this
        registry. What it raises is reported, stops nobody else and takes nothing back.

        Args:
            fn: Called with a ``Publication``.
            coalesce: Tell only the newest of those that wait, with the oldest one's ``old``.
            weak: Do not keep ``fn`` alive, and end with it. A bound method lives as long as its object.

        Raises:
            NoRunningLoopError: ``fn`` is a coroutine function and no loop runs here.

        Example:
            >>> registry, seen = Registry(), []
            >>> with registry.subscribe(lambda publication: seen.append(publication.version)):
            ...     registry.register_provider("mail", object())
            2
            >>> seen
            [2]
        """
        return self._subscriptions.add(fn, lambda: self._state.current.version, coalesce=coalesce, weak=weak)

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

    def _change(
        self, change: Callable[[Draft], T], expected_version: int | None = None, *, if_changed: bool = False
    ) -> tuple[T, int]:
        def draft_next(current: Snapshot) -> _Next[T]:
            draft = Draft(current)
            result = change(draft)
            if if_changed and draft.diff().is_empty:
                return _Next(result, current)
            return _Next(result, draft.freeze(current.version + 1), draft.touched_providers())

        return self._write(draft_next, expected_version)

    def _take_in(self, current: Snapshot, content: Snapshot) -> _Next[None]:
        """Content that was not drafted from the current snapshot; executors closed since then are made anew."""
        came, went, differ = current.executors.changes_to(content.executors)
        executors = content.executors
        returning = [executors[provider_id] for provider_id in (*came, *differ)]
        if self._lifetimes.relink(returning):
            for provider_id in (*came, *differ):
                if executors[provider_id].is_closed:
                    executors = executors.with_entry(provider_id, executors[provider_id].fresh())
            self._lifetimes.relink(cell for cell in returning if not cell.is_closed)
        return _Next(None, content.renumbered(current.version + 1, executors), [*came, *went, *differ])

    def _write(
        self,
        make_next: Callable[[Snapshot], _Next[T]],
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

    def _swap(self, state: _State, following: _Next[T], restored_from: int | None) -> tuple[ExecutorCell, ...]:
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
