"""Scheduling points put into ordinary code.

`resolve_targets` says which modules; `Instrumentation` reads their sources (`source`), rewrites the trees, matches
compiled to live code (`matching`) and swaps the code objects in and out. The rewriting has three layers: `placing` for
the hook calls, `expressions`, and `rewrite` for statements; `scopes` tells which names are shared, `confinement` which
containers nobody else can reach. The rewritten code calls the `Hooks` that a world installs. `effects` is the table of
what built-in methods do, `function_effects` that of other functions.
"""

from __future__ import annotations

from harness.instrument.effects import CONTAINERS, IMMUTABLE, effect_of
from harness.instrument.errors import InstrumentError, UnknownModuleError
from harness.instrument.function_effects import OPAQUE, CallEffect, call_effects
from harness.instrument.hooks import Hooks, are_hooks_installed, install_hooks, remove_hooks
from harness.instrument.instrumentation import Instrumentation
from harness.instrument.site import Operation, Site, SiteTable
from harness.instrument.targets import Target, is_named, module_of, resolve_targets, unwrap

__all__ = [
    "CONTAINERS",
    "IMMUTABLE",
    "OPAQUE",
    "CallEffect",
    "Hooks",
    "InstrumentError",
    "Instrumentation",
    "Operation",
    "Site",
    "SiteTable",
    "Target",
    "UnknownModuleError",
    "are_hooks_installed",
    "call_effects",
    "effect_of",
    "install_hooks",
    "is_named",
    "module_of",
    "remove_hooks",
    "resolve_targets",
    "unwrap",
]
