"""Registry: the handle on the current snapshot.

Readers read one attribute. Every write goes through ``writing``: a draft of the current snapshot is changed, validated
as a whole and published as the next version. What the verbs of each namespace do is in ``draft``, how executors are
held open and closed in ``closing``.

Source: Awaken's registry handle. Ours beyond it: expected versions, refusal of nested updates (upstream hangs),
validation on every way in, dry runs, history, subscriptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import final

from harness.registry.closing import Closing
from harness.registry.draft import Draft, ExecutorFactory
from harness.registry.errors import StalePreviewError, VersionNotKeptError, WrongTypeError
from harness.registry.keys import Key
from harness.registry.publication import DryRun, HistoryEntry
from harness.registry.registry_verbs import RegistryVerbs
from harness.registry.removal import RemovalImpact, RemovalPolicy, RemovalPreview, plan_removal
from harness.registry.snapshot import Snapshot
from harness.registry.subscriptions import ErrorHandler, Subscriber, Subscription
from harness.registry.writing import Next

__all__ = ["Registry"]


@final
class Registry(Closing, RegistryVerbs):
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

    # Read without a lock, on purpose: one reference is replaced by another. For whoever looks for races, see
    # `harness.explore.races.MARKER`.
    __synchronises__ = ("_state", "_writer")

    def __init__(
        self,
        snapshot: Snapshot | None = None,
        *,
        history_limit: int = 100,
        on_subscriber_error: ErrorHandler | None = None,
    ) -> None:
        super().__init__(snapshot, history_limit, on_subscriber_error)

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

        def take(current: Snapshot) -> Next[None]:
            version = current.version + 1
            if isinstance(proposal, Draft) and proposal.is_based_on(current):
                return Next(None, proposal.freeze(version), proposal.touched_providers())
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

        def take_back(current: Snapshot) -> Next[None]:
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
