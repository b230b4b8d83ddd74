"""Race detection by happens-before: a vector clock per task, epochs per location.

A task's clock counts its own publishing and holds what it knows of the others'. An access is an epoch, (task, that
task's count); it comes before what a task does now if the task knows that count. Two accesses of one location race
when one writes and neither comes before the other. A location keeps its last write as one epoch, and its reads as one
epoch while they come one after the other, as a clock once they do not.

Sound and complete for the first race on a location in an execution, with respect to the order that this execution's
primitives made: two accesses under one lock are ordered even if the other order was possible. What we do not see into
is no access: calls of foreign objects, and their items. Nor is a property: its code makes the accesses.

Reference: Flanagan, Freund: FastTrack: efficient and precise dynamic race detection, PLDI 2009. Beyond it, a read or
write of a whole container meets those of its keys; and a class may name attributes that order tasks like a lock (see
`MARKER`).
"""

from __future__ import annotations

from types import ModuleType
from typing import Literal, NamedTuple, final

from harness.explore.races.closures import Closures, Variable
from harness.explore.races.places import ASIDE, MARKED, MARKER, STORED, is_stored, place_of
from harness.instrument import CONTAINERS, Site, effect_of
from harness.sim import NO_KEY, Living, Task, call_stack, short_value

__all__ = ["MARKER", "Pair", "RaceClocks", "Side"]

_CONTAINER_TYPES = tuple(CONTAINERS)
_SIMPLE_KEYS = frozenset({str, int, bytes, bool, type(None)})
_WHOLE = object()  # stands for all keys of a container
_Kind = Literal["read", "write"]


class Side(NamedTuple):
    """One access of a pair."""

    task: str
    kind: _Kind
    site: Site
    stack: tuple[str, ...]


class _Hashed(NamedTuple):
    """Stands for a key that may have methods of the program's own."""

    hash: int
    kind: str


class Pair(NamedTuple):
    """Two accesses that race."""

    location: str
    first: Side
    second: Side

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two pairs the same: the location, and both lines in any order."""
        return (self.location, *sorted((side.site.file, side.site.line) for side in (self.first, self.second)))

    @property
    def variable(self) -> tuple[str, Variable]:
        """Which variable of a function it is, if it is one."""
        site = self.first.site
        return site.digest, Variable(self.location, site.qualname.partition(".<locals>")[0])


class _Attributes(dict[type, dict[str, str] | None]):
    """Places of the attributes of classes, ``None`` for a container; filled as classes are met."""

    def __missing__(self, kind: type) -> dict[str, str] | None:
        is_container = issubclass(kind, _CONTAINER_TYPES)
        found = self[kind] = None if is_container else dict.fromkeys(getattr(kind, MARKER, ()), MARKED)
        return found


_Told = tuple[str, Site, tuple[str, ...]]  # task's name, site and stack of an access


class _Location:
    """Last accesses of one location. ``reads`` maps a task to its last read's count, and is cleared by a write."""

    __slots__ = ("reads", "told", "write_at", "write_by", "written")

    def __init__(self) -> None:
        self.write_by = self.write_at = 0  # epoch of the last write; task 0 for none
        self.written: _Told | None = None
        self.reads: dict[int, tuple[int, _Told]] = {}
        self.told: set[tuple[int, int, object]] = set()  # pairs reported, by the ids of their sites and the key


@final
class RaceClocks:
    """Follows executions and finds the pairs that race. Confined; `begin` before each execution.

    Args:
        with_stacks: Keep the calls that led to each access; several times slower.

    Attributes:
        pairs: What was found in this execution, by what tells pairs apart.
    """

    def __init__(self, *, with_stacks: bool = False) -> None:
        self._with_stacks = with_stacks
        self._attributes = _Attributes()
        self._living = Living(self._forget)
        self.begin()

    def begin(self) -> None:
        """Forget the last execution."""
        self.pairs: dict[tuple[object, ...], Pair] = {}
        self._clocks: list[list[int]] = [[], [0, 1]]  # by task: count of each task known to it
        self._published: dict[int, list[int]] = {}  # by id of the object: what was published on it
        self._locations: dict[object, dict[object, _Location]] = {}  # by id of the object, or file of a variable
        self._closures = Closures()
        self._living.clear()

    # What orders tasks

    def start(self, task: Task, child: Task) -> None:
        """See `Watch.start`."""
        clocks, number = self._clocks, child.number
        known = clocks[task.number]
        fresh = known + [0] * (number + 1 - len(known))
        fresh[number] = 1
        assert number == len(clocks), "tasks are numbered in order of creation"
        clocks.append(fresh)
        known[task.number] += 1

    def publish(self, task: Task, obj: object) -> None:
        """See `Watch.publish`."""
        if len(self._clocks) == 2:
            return  # a single task so far
        known = self._clocks[task.number]
        published = self._published.get(id(obj))
        if published is None:
            self._living.hold(obj)
            self._published[id(obj)] = known.copy()
        else:
            _join(published, known)
        known[task.number] += 1

    def acquire(self, task: Task, obj: object) -> None:
        """See `Watch.acquire`."""
        published = self._published.get(id(obj))
        if published is not None:
            _join(self._clocks[task.number], published)

    # Memory

    def access(self, task: Task, obj: object, site: Site, key: object, operation: str) -> None:
        """See `Watch.access`."""
        if len(self._clocks) == 2:
            if obj is None:
                self._closures.variable(task.number, site)
            return  # whatever a single task did comes before all others
        writes = operation == "write" or operation == "update"
        if obj is None:
            self._touch_variable(task, site, writes)
            return
        kind = type(obj)
        names = self._attributes[kind]
        if names is None:
            self._touch_container(task, obj, site, key, writes)
        elif key is NO_KEY and site.name is not None:
            place = names.get(site.name)
            if place is None:
                place = names[site.name] = place_of(kind, site.name)
            if place is STORED or (place is ASIDE and is_stored(obj, site.name)):
                self._touch(task, self._locations.get(id(obj)) or self._of(obj), site.name, site, writes, obj)
            elif place is MARKED and writes:
                self.publish(task, obj)
            elif place is MARKED:
                self.acquire(task, obj)

    def _touch_variable(self, task: Task, site: Site, writes: bool) -> None:
        variable = self._closures.variable(task.number, site)
        locations = self._locations.setdefault(site.digest, {})
        if isinstance(variable, str) or not self._closures.is_of_several(site, variable):
            self._touch(task, locations, variable, site, writes, None)
        elif locations.pop(variable, None) is not None:  # the second call: what was found may be of two variables
            for key, pair in list(self.pairs.items()):
                if pair.variable == (site.digest, variable):
                    del self.pairs[key]

    def _touch_container(self, task: Task, obj: object, site: Site, key: object, writes: bool) -> None:
        locations, known = self._of(obj), self._clocks[task.number]
        key = _WHOLE if _is_whole_method(obj, site) else _comparable(task, obj, key)
        others = (
            list(locations.items()) if key is _WHOLE else [(_WHOLE, locations[_WHOLE])] if _WHOLE in locations else ()
        )
        for other, location in others:
            if other is not key:
                self._compare(task, known, location, site, writes, (obj, other if key is _WHOLE else key))
        self._touch(task, locations, key, site, writes, obj)

    def _touch(
        self, task: Task, locations: dict[object, _Location], key: object, site: Site, writes: bool, owner: object
    ) -> None:
        location = locations.get(key)
        if location is None:
            location = locations[key] = _Location()
        number, reads, by = task.number, location.reads, location.write_by
        known = self._clocks[number]
        now = known[number]
        if not writes and number in reads and reads[number][0] == now:
            return  # it has read this already, nobody wrote since, and it published nothing
        if by == number and location.write_at == now and not reads:
            return  # since its last write nobody else came, and the task published nothing
        if (writes and reads) or (by and by != number):
            self._compare(task, known, location, site, writes, (owner, key))
        told = task.name, site, call_stack() if self._with_stacks else ()
        if writes:
            location.write_by, location.write_at, location.written = number, now, told
            reads.clear()
        else:
            reads[number] = (now, told)

    def _compare(
        self, task: Task, known: list[int], location: _Location, site: Site, writes: bool, named: tuple[object, object]
    ) -> None:
        by = location.write_by
        if by and by != task.number and (by >= len(known) or known[by] < location.write_at):
            told = location.written
            assert told is not None
            pair = id(told[1]), id(site), named[1]
            if pair not in location.told:
                location.told.add(pair)
                self._report(named, "write", told, task, site, writes)
        if writes:
            for by, (at, told) in location.reads.items():
                if by != task.number and (by >= len(known) or known[by] < at):
                    pair = id(told[1]), id(site), named[1]
                    if pair not in location.told:
                        location.told.add(pair)
                        self._report(named, "read", told, task, site, writes)

    def _report(
        self, named: tuple[object, object], before: _Kind, told: _Told, task: Task, site: Site, writes: bool
    ) -> None:
        stack = call_stack() if self._with_stacks else ()
        # Not by the classes' own methods: these are no code of ours, and the program's profile function would see them.
        first = tuple.__new__(Side, (told[0], before, told[1], told[2]))
        second = tuple.__new__(Side, (task.name, "write" if writes else "read", site, stack))
        pair = tuple.__new__(Pair, (_name(*named), first, second))
        self.pairs.setdefault(pair.key, pair)

    def _of(self, obj: object) -> dict[object, _Location]:
        found = self._locations.get(id(obj))
        if found is None:
            self._living.hold(obj)
            found = self._locations[id(obj)] = {}
        return found

    def _forget(self, known_by: int) -> None:
        for table in (self._published, self._locations):
            table.pop(known_by, None)


def _join(into: list[int], other: list[int]) -> None:
    """Raise each count to that of the other clock."""
    into.extend([0] * (len(other) - len(into)))
    for number, count in enumerate(other):
        if count > into[number]:
            into[number] = count


def _is_whole_method(obj: object, site: Site) -> bool:
    """Return whether a site calls a method whose first argument is no key."""
    if site.name is None or site.name == "__contains__" or site.operation not in ("read", "call"):
        return False  # what is searched for is the key, where there are keys
    return type(obj) not in CONTAINERS or not effect_of(type(obj), site.name).keyed


def _comparable(task: Task, obj: object, key: object) -> object:
    """Return what tells a key of a container from others, ``_WHOLE`` where it stands for several."""
    if type(key) in _SIMPLE_KEYS:
        is_from_end = type(key) is int and key < 0 and not isinstance(obj, dict)
        return len(obj) + key if is_from_end else key  # type: ignore[operator,arg-type]  # of a sequence
    if key is NO_KEY or isinstance(key, slice):
        return _WHOLE
    task.atomic += 1  # the key's own methods run without scheduling points
    try:
        return tuple.__new__(_Hashed, (hash(key), type(key).__name__))
    except TypeError:
        return _WHOLE
    finally:
        task.atomic -= 1


def _name(owner: object, key: object) -> str:
    """Return the text of a location: an attribute, an item, a whole container, or a variable's name."""
    if owner is None:
        return key.name if isinstance(key, Variable) else str(key)
    if issubclass(type(owner), (type, ModuleType)):
        return f"{owner.__name__}.{key}"  # type: ignore[attr-defined]  # classes and modules have it
    kind = type(owner)
    if not issubclass(kind, _CONTAINER_TYPES):
        return f"{kind.__qualname__}.{key}"
    if key is _WHOLE:
        return kind.__name__
    return f"{kind.__name__}[{key.kind if isinstance(key, _Hashed) else short_value(key)}]"
