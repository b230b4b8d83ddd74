"""Locks that other packages made before the world, and take in code that is not rewritten.

A real re-entrant lock belongs to the OS thread, which all tasks share: a second task would walk in while the first is
inside, calling the program back; a plain lock would hang. So where modules, classes and instances at hand keep such a
lock, a gate stands in its place for as long as the world is: in a task it is the lock's shadow, elsewhere the lock.

What code written in C keeps to itself is out of reach.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, final

from harness.sim.locks import REAL_LOCK_TYPES
from harness.sim.saved_state import attributes_of_class
from harness.sim.task import running_task

__all__ = ["INFRASTRUCTURE", "LockGates"]

# Packages that run the program rather than belong to it; their instances lead everywhere.
INFRASTRUCTURE = frozenset(
    [
        "IPython",
        "_pytest",
        "comm",
        "coverage",
        "ipykernel",
        "jupyter_client",
        "pluggy",
        "pytest",
        "tornado",
        "traitlets",
        "zmq",
    ]
)
_LEFT_ALONE = INFRASTRUCTURE | {"harness", "greenlet"} | sys.stdlib_module_names
_LOCKS = frozenset(REAL_LOCK_TYPES)
_WITHOUT = frozenset({FunctionType, BuiltinFunctionType, ModuleType, str, int, bool, dict, list, tuple, type(None)})
_IMMUTABLE_TYPE, _HEAP_TYPE = 1 << 8, 1 << 9  # Py_TPFLAGS_IMMUTABLETYPE, Py_TPFLAGS_HEAPTYPE


@final
class _Gate:
    """Stands for a real lock. Thread-safe."""

    __slots__ = ("__weakref__", "_real")

    def __init__(self, real: Any) -> None:
        self._real = real

    def _lock(self) -> Any:
        task = running_task()
        return self._real if task is None else task.scheduler.shadow(self._real)

    def __enter__(self) -> Any:
        return self._lock().__enter__()

    def __exit__(self, *error: object) -> Any:
        return self._lock().__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock(), name)


@final
class LockGates:
    """The gates of a world. Confined: put in and taken out once.

    Args:
        rewritten: Names of the modules whose code shadows the locks it meets by itself.
    """

    def __init__(self, rewritten: Collection[str]) -> None:
        self._rewritten = rewritten
        self._replaced: list[tuple[Any, str, Any]] = []  # a namespace or a class, a name, the real lock
        self._gates: dict[int, _Gate] = {}

    def put_in(self) -> None:
        """Put a gate wherever a lock is found."""
        for owner, name, real in list(self._found()):
            gate = self._gates.setdefault(id(real), _Gate(real))
            self._replaced.append((owner, name, real))
            _set(owner, name, gate)

    def take_out(self) -> None:
        """Put the real locks back, where nobody put something else meanwhile."""
        while self._replaced:
            owner, name, real = self._replaced.pop()
            namespace = vars(owner) if isinstance(owner, type) else owner
            if type(namespace.get(name)) is _Gate:
                _set(owner, name, real)

    def _found(self) -> Iterator[tuple[Any, str, Any]]:
        for module_name, module in list(sys.modules.items()):
            is_left = module_name.partition(".")[0] in _LEFT_ALONE or module_name in self._rewritten
            if type(module) is not ModuleType or is_left:
                continue
            yield from _locks_in(vars(module), vars(module))
            for value in list(vars(module).values()):
                kind = type(value)
                if kind in _WITHOUT:
                    continue
                if issubclass(kind, type):
                    if value.__module__ == module_name and _can_be_set(value):
                        yield from _locks_in(value, attributes_of_class(value))
                elif kind.__module__ == module_name:
                    attributes = _attributes_of(value)
                    yield from _locks_in(attributes, attributes)


def _locks_in(owner: Any, attributes: Any) -> Iterator[tuple[Any, str, Any]]:
    if _LOCKS.isdisjoint(map(type, attributes.values())):  # nearly always
        return iter(())
    return iter([(owner, name, value) for name, value in attributes.items() if type(value) in _LOCKS])


def _attributes_of(instance: object) -> dict[str, object]:
    """Return the attributes of an instance, past whatever code its class has for that."""
    try:
        found = object.__getattribute__(instance, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


def _can_be_set(cls: type) -> bool:
    return bool(cls.__flags__ & _HEAP_TYPE) and not cls.__flags__ & _IMMUTABLE_TYPE


def _set(owner: Any, name: str, value: object) -> None:
    if isinstance(owner, type):
        type.__setattr__(owner, name, value)
    else:
        owner[name] = value
