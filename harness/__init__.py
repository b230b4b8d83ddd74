"""A laboratory for provider registries, and for any Python that shares state between threads and event loops.

`explore` runs an ordinary function under many schedules of its threads and finds the failing one; `replay` runs it
again from a token; `stress` shows how rarely chance finds it. `pitfalls` is a catalogue of races, `registry` a
registry without them, `views` draws.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness import pitfalls, registry, views
    from harness.explore import (
        Execution,
        Exploration,
        Failure,
        ReplayDivergenceError,
        StressReport,
        Verdict,
        explore,
        replay,
        stress,
    )
    from harness.ipython import load_ipython_extension, unload_ipython_extension
    from harness.sim import choose

__all__ = [
    "Execution",
    "Exploration",
    "Failure",
    "ReplayDivergenceError",
    "StressReport",
    "Verdict",
    "__version__",
    "choose",
    "explore",
    "load_ipython_extension",
    "pitfalls",
    "registry",
    "replay",
    "stress",
    "unload_ipython_extension",
    "views",
]

__version__ = "0.1.0"

_PACKAGES = frozenset({"pitfalls", "registry", "views"})
_HOMES = {  # of what is not in harness.explore
    "choose": "harness.sim",
    "load_ipython_extension": "harness.ipython",
    "unload_ipython_extension": "harness.ipython",
}


def __getattr__(name: str) -> object:
    # Loaded on first use, so that importing one part does not cost the others.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _PACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    home = _HOMES.get(name, "harness.explore")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """This package, in which `explore` is the function and never the subpackage of that name."""

    def __setattr__(self, name: str, value: object) -> None:
        # The import system binds a subpackage to its parent's attribute once it is loaded.
        is_subpackage = name == "explore" and isinstance(value, ModuleType)
        super().__setattr__(name, vars(value)["explore"] if is_subpackage else value)


sys.modules[__name__].__class__ = _Package
