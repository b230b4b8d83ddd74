"""Derived values: computed from a snapshot, served at its version only.

The value carries the version it was computed from, so one that comes late cannot be taken for a newer one. The registry
is held weakly: a cache must not keep a fleet of clients alive.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar, final

from harness.registry.registry import Registry
from harness.registry.snapshot import Snapshot

__all__ = ["Derived"]

T = TypeVar("T")


@final
class Derived(Generic[T]):
    """A value derived from a registry's content, computed when first asked for at a version.

    Concurrency: *thread-safe*. Two threads that ask at the same time may both compute it, each from the snapshot it is
    served for.

    Args:
        registry: Where from. Held weakly.
        compute: Computes the value from a snapshot.

    Example:
        >>> registry = Registry()
        >>> names = Derived(registry, lambda snapshot: list(snapshot.providers))
        >>> names.get()
        []
    """

    def __init__(self, registry: Registry, compute: Callable[[Snapshot], T]) -> None:
        self._registry = weakref.ref(registry)
        self._compute = compute
        self._cached: tuple[int, T] | None = None  # (version, value), replaced as one

    def get(self) -> T | None:
        """The value for the current version; ``None`` once the registry is gone."""
        registry = self._registry()
        if registry is None:
            self._cached = None
            return None
        snapshot = registry.snapshot()
        cached = self._cached
        if cached is None or cached[0] != snapshot.version:
            cached = self._cached = (snapshot.version, self._compute(snapshot))
        return cached[1]
