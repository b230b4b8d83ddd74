"""Errors of the registry.

Data are attributes and ``__str__`` builds the text, so that every error pickles. Wrong arguments are also a
``ValueError`` or ``TypeError``; what a registry does not hold is a ``LookupError``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.registry.keys import SINGULAR

if TYPE_CHECKING:
    from harness.registry.validation import Diagnostic

__all__ = [
    "AlreadyRegisteredError",
    "CloseError",
    "ConfirmationRequiredError",
    "DrainTimeoutError",
    "EntryInUseError",
    "ExecutorClosedError",
    "ExecutorConflictError",
    "ExecutorUnavailableError",
    "FileAccessError",
    "FileContentError",
    "FileReferenceError",
    "FileSyntaxError",
    "InvalidIdError",
    "InvalidSpecError",
    "MissingExtraError",
    "MissingVariableError",
    "NestedBuildError",
    "NestedUpdateError",
    "NoRunningLoopError",
    "NotFoundError",
    "NotSavableError",
    "ProvenanceError",
    "ProviderInUseError",
    "RegistryClosedError",
    "RegistryError",
    "RegistryFileError",
    "RegistryValidationError",
    "StalePreviewError",
    "UnknownNodeError",
    "VersionConflictError",
    "VersionNotKeptError",
    "WrongTypeError",
]

_MOST_SHOWN = 10  # ids or faults in one message; the attributes hold all


class RegistryError(Exception):
    """Root of all errors of the registry."""


class InvalidIdError(RegistryError, ValueError):
    """An id is no text, or not one that may be an id."""

    def __init__(
        self, field: str, value: object, problem: str = "text that is not blank", remedy: str = "name the entry"
    ) -> None:
        super().__init__(field, value, problem, remedy)
        self.field, self.value, self.problem, self.remedy = field, value, problem, remedy

    def __str__(self) -> str:
        actual = f", is {self.value!r:.80}" if ", " not in self.problem else ""
        return f"{self.field} wants {self.problem}{actual}; {self.remedy}"


class InvalidSpecError(RegistryError, ValueError):
    """The values of a spec contradict each other or are out of range."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem, self.remedy = problem, remedy

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"


class WrongTypeError(RegistryError, TypeError):
    """An argument is of a type the registry does not take."""

    def __init__(self, argument: str, wanted: str, value: object) -> None:
        super().__init__(argument, wanted, value)
        self.argument, self.wanted, self.value = argument, wanted, value

    def __str__(self) -> str:
        return f"{self.argument} wants {self.wanted}, is a {type(self.value).__name__}; pass {self.wanted}"


class AlreadyRegisteredError(RegistryError):
    """The id is taken in its namespace."""

    def __init__(self, namespace: str, entry_id: str) -> None:
        super().__init__(namespace, entry_id)
        self.namespace, self.id = namespace, entry_id

    def __str__(self) -> str:
        return f"{SINGULAR[self.namespace]} {self.id!r} already registered; replace it or choose another id"


class NotFoundError(RegistryError, LookupError):
    """The registry has no such entry."""

    def __init__(self, namespace: str, entry_id: str, version: int, near: tuple[str, ...] = ()) -> None:
        super().__init__(namespace, entry_id, version, near)
        self.namespace, self.id, self.version, self.near = namespace, entry_id, version, near

    def __str__(self) -> str:
        hint = "near: " + ", ".join(map(repr, self.near)) if self.near else f"list snapshot().{self.namespace}"
        return f"no {SINGULAR[self.namespace]} {self.id!r} in version {self.version}; {hint}"


class UnknownNodeError(RegistryError, LookupError):
    """The graph has no such node."""

    def __init__(self, namespace: str, entry_id: str) -> None:
        super().__init__(namespace, entry_id)
        self.namespace, self.id = namespace, entry_id

    def __str__(self) -> str:
        return f"no node {self.namespace}/{self.id} in the graph; take a key from its nodes"


class EntryInUseError(RegistryError):
    """The removal policy forbids to remove an entry that others still need."""

    def __init__(
        self,
        namespace: str,
        entry_id: str,
        policy: str,
        model_ids: tuple[str, ...],
        model_pool_ids: tuple[str, ...],
        agent_ids: tuple[str, ...],
    ) -> None:
        super().__init__(namespace, entry_id, policy, model_ids, model_pool_ids, agent_ids)
        self.namespace, self.id, self.policy = namespace, entry_id, policy
        self.model_ids, self.model_pool_ids, self.agent_ids = model_ids, model_pool_ids, agent_ids

    def __str__(self) -> str:
        pools = f"model pools {_bracketed(self.model_pool_ids)}, " if self.model_pool_ids else ""
        return (
            f"{SINGULAR[self.namespace]} {self.id!r} cannot be removed under {self.policy}, it is in use by "
            f"models {_bracketed(self.model_ids)}, {pools}agents {_bracketed(self.agent_ids)}; move these users first"
        )


class ProviderInUseError(EntryInUseError):
    """The removal policy forbids to remove a provider that others still need."""

    def __init__(
        self,
        provider_id: str,
        policy: str,
        model_ids: tuple[str, ...],
        model_pool_ids: tuple[str, ...],
        agent_ids: tuple[str, ...],
    ) -> None:
        super().__init__("providers", provider_id, policy, model_ids, model_pool_ids, agent_ids)
        self.args = (provider_id, policy, model_ids, model_pool_ids, agent_ids)
        self.provider_id = provider_id


class ConfirmationRequiredError(RegistryError, ValueError):
    """A removal that takes agents along was not confirmed."""

    def __init__(self, namespace: str, entry_id: str, version: int) -> None:
        super().__init__(namespace, entry_id, version)
        self.namespace, self.id, self.version = namespace, entry_id, version

    def __str__(self) -> str:
        return (
            f"removal of {SINGULAR[self.namespace]} {self.id!r} under cascade_all wants a confirmation, has none; "
            f"look at the preview and pass expected_version={self.version}"
        )


class StalePreviewError(RegistryError):
    """The registry moved on after the preview, and the removal would do something else."""

    def __init__(self, namespace: str, entry_id: str, previewed: int, current: int) -> None:
        super().__init__(namespace, entry_id, previewed, current)
        self.namespace, self.id, self.previewed, self.current = namespace, entry_id, previewed, current

    def __str__(self) -> str:
        return (
            f"removal of {SINGULAR[self.namespace]} {self.id!r} was previewed at version {self.previewed}, at version "
            f"{self.current} others need it; preview it again"
        )


class RegistryValidationError(RegistryError):
    """The proposed state refers to entries it does not hold; nothing was published."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return "registry validation failed: " + _joined([found.message for found in self.diagnostics])


class VersionConflictError(RegistryError):
    """The registry moved on after the caller looked."""

    def __init__(self, expected: int, current: int) -> None:
        super().__init__(expected, current)
        self.expected, self.current = expected, current

    def __str__(self) -> str:
        return f"expected version {self.expected}, registry is at version {self.current}; take a new snapshot and redo"


class ExecutorConflictError(RegistryError):
    """Another executor than the expected one is registered."""

    def __init__(self, provider_id: str, version: int) -> None:
        super().__init__(provider_id, version)
        self.provider_id, self.version = provider_id, version

    def __str__(self) -> str:
        return (
            f"provider {self.provider_id!r} has another executor than expected in version {self.version}; "
            "take a new snapshot and redo"
        )


class ExecutorUnavailableError(RegistryError):
    """A provider is only described, and nothing was given that makes its executor."""

    def __init__(self, provider_id: str, kind: str) -> None:
        super().__init__(provider_id, kind)
        self.provider_id, self.kind = provider_id, kind

    def __str__(self) -> str:
        return (
            f"provider {self.provider_id!r} of kind {self.kind!r} has no executor and no way to make one; "
            "pass executors= when loading, or replace_provider with an executor"
        )


class ExecutorClosedError(RegistryError):
    """A provider would come back with an executor that was closed, and there is no recipe for another one."""

    def __init__(self, provider_id: str) -> None:
        super().__init__(provider_id)
        self.provider_id = provider_id

    def __str__(self) -> str:
        return (
            f"the executor of provider {self.provider_id!r} was closed and there is no recipe for another one; "
            "replace it in a draft and publish that"
        )


class CloseError(RegistryError):
    """An executor could not be closed on the event loop that owns it."""

    def __init__(self, provider_id: str, state: str) -> None:
        super().__init__(provider_id, state)
        self.provider_id, self.state = provider_id, state

    def __str__(self) -> str:
        return (
            f"aclose() of the executor of provider {self.provider_id!r} wants the event loop that opened it, "
            f"{self.state}; open it inside a coroutine and end leases before the loop ends"
        )


class DrainTimeoutError(RegistryError, TimeoutError):
    """Leases had not ended when the time was up; nothing was closed under them."""

    def __init__(self, versions: tuple[int, ...], timeout_s: float) -> None:
        super().__init__(versions, timeout_s)
        self.versions, self.timeout_s = versions, timeout_s

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.versions))
        return f"leases on versions {shown} did not end in {self.timeout_s} s; end them, or wait longer"


class RegistryClosedError(RegistryError):
    """A write came after the registry was closed."""

    def __str__(self) -> str:
        return "this registry is closed and takes no writes; make a new one from its snapshot()"


class NestedUpdateError(RegistryError):
    """A write was begun from inside a write on the same registry."""

    def __str__(self) -> str:
        return "this thread is already updating this registry; use the draft at hand, or write after the update returns"


class NoRunningLoopError(RegistryError):
    """Something that belongs to an event loop was asked for where none runs."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return (
            f"{self.what} with a coroutine function wants a running event loop, there is none; call it from a coroutine"
        )


class VersionNotKeptError(RegistryError, LookupError):
    """The history does not reach back to a version, or it never was."""

    def __init__(self, version: int, oldest: int, newest: int) -> None:
        super().__init__(version, oldest, newest)
        self.version, self.oldest, self.newest = version, oldest, newest

    def __str__(self) -> str:
        return (
            f"no version {self.version} in the history, it holds {self.oldest} to {self.newest}; "
            "choose one of these, or keep more with history_limit="
        )


class MissingExtraError(RegistryError, ImportError):
    """An optional library is not installed."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(library, extra)
        self.library, self.extra = library, extra

    def __str__(self) -> str:
        return f"this wants {self.library}, it is not installed; install harness[{self.extra}]"


class NestedBuildError(RegistryError):
    """A build function asked for the value it was building."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"this thread is already building the {self.what}; let the build work without asking for its result"


class RegistryFileError(RegistryError, ValueError):
    """A file does not describe a registry; nothing of it was loaded.

    Attributes:
        path: The file.
        line: Line number from 1, ``None`` where no line is to blame.
        place: Path inside the document, such as ``models[3].provider_id``, or empty.
        problem: What was wanted and what is so.
        remedy: What to do.
    """

    def __init__(self, path: Path, line: int | None, place: str, problem: str, remedy: str) -> None:
        super().__init__(path, line, place, problem, remedy)
        self.path, self.line, self.place, self.problem, self.remedy = path, line, place, problem, remedy

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        place = f", {self.place}" if self.place else ""
        return f"{self.path}{line}{place}: {self.problem}; {self.remedy}"


class ProvenanceError(RegistryError):
    """A run was started from a plan that this registry does not know."""

    def __init__(self, agent_id: str, version: int) -> None:
        super().__init__(agent_id, version)
        self.agent_id, self.version = agent_id, version

    def __str__(self) -> str:
        return (
            f"the plan of agent {self.agent_id!r} at version {self.version} was not resolved from a version this "
            "registry keeps; resolve the root anew"
        )


class NotSavableError(RegistryError, ValueError):
    """Something of a snapshot cannot be saved to a file; nothing was written.

    Attributes:
        place: What, such as ``providers/mail.config.proxy``.
        problem: Why not.
        remedy: What to do.
    """

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        super().__init__(place, problem, remedy)
        self.place, self.problem, self.remedy = place, problem, remedy

    def __str__(self) -> str:
        return f"{self.place} cannot be saved: {self.problem}; {self.remedy}"


class MissingVariableError(RegistryError, LookupError):
    """A setting refers to a variable that the environment does not have."""

    def __init__(self, name: str, place: str) -> None:
        super().__init__(name, place)
        self.name, self.place = name, place

    def __str__(self) -> str:
        return f"setting {self.place!r} refers to the variable {self.name!r}, which is not set; set it"


class FileAccessError(RegistryFileError):
    """The file cannot be read as text: missing, no file, too large, wrong extension or encoding."""


class FileSyntaxError(RegistryFileError):
    """The file is not the YAML or CSV it claims to be."""


class FileContentError(RegistryFileError):
    """The document has an unknown, missing, repeated or ill-typed part."""


class FileReferenceError(RegistryFileError):
    """The document refers to entries it does not hold; ``diagnostics`` lists every fault."""

    def __init__(
        self, path: Path, line: int | None, place: str, problem: str, remedy: str, diagnostics: tuple[Diagnostic, ...]
    ) -> None:
        super().__init__(path, line, place, problem, remedy)
        self.args = (*self.args, diagnostics)
        self.diagnostics = diagnostics


def _bracketed(ids: Sequence[str]) -> str:
    shown = ", ".join(f'"{entry_id}"' for entry_id in ids[:_MOST_SHOWN])
    return f"[{shown}, and {len(ids) - _MOST_SHOWN} more]" if len(ids) > _MOST_SHOWN else f"[{shown}]"


def _joined(messages: Sequence[str]) -> str:
    shown = "; ".join(messages[:_MOST_SHOWN])
    return f"{shown}; and {len(messages) - _MOST_SHOWN} more" if len(messages) > _MOST_SHOWN else shown
