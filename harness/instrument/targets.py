"""Which modules are instrumented: the program's own, and those that the caller names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from itertools import takewhile
from types import FunctionType, MethodType, ModuleType

from harness.instrument.errors import UnknownModuleError

__all__ = ["Target", "is_named", "module_of", "resolve_targets", "unwrap"]

Target = str | ModuleType | type | Callable[..., object]


def unwrap(function: object) -> FunctionType | None:
    """Return the Python function behind a function, bound method, ``partial`` or wrapper, or ``None``."""
    seen = 0
    while seen < 100:  # wrappers that wrap themselves end here
        seen += 1
        if isinstance(function, MethodType):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif not isinstance(function, FunctionType) and callable(getattr(function, "func", None)):
            function = getattr(function, "func", None)
        else:
            break
    if isinstance(function, FunctionType):
        return function
    call = getattr(type(function), "__call__", None)  # noqa: B004 - wanted is the function, not whether there is one
    return call if isinstance(call, FunctionType) else None


def module_of(target: Target) -> ModuleType | None:
    """Return the module a function or class lives in, or ``None`` where it is in no imported module."""
    if isinstance(target, ModuleType):
        return target
    function = None if isinstance(target, type) else unwrap(target)
    if function is None:
        return sys.modules.get(getattr(target, "__module__", ""))
    module = sys.modules.get(function.__module__ or "")
    if module is not None and module.__dict__ is function.__globals__:
        return module
    return _orphan_module(function)


def _orphan_module(function: FunctionType) -> ModuleType | None:
    """Return the imported module whose namespace the function uses, whatever name it claims."""
    modules = [module for module in sys.modules.values() if isinstance(module, ModuleType)]
    return next((module for module in modules if module.__dict__ is function.__globals__), None)


def resolve_targets(targets: Iterable[Target], option: str = "instrument") -> list[ModuleType]:
    """Return the modules named, submodules that are imported included, each once, in order.

    A name stands for the module and everything imported below it; it is imported if it was not yet. A pattern, as of
    `fnmatch`, stands for all imported modules whose whole name fits; the package it begins with is imported.
    ``option`` is what errors call the targets.

    Raises:
        UnknownModuleError: a name cannot be imported, no module fits a pattern, or an object belongs to no module.
    """
    modules: dict[str, ModuleType] = {}
    for target in targets:
        if isinstance(target, str) and _is_pattern(target):
            modules.update(_fitting(target, option))
            continue
        found = _import(target, option) if isinstance(target, str) else module_of(target)
        if found is None:
            raise UnknownModuleError(str(target), "it belongs to no module", option)
        modules[found.__name__] = found
        if isinstance(target, (str, ModuleType)):
            modules.update(_imported(found.__name__ + ".*"))
    return list(modules.values())


def is_named(module: str, target: str) -> bool:
    """Return whether a module of this name is what a target stands for, or is below it."""
    return fnmatchcase(module, target) if _is_pattern(target) else module == target or module.startswith(target + ".")


def _fitting(pattern: str, option: str) -> dict[str, ModuleType]:
    package = ".".join(takewhile(lambda part: not _is_pattern(part), pattern.split(".")))
    if package:
        _import(package, option)
    found = _imported(pattern)
    if not found:
        raise UnknownModuleError(pattern, "none that is imported fits the pattern", option)
    return found


def _imported(pattern: str) -> dict[str, ModuleType]:
    found = [(name, module) for name, module in list(sys.modules.items()) if is_named(name, pattern)]
    return {name: module for name, module in sorted(found) if isinstance(module, ModuleType)}


def _is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def _import(name: str, option: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise UnknownModuleError(name, f"{type(error).__name__}: {error}", option) from error
