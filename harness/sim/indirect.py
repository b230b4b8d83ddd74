"""Calls of functions that reach an attribute or a table by a way round, or keep to one object: known exactly.

``setattr`` that is handed on to be called by others, the descriptors of slots called by their own methods, what
``functools.singledispatch`` makes. Where the program itself calls ``setattr`` by name, a hook tells of the attribute.
Methods of asyncio's objects touch their object, which belongs to one loop; what they put into the loop is told there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from random import Random
from types import FunctionType, NoneType

from harness.instrument.function_effects import NOTHING, OPAQUE, WHOLE
from harness.sim.call import Call
from harness.sim.event import NO_KEY
from harness.sim.kinds import CONTAINER, FOREIGN, SILENT, KindTable

__all__ = ["accessor_call", "confined_call", "dispatch_call", "slot_call"]

_ACCESSORS: dict[int, str] = {id(getattr): "read", id(hasattr): "read", id(setattr): "write", id(delattr): "write"}
_OF_DESCRIPTORS = {"__get__": "read", "__set__": "write", "__delete__": "write"}
_DISPATCHING = ("singledispatch.<locals>.", "singledispatchmethod.__get__.<locals>.")

_OF_ONE_LOOP = frozenset({"_asyncio", *(f"asyncio.{name}" for name in ("events", "futures", "locks", "mixins"))})
_OF_ONE_LOOP |= {*(f"asyncio.{name}" for name in ("queues", "runners", "taskgroups", "tasks", "timeouts"))}
_CONFINED: dict[type, frozenset[str]] = {
    Random: frozenset(
        {"betavariate", "choice", "choices", "expovariate", "gauss", "getrandbits", "normalvariate", "randbytes"}
        | {"randint", "random", "randrange", "sample", "seed", "setstate", "triangular", "uniform"}
    ),
    contextlib.ExitStack: frozenset({"callback", "pop_all", "push"}),
    contextlib.AsyncExitStack: frozenset({"callback", "pop_all", "push", "push_async_callback", "push_async_exit"}),
}


def accessor_call(function: object, arguments: Sequence[object], kinds: KindTable) -> Call | None:
    """Return what a call of ``getattr`` or its like touches, ``None`` for other functions and what never changes."""
    if function is vars and len(arguments) == 1:
        return _on_attribute("vars", arguments, "__dict__", "read", kinds)
    if function is dir and len(arguments) == 1:
        return _on_attribute("dir", arguments, None, "read", kinds)
    operation = _ACCESSORS.get(id(function))
    if operation is None or len(arguments) < 2:
        return None
    return _on_attribute(_name_of(function), arguments, arguments[1], operation, kinds)


def slot_call(slot: object, method: str, arguments: Sequence[object], kinds: KindTable) -> Call | None:
    """Return what a method of a slot's descriptor touches: that attribute of its first argument."""
    operation = _OF_DESCRIPTORS.get(method)
    if operation is None or not arguments:
        return None
    return _on_attribute(method, arguments, _name_of(slot), operation, kinds)


def confined_call(receiver: object, method: str, arguments: Sequence[object]) -> Call | None:
    """Return what a method touches that changes nothing but its object, or keeps its arguments for later."""
    modules = {base.__module__ for base in type(receiver).__mro__}
    methods = next((_CONFINED[base] for base in type(receiver).__mro__ if base in _CONFINED), frozenset[str]())
    if not modules.isdisjoint(_OF_ONE_LOOP) or method in methods:
        effect = WHOLE if isinstance(receiver, Random) else NOTHING
        return Call(method, effect, receiver, (receiver, NO_KEY, "write"), arguments)
    if receiver is os.environ and method == "get":
        return Call(method, NOTHING, receiver, (receiver, NO_KEY, "read"), arguments)
    return None


def _on_attribute(
    name: str, arguments: Sequence[object], attribute: object, operation: str, kinds: KindTable
) -> Call | None:
    obj = arguments[0]
    kind = kinds[type(obj)]
    if kind in (SILENT, CONTAINER):
        return None
    if kind == FOREIGN or not isinstance(attribute, (str, NoneType)):
        return Call(name, OPAQUE, None, None, arguments)
    return Call(name, NOTHING, obj, (obj, NO_KEY, operation), arguments, attribute)


def dispatch_call(function: FunctionType) -> Call | None:
    """Return what a generic function touches: its registry, which it reads, or which registering writes."""
    if function is os.getenv:
        return Call("getenv", NOTHING, os.environ, (os.environ, NO_KEY, "read"), ())
    if not function.__code__.co_qualname.startswith(_DISPATCHING):
        return None
    registry = _registry_of(function, 3)
    if registry is None:
        return Call(function.__name__, OPAQUE, None, None, [function])
    operation = "write" if function.__name__ == "register" else "read"
    return Call(function.__name__, NOTHING, registry, (registry, NO_KEY, operation), ())


def _registry_of(function: FunctionType, depth: int) -> dict[object, object] | None:
    """Return the dict of implementations that a part of a generic function uses, directly or by other parts."""
    held = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    if "registry" in held and type(held["registry"].cell_contents) is dict:
        return held["registry"].cell_contents
    parts: list[object] = [cell.cell_contents for cell in held.values()]
    parts += [getattr(getattr(part, "dispatcher", None), "dispatch", None) for part in parts]
    for part in parts:
        found = _registry_of(part, depth - 1) if type(part) is FunctionType and depth else None
        if found is not None:
            return found
    return None


def _name_of(function: object) -> str:
    name: str = function.__name__  # type: ignore[attr-defined]  # built-in functions and descriptors have it
    return name
