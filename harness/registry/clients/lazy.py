"""Lazy initialisation of a registry.

The registry is built aside and published in one assignment, so a reader that skips the check meets nothing or all of
it. A failed build leaves nothing behind, and the next call starts from nothing.

Source: Flocks' provider registry, which sets its flag, then fills the shared table in place, and hangs when a
constructor asks for the registry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar, final

from harness.registry.once import Once
from harness.registry.registry import Registry
from harness.registry.snapshot import Snapshot

__all__ = ["LazyRegistry"]

R = TypeVar("R", bound=Registry | Snapshot)


@final
class LazyRegistry(Generic[R]):
    """A registry, or a snapshot, that is built when first asked for. Concurrency: *thread-safe*.

    Args:
        build: Builds it in whole. Runs on the thread that asks first, while others who ask wait; must not ask for the
            result.

    Example:
        >>> from harness.registry import Registry
        >>> lazy = LazyRegistry(Registry)
        >>> lazy.get() is lazy.get()
        True
    """

    def __init__(self, build: Callable[[], R]) -> None:
        self._once = Once(build, "registry")

    @property
    def is_initialised(self) -> bool:
        """Whether it has been built."""
        return self._once.is_made

    def get(self) -> R:
        """The registry, built now if it is not there.

        Raises:
            NestedBuildError: Called from inside ``build`` on the same thread.
        """
        return self._once.get()
