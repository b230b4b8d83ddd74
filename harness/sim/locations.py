"""Locations: what an access touches, as numbers that are equal along equal prefixes of executions.

A location is one attribute, one key, one variable, one primitive, or one object as a whole. They are numbered in the
order of their first declaration, never by ``id``, so two executions number alike as long as they run alike. An access
is one integer, ``location * 4 + mode``; those on a key or attribute of an object that may be touched as a whole carry
an *intent* on the whole object as well, as in hierarchical locking.

What is merged, because it cannot be told apart: globals and closure variables of one name; keys whose equality would
run the program's code stand for the whole container.
"""

from __future__ import annotations

import enum
from types import MemberDescriptorType, ModuleType
from typing import Any, final

from harness.instrument import CONTAINERS, Site
from harness.sim.event import NO_KEY
from harness.sim.living import Living, Reference
from harness.sim.reach import ANYTHING, behind
from harness.sim.values import PLAIN

__all__ = [
    "CLOCK",
    "INTENT_READ",
    "INTENT_WRITE",
    "NAMES",
    "READ",
    "STARTS",
    "WRITE",
    "Locations",
    "alive",
    "are_in_conflict",
]

READ, WRITE, INTENT_READ, INTENT_WRITE = range(4)
CLOCK = 0  # location of the virtual clock; tasks' lives are at their negative numbers
STARTS = -1_000_000  # location of all starts: their order tells the numbers of what is started
NAMES = -900_000  # location of the number that the next thread without a name is named by
_FIRST = 1
_CONFLICT = tuple(WRITE in (a, b) or {a, b} == {READ, INTENT_WRITE} for a in range(4) for b in range(4))  # at a * 4 + b

# Attributes that say what other operations mean, and names of classes that do not.
_MEANING = frozenset({"__class__", "__code__", "__defaults__", "__kwdefaults__", "cell_contents"})
_SAYING_NOTHING = frozenset({"__annotations__", "__doc__", "__module__", "__name__", "__qualname__"})
_CONTAINERS = tuple(CONTAINERS)
_SEQUENCES = tuple(kind for kind, table in CONTAINERS.items() if "insert" in table)
_SUBSCRIPTS = {"read": "__getitem__", "write": "__setitem__", "update": "__setitem__"}


def are_in_conflict(one: int, other: int) -> bool:
    """Return whether two accesses are to the same location, and do not commute."""
    return one >> 2 == other >> 2 and _CONFLICT[(one & 3) * 4 + (other & 3)]


def alive(number: int) -> int:
    """Return the location of a task's being alive."""
    return -number


class _Classes:
    """Stands for all classes among the types touched as a whole."""


@final
class Locations:
    """Numbers the locations of one execution. Confined.

    Attributes:
        names: Location of each number, for people: (object or a `Reference` to it, key), from 1.
        opaque: Locations of whole objects that a method nobody knows was called on, with the method's name.
        types: Whether instances of a type are touched as a whole, for types with attributes that were touched; grows
            over an exploration.
        is_stale: Whether a type was found to be touched as a whole after attributes were, which lack their intent.
        known: Accesses to attributes and variables that were asked for, by id of the object, name and operation.
    """

    __slots__ = ("_entries", "_living", "_namespaces", "_numbers", "is_stale", "known", "names", "opaque", "types")

    def __init__(self, types: dict[type, bool]) -> None:
        self.types = types
        self.is_stale = False
        self.names: list[tuple[object, object]] = [(None, "clock")]
        self.opaque: dict[int, str] = {}
        self._numbers: dict[tuple[int, object], int] = {}
        self.known: dict[tuple[int, str | None, str], list[int]] = {}
        self._entries: dict[int, list[tuple[dict[Any, Any], object]]] = {}  # in either table, by id of the object
        self._namespaces: dict[int, object] = {}  # whose attributes a dict holds that was asked for, by its id
        self._living = Living(self._forget)

    def number(self, obj: object, key: object = NO_KEY) -> int:
        """Return the number of a location; of the object as a whole without a key."""
        found = self._numbers.get((id(obj), key))
        if found is None:
            found = self._numbers[id(obj), key] = len(self.names)
            self.names.append((obj if _is_kept(type(obj)) else self._living.hold(obj), key))
            self._entries.setdefault(id(obj), []).append((self._numbers, (id(obj), key)))
        return found

    def _know(self, obj: object, name: str | None, operation: str, accesses: list[int]) -> None:
        self.known[id(obj), name, operation] = accesses
        self._entries.setdefault(id(obj), []).append((self.known, (id(obj), name, operation)))

    def _forget(self, known_by: int) -> None:
        for table, entry in self._entries.pop(known_by, ()):
            table.pop(entry, None)

    def accesses(self, obj: object, site: Site, key: object, operation: str) -> list[int]:
        """Return the accesses of what `Tracker.access` was told; not to be altered."""
        name, kind = site.name, type(obj)
        if self.types.get(kind) is False and name is not None and operation != "call":  # as an attribute of it before
            return self._known_attribute(obj, kind, name, operation)
        if obj is None or issubclass(kind, ModuleType):
            found = [self.number(None, name) * 4 + (operation != "read")]
            self._know(obj, name, operation, found)
            return found
        if kind in CONTAINERS:
            owner = self._owner_of(obj) if self._namespaces and kind is dict else None
            return self._container(obj, kind, name, key, operation, owner)
        if issubclass(kind, type):
            return self._of_class(obj, name, operation)  # type: ignore[arg-type]  # its type says so
        if issubclass(kind, _CONTAINERS):  # its methods may go beyond the table
            return self.whole(obj, writes=operation != "read", call=None)
        if operation == "call" or name is None:  # a method, or an attribute whose name is known only at run time
            return self.whole(obj, writes=operation != "read", call=None)
        return self._known_attribute(obj, kind, name, operation)

    def whole(self, obj: object, *, writes: bool, call: str | None) -> list[int]:
        """Return the access of a whole object, by a call of that name if nobody knows what the call does."""
        kind = type(obj)
        if kind not in CONTAINERS and not self.types.get(kind, False):
            self.is_stale = self.is_stale or kind in self.types
            self.types[kind] = True
        location = self.number(obj)
        if call is not None:
            self.opaque.setdefault(location, call)
        return [location * 4 + writes]

    def _owner_of(self, namespace: object) -> object:
        """Return the object whose attributes a dict holds, ``None`` for other dicts."""
        held = self._namespaces.get(id(namespace))
        return held() if type(held) is Reference else held

    def _open(self, obj: object) -> None:
        """Note whose attributes the dict holds that is asked for."""
        try:
            namespace = behind(object.__getattribute__(obj, "__dict__"))
        except AttributeError:
            return
        self._namespaces[id(namespace)] = self._living.hold(obj)
        self._entries.setdefault(id(obj), []).append((self._namespaces, id(namespace)))

    def _container(
        self, obj: object, kind: type, name: str | None, key: object, operation: str, owner: object
    ) -> list[int]:
        method = _SUBSCRIPTS.get(operation) if name is None and key is not NO_KEY else name
        effect = CONTAINERS[kind].get(method) if method is not None else None
        writes = effect.writes if effect is not None and operation != "update" else operation != "read"
        is_keyed = key is not NO_KEY and effect is not None and effect.keyed
        if owner is not None:
            return self._of_namespace(owner, str(key) if is_keyed else None, writes=writes)
        known = self._key(obj, kind, key) if is_keyed else NO_KEY
        if known is NO_KEY:
            return [self.number(obj) * 4 + writes]
        return [self.number(obj, known) * 4 + writes, self.number(obj) * 4 + INTENT_READ + writes]

    def _of_namespace(self, owner: object, name: str | None, *, writes: bool) -> list[int]:
        """Return the accesses of what is done to an attribute, or to all, by way of the dict that holds them."""
        operation = "write" if writes else "read"
        is_class = issubclass(type(owner), type)
        if name is None and not is_class:
            return self.whole(owner, writes=writes, call=None)
        return (
            self._of_class(owner, name, operation)  # type: ignore[arg-type]  # it is a class
            if is_class
            else self._attribute(owner, type(owner), name or "", operation)
        )

    def _key(self, obj: Any, kind: type, key: object) -> object:
        """Return what stands for a key, or `NO_KEY` where only the program's code could tell keys apart."""
        if type(key) is int and key < 0 and kind in _SEQUENCES:
            return key + len(obj)
        if type(key) in PLAIN:
            return key
        if type(key) is tuple and all(type(part) in PLAIN for part in key):
            return key
        is_identity = type(key).__eq__ is object.__eq__ and type(key).__hash__ is object.__hash__
        is_member = isinstance(key, enum.Enum) and not isinstance(key, (int, str))
        return ("same", self.number(key, "key")) if is_identity or is_member else NO_KEY

    def _of_class(self, cls: type, name: str | None, operation: str) -> list[int]:
        writes = operation != "read"
        if name is None:
            return self._whole_class(cls, writes=writes)
        if name == "__dict__":
            self._open(cls)
        classes = [cls] if writes else _looked_up(cls, name) or [cls]
        found = [self.number(each, name) * 4 + writes for each in classes]
        if self.types.setdefault(_Classes, False):
            found += [self.number(each) * 4 + INTENT_READ + writes for each in classes]
        if writes and name.startswith("__") and name.endswith("__") and name not in _SAYING_NOTHING:
            found += self.whole(ANYTHING, writes=True, call=f"a store of {name}")
        return found

    def _whole_class(self, cls: type, *, writes: bool) -> list[int]:
        if not self.types.get(_Classes, False):
            self.is_stale = self.is_stale or _Classes in self.types
            self.types[_Classes] = True
        return [self.number(cls) * 4 + writes]

    def _known_attribute(self, obj: object, kind: type, name: str, operation: str) -> list[int]:
        found = self._attribute(obj, kind, name, operation)
        if len(found) == 1:  # else its class is looked into, which depends
            self._know(obj, name, operation, found)
        return found

    def _attribute(self, obj: object, kind: type, name: str, operation: str) -> list[int]:
        writes = operation != "read"
        accesses = [self.number(obj, name) * 4 + writes]
        if name == "__dict__":
            self._open(obj)
            if writes:  # others may hold their attributes in the same one
                accesses.append(self.number(ANYTHING) * 4 + WRITE)
                self.opaque[self.number(ANYTHING)] = f"another __dict__ of a {kind.__name__}"
            else:  # no use yet of what is in it
                return accesses
        if writes and name in _MEANING:
            accesses += self.whole(ANYTHING, writes=True, call=f"a store of {name}")
        if operation != "write" and _comes_from_class(obj, kind, name):
            accesses += [self.number(cls, name) * 4 + READ for cls in _looked_up(kind, name)]
        if self.types.setdefault(kind, False):
            accesses.append(self.number(obj) * 4 + INTENT_READ + writes)
        return accesses


def _is_kept(kind: type) -> bool:
    """Return whether instances are kept, as nobody minds and they are looked at in the end: classes, asyncio's own."""
    return issubclass(kind, type) or str(kind.__module__).startswith("asyncio") or hasattr(kind, "call_soon_threadsafe")


def _comes_from_class(obj: object, kind: type, name: str) -> bool:
    """Return whether reading an attribute of an instance looks into its class."""
    try:
        if name in object.__getattribute__(obj, "__dict__"):
            return False
    except AttributeError:
        pass
    found = next((vars(cls)[name] for cls in kind.__mro__ if name in vars(cls)), None)
    return type(found) is not MemberDescriptorType


def _looked_up(cls: type, name: str) -> list[type]:
    """Return the classes that are searched for an attribute, up to the one that has it; those of C never change."""
    found = []
    for base in cls.__mro__:
        if base.__flags__ & _HEAP_TYPE:
            found.append(base)
        if name in vars(base):
            break
    return found


_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement, so that attributes can be set
