"""Registry: the handle on the current snapshot.

Readers read one attribute. Writers take turns under one lock that no reader takes: each drafts from the current
snapshot, changes the draft, has it validated as a whole and publishes it by one assignment; an error on the way
publishes nothing.

Source: Awaken's registry handle. Ours beyond it: an expected version, refusal of nested updates (upstream hangs),
validation on every way in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, final

from harness.registry.draft import ANY_EXECUTOR, Draft, ExecutorFactory
from harness.registry.errors import NestedUpdateError, VersionConflictError, WrongTypeError
from harness.registry.removal import ProviderRemovalPolicy, RemovalImpact, RemovalPreview
from harness.registry.snapshot import EMPTY_SNAPSHOT, Snapshot
from harness.registry.specs import AgentSpec, ModelSpec

__all__ = ["Registry"]

T = TypeVar("T")


@final
class Registry:
    """Providers, models, agents and what they need, in versions. Concurrency: *thread-safe*.

    Starts at version 1; each successful write adds exactly 1.

    Args:
        snapshot: Content to start with, nothing if left out. Its own version does not matter.

    Example:
        >>> registry = Registry()
        >>> registry.register_provider("mail", object())
        2
        >>> list(registry.snapshot().providers)
        ['mail']
    """

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self._current = (EMPTY_SNAPSHOT if snapshot is None else snapshot).renumbered(1)  # written under _writers
        self._writers = threading.Lock()  # no reader takes it
        self._writer: int | None = (
            None  # thread inside an update; written under _writers, equals the reader's only if it is
        )

    def __repr__(self) -> str:
        return f"Registry at {self._current!r}"

    @classmethod
    def from_file(cls, path: str | Path, *, executors: ExecutorFactory | None = None) -> Registry:
        """A registry with the content of a fleet file (``.yaml``, ``.yml``) or a model catalogue (``.csv``).

        Args:
            path: The file, UTF-8, at most 16 MB.
            executors: Makes the executor of a provider when it is first asked for.

        Raises:
            RegistryFileError: The file does not describe a registry. Says file, line, place, fault and remedy.
        """
        from harness.registry.files import load_snapshot  # pydantic and YAML are needed here only

        return cls(load_snapshot(Path(path), executors))

    @property
    def version(self) -> int:
        """The current version. To read more than that, take one snapshot and read all from it."""
        return self._current.version

    def snapshot(self) -> Snapshot:
        """The current snapshot. Takes no lock."""
        return self._current

    def update(self, fn: Callable[[Draft], object]) -> int:
        """Change several things in one version.

        Args:
            fn: Changes the draft it is given. Called once, under the writers' lock: readers go on, other writers
                wait. What it returns is ignored; what it raises passes on.

        Returns:
            The version published.

        Raises:
            NestedUpdateError: Called from inside an update of this registry on the same thread.
            RegistryValidationError: The changed draft refers to what it does not hold.
        """
        return self._change(fn)[1]

    def publish(self, proposal: Snapshot | Draft, expected_version: int | None = None) -> int:
        """Make this the content, whatever is current.

        Without ``expected_version`` the swap is unconditional: what others published since the proposal was drafted
        is lost. ``update`` never loses anything.

        Args:
            proposal: The new content. A draft is validated; a snapshot is valid by construction.
            expected_version: Publish only if this is the current version.

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
        renumber = proposal.freeze if isinstance(proposal, Draft) else proposal.renumbered
        return self._write(lambda current: (None, renumber(current.version + 1)), expected_version)[1]

    def register_provider(self, provider_id: str, executor: object) -> int:
        """Add a provider.

        Returns:
            The version published, as for the other verbs.

        Raises:
            AlreadyRegisteredError: The id is taken.
            InvalidIdError: The id is blank.
        """
        return self._change(lambda draft: draft.register_provider(provider_id, executor))[1]

    def replace_provider(self, provider_id: str, executor: object, *, expected: object = ANY_EXECUTOR) -> int:
        """Give a provider another executor; the models and agents that use it stay.

        Args:
            provider_id: The provider.
            executor: Its new executor.
            expected: The very executor that it should have now.

        Raises:
            NotFoundError: No such provider; a replacement never creates one.
            ExecutorConflictError: It has another executor than the expected one.
        """
        return self._change(lambda draft: draft.replace_provider(provider_id, executor, expected=expected))[1]

    def preview_remove_provider(self, provider_id: str) -> RemovalPreview:
        """Who uses a provider now, and which removal policy would let it go. Takes no lock.

        Raises:
            NotFoundError: No such provider.
        """
        return self._current.preview_remove_provider(provider_id)

    def remove_provider(
        self, provider_id: str, policy: ProviderRemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalImpact:
        """Remove a provider, and under the cascading policy its unused models.

        The rule behind the preview is asked anew inside the update, so a user added since then is seen.

        Args:
            provider_id: The provider.
            policy: What may be taken along.
            expected_version: Remove only if this is the current version, such as that of a preview.

        Raises:
            NotFoundError: No such provider.
            ProviderInUseError: The policy forbids it.
            VersionConflictError: The registry moved on.
        """
        preview, version = self._change(lambda draft: draft.remove_provider(provider_id, policy), expected_version)
        return RemovalImpact(version, preview.provider_id, preview.model_ids)

    def register_model(self, spec: ModelSpec) -> int:
        """Add a model.

        Raises:
            AlreadyRegisteredError: The id is taken.
            RegistryValidationError: Its provider is not registered.
        """
        return self._change(lambda draft: draft.register_model(spec))[1]

    def register_agent(self, spec: AgentSpec) -> int:
        """Add an agent.

        Raises:
            AlreadyRegisteredError: The id is taken.
            RegistryValidationError: It names a model, plugin or delegate that is not registered.
        """
        return self._change(lambda draft: draft.register_agent(spec))[1]

    def _change(self, change: Callable[[Draft], T], expected_version: int | None = None) -> tuple[T, int]:
        def draft_next(current: Snapshot) -> tuple[T, Snapshot]:
            draft = Draft(current)
            result = change(draft)
            return result, draft.freeze(current.version + 1)

        return self._write(draft_next, expected_version)

    def _write(
        self, make_next: Callable[[Snapshot], tuple[T, Snapshot]], expected_version: int | None
    ) -> tuple[T, int]:
        me = threading.get_ident()
        if self._writer == me:
            raise NestedUpdateError
        with self._writers:
            self._writer = me
            try:
                current = self._current
                if expected_version is not None and expected_version != current.version:
                    raise VersionConflictError(expected_version, current.version)
                result, snapshot = make_next(current)
                self._current = snapshot
            finally:
                self._writer = None
        return result, snapshot.version
