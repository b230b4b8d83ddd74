"""Module loader: one resolution per module, one closure per load.

The cache holds the module's own mount function, never a closure over a configuration: a cached closure would hand the
second instance of a module the configuration of the first.

Source: Amplifier's module loader. Ours beyond it: concurrent loads share one resolution, and the closure binds a
frozen deep copy, so later changes to the plan do not show through and two instances share nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Generic, TypeAlias, TypeVar, cast, final

from harness.registry.ids import check_id
from harness.registry.once import Once
from harness.registry.sorted_map import SortedMap, freeze

__all__ = ["Config", "ModuleLoader", "MountFunction"]

C = TypeVar("C")  # what the module is mounted on
R = TypeVar("R")  # what mounting gives, an awaitable if the mount function is a coroutine function

Config: TypeAlias = SortedMap[object]
MountFunction: TypeAlias = Callable[[C, Config], R]


@final
class ModuleLoader(Generic[C, R]):
    """Loads modules by id. Concurrency: *thread-safe*.

    Args:
        resolve: Finds the mount function of a module. Called at most once per module until it succeeds; a later load
            tries again after a failure. It may load other modules, but not its own.

    Example:
        >>> loader = ModuleLoader(lambda module: lambda target, config: (target, config["priority"]))
        >>> mount = loader.load("provider-anthropic", {"priority": 1})
        >>> mount("coordinator")
        ('coordinator', 1)
    """

    def __init__(self, resolve: Callable[[str], MountFunction[C, R]]) -> None:
        self._resolve = resolve
        self._lock = threading.Lock()
        self._resolved: dict[str, Once[MountFunction[C, R]]] = {}  # by module id; guarded by _lock; only grows

    def load(self, module: str, config: Mapping[str, object] | None = None) -> Callable[[C], R]:
        """A new closure that mounts the module with this configuration.

        Args:
            module: Module id.
            config: Settings of this instance; ``None`` means none. A frozen deep copy is bound: mappings become
                ``SortedMap``, lists tuples.

        Raises:
            InvalidIdError: The id is blank.
            NestedBuildError: ``resolve`` loads the module it is resolving.
        """
        bound = cast("Config", freeze({} if config is None else config))
        mount = self._cell(check_id("module", module)).get()
        return lambda target: mount(target, bound)

    def _cell(self, module: str) -> Once[MountFunction[C, R]]:
        with self._lock:
            cell = self._resolved.get(module)
            if cell is None:
                cell = Once(partial(self._resolve, module), f"module {module!r}")
                self._resolved[module] = cell
        return cell
