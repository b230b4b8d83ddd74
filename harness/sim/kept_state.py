"""Which functions of modules that are not instrumented may share something that nobody hands to them.

A counter of their module, a cache of their class, a variable of the call they were made in: two tasks that call such
functions meet there, unseen. Asked is the code: what it loads and stores besides its arguments, and what the functions
do that it names. Taking too much for shared costs a proof, too little makes a false one. The standard library's own
functions count as keeping nothing that programs see.
"""

from __future__ import annotations

import dis
import enum
import sys
from collections.abc import Callable, Iterator, Mapping
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import final

from harness.sim.kinds import CLASS, FROZEN, MODULE, SILENT, TOLD, KindTable
from harness.sim.reach import leads_to_mutable
from harness.sim.values import PLAIN

__all__ = ["KeptState"]

_STORES = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL"})
_LOADS = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_OF_CELLS = frozenset({"STORE_DEREF", "DELETE_DEREF"})
_LIBRARY = frozenset({*sys.stdlib_module_names, *sys.builtin_module_names, "harness"})


@final
class KeptState:
    """Says of functions whether they share anything. Confined to one exploration.

    Args:
        kinds: How objects are treated.
        is_seen: Whether functions that use a namespace make scheduling points, or need none.
    """

    def __init__(self, kinds: KindTable, is_seen: Callable[[dict[str, object]], bool]) -> None:
        self._kinds, self._is_seen = kinds, is_seen
        self._functions: dict[CodeType, bool] = {}
        self._classes: dict[type, bool] = {}
        self._stored: dict[int, frozenset[str]] = {}  # globals that a module's own functions store, by its namespace

    def is_used_by(self, function: FunctionType) -> bool:
        """Return whether a function may touch what is neither an argument nor its own."""
        known = self._functions.get(function.__code__)
        if known is None:
            self._functions[function.__code__] = False  # a recursive one asks again
            known = self._functions[function.__code__] = self._is_used(function)
        return known

    def is_used_by_making(self, cls: type) -> bool:
        """Return whether making an instance may."""
        makers = [getattr(cls, name) for name in ("__new__", "__init__")]
        return any(type(maker) is FunctionType and self._is_shared(maker) for maker in makers)

    def is_in_class(self, cls: type) -> bool:
        """Return whether a class keeps something for its instances."""
        known = self._classes.get(cls)
        if known is None:
            members = [value for base in cls.__mro__ if not _is_of_library(base) for value in vars(base).values()]
            plain = [value for value in members if not isinstance(value, (FunctionType, property, type))]
            known = self._classes[cls] = leads_to_mutable(plain, self._kinds)
        return known

    def _is_used(self, function: FunctionType) -> bool:
        if _is_of_library(function) or self._is_seen(function.__globals__):
            return False
        if any(self._is_shared_cell(cell) for cell in function.__closure__ or ()):
            return True
        namespace = function.__globals__
        return any(
            step.opname in _STORES
            or (step.opname in _OF_CELLS and step.argval in function.__code__.co_freevars)
            or (step.opname == "IMPORT_NAME" and _top(step.argval) not in _LIBRARY)
            or (step.opname in _LOADS and self._is_state(namespace, step.argval))
            for step in _steps(function.__code__)
        )

    def _is_shared_cell(self, cell: CellType) -> bool:
        """Return whether a variable of another call may change; what is in a container is reached by itself."""
        try:
            value = cell.cell_contents
        except ValueError:
            return True
        return (type(value) in PLAIN and type(value) is not str) or self._is_shared(value)

    def _is_state(self, namespace: dict[str, object], name: str) -> bool:
        if name not in namespace:
            return False  # a built-in
        value = namespace[name]
        kind = self._kinds[type(value)]
        if type(value) in PLAIN:
            return name in self._stored_in(namespace)
        if type(value) is FunctionType or kind in (CLASS, MODULE):
            return self._is_shared(value)
        return kind not in (SILENT, FROZEN, TOLD) or leads_to_mutable([value], self._kinds)

    def _is_shared(self, value: object) -> bool:
        """Return whether calling a function or class, or asking a module, may touch what others touch."""
        if type(value) is MethodType:
            value = value.__func__
        if type(value) is FunctionType:
            return self.is_used_by(value)
        if isinstance(value, (type, ModuleType)):
            is_plain = isinstance(value, type) and issubclass(value, (BaseException, enum.Enum))
            return not (is_plain or _is_of_library(value) or self._is_own(value))
        return False

    def _is_own(self, value: type | ModuleType) -> bool:
        module = value if isinstance(value, ModuleType) else sys.modules.get(value.__module__)
        return module is not None and self._is_seen(vars(module))

    def _stored_in(self, namespace: dict[str, object]) -> frozenset[str]:
        found = self._stored.get(id(namespace))
        if found is None:
            steps = (step for code in _codes(namespace) for step in _steps(code))
            found = self._stored[id(namespace)] = frozenset(step.argval for step in steps if step.opname in _STORES)
        return found


def _is_of_library(value: object) -> bool:
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return type(name) is not str or _top(name) in _LIBRARY


def _top(name: str) -> str:
    return name.partition(".")[0]


def _steps(code: CodeType) -> Iterator[dis.Instruction]:
    yield from dis.get_instructions(code)
    for part in code.co_consts:
        if type(part) is CodeType:
            yield from _steps(part)


def _codes(namespace: Mapping[str, object]) -> Iterator[CodeType]:
    """Yield the code of a module's functions and of its classes' methods."""
    for value in list(namespace.values()):
        members = list(vars(value).values()) if isinstance(value, type) else [value]
        for member in members:
            function = getattr(member, "__func__", member)
            if type(function) is FunctionType:
                yield function.__code__
