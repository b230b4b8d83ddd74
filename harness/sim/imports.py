"""Imports inside a task: atomic, and watched for modules that are to be instrumented.

No task is switched out inside an import, where the interpreter holds locks that no scheduler sees. A module to be
instrumented that the program imports itself is noticed here, with its state as the import left it.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import ParamSpec, TypeVar, final

from harness.instrument import is_named
from harness.sim.task import current_task

__all__ = ["ImportWatch"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


@final
class ImportWatch:
    """Makes imports by tasks atomic and reports modules below the given names. Confined.

    Args:
        names: Modules and packages to be instrumented, or patterns.
        known: Modules that already are.
        found: Called with each new one.
        followed: Called after each import that brought modules, whichever they are.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        known: set[str],
        found: Callable[[ModuleType], None],
        followed: Callable[[], None],
    ) -> None:
        self._names, self._known, self._found, self._followed = names, known, found, followed

    def replacements(self) -> list[tuple[object, str, object]]:
        """Return what to replace, as owner, name and replacement."""
        return [
            (builtins, "__import__", self._atomic(builtins.__import__)),
            (importlib, "import_module", self._atomic(importlib.import_module)),
        ]

    def report(self) -> None:
        """Report what has come, save modules that are still being filled: the import of another waits inside theirs."""
        for name, module in sorted(sys.modules.items()):
            is_wanted = any(is_named(name, wanted) for wanted in self._names)
            if is_wanted and name not in self._known and isinstance(module, ModuleType) and not _is_filling(module):
                self._known.add(name)
                self._found(module)

    def _atomic(self, real: Callable[_P, _R]) -> Callable[_P, _R]:
        def imported(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            task = current_task()
            if task is None:
                return real(*args, **kwargs)
            before = len(sys.modules)
            task.atomic += 1
            try:
                return real(*args, **kwargs)
            finally:
                task.atomic -= 1
                if len(sys.modules) != before:
                    self._followed()
                    self.report()

        return imported


def _is_filling(module: ModuleType) -> bool:
    return getattr(module.__spec__, "_initializing", False) is True
