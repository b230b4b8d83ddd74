"""Programs whose tasks meet only in what a C function, a built-in or generated code does to a shared object.

Each has two tasks, a reader and a writer of one object, and fails under some orders of the two: an explorer that does
not see the conflict takes the order it happened to run for the only one.
"""

from __future__ import annotations

import bisect
import collections
import copy
import functools
import heapq
import itertools
import json
import operator
import pickle
import queue
import random
import threading
from array import array
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from xml.etree import ElementTree

from tests.programs.bag import Bag

__all__ = ["PROGRAMS"]

PROGRAMS: dict[str, Callable[[], None]] = {}


def meets(read: Callable[..., object], write: Callable[..., object], make: Callable[[], object]) -> Callable[[], None]:
    """Return a program in which one thread reads what another one writes; it fails if the write comes first."""

    def program() -> None:
        shared, before, seen = make(), make(), []
        threads = [
            threading.Thread(target=lambda: seen.append(read(shared))),
            threading.Thread(target=write, args=[shared]),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expected = read(before)
        assert seen == [expected], f"read {seen[0]!r}"

    return program


def add(name: str, read: Callable[..., object], write: Callable[..., object], make: Callable[[], object]) -> None:
    """Put a program into the catalogue."""
    PROGRAMS[name] = meets(read, write, make)


def put(d: dict[str, int]) -> None:
    d["z"] = 0


def push(items: list[int]) -> None:
    items.append(0)


@dataclass
class Point:
    x: int = 1
    tags: list[int] = field(default_factory=list)


def move(point: Point) -> None:
    point.x = 2


class Box:
    def __init__(self) -> None:
        self.items = [1, 2]


def swap(box: Box) -> None:
    box.items = [3]


def element() -> ElementTree.Element:
    return ElementTree.Element("a")


def rows() -> list[list[int]]:
    return [[1, 2], [1, 2]]


def one() -> dict[str, int]:
    return {"a": 1}


def two() -> list[int]:
    return [1, 2]


def bag() -> tuple[Bag, list[int]]:
    items = [1, 2]
    return Bag(items), items


def stored(items: list[int], item: int) -> None:
    items[0] = item


add("dict of a dict", lambda d: dict(d), put, one)
add("copy.copy", lambda d: copy.copy(d), put, one)
add(
    "copy.deepcopy of what is inside", lambda outer: copy.deepcopy(outer), lambda outer: put(outer[0]), lambda: (one(),)
)
add("json.dumps", lambda d: json.dumps(d), put, one)
add("json.dumps of what is inside", lambda outer: json.dumps({"inner": outer}), put, one)
add("pickle.dumps of an instance", lambda p: pickle.loads(pickle.dumps(p)).x, move, Point)
add("sorted", lambda d: sorted(d), put, one)
add("union of dicts", lambda d: d | {"b": 2}, put, one)
add("union in place", lambda d: operator.ior({"b": 2}, d), put, one)
add("unpacking into a call", lambda d: dict(**d), put, one)
add("unpacking into a display", lambda items: [0, *items], push, two)
add("star arguments", lambda items: max(*items, 0), lambda items: items.append(5), lambda: [-1, -2])
add("join", lambda items: "".join(items), lambda items: items.append("z"), lambda: ["a", "b"])
add("map over a list", lambda items: list(map(str, items)), push, two)
add("map made by an alias", lambda items: list(functools.partial(map, str)(items)), push, two)
add("chain", lambda items: list(itertools.chain(items, items)), push, two)
add("islice", lambda items: list(itertools.islice(items, 9)), push, two)
add("reversed", lambda items: [*reversed(items)], push, two)
add("sum", lambda items: sum(items), lambda items: items.append(5), two)
add("any", lambda items: any(items), lambda items: items.append(5), lambda: [0])
add("functools.reduce", lambda items: functools.reduce(operator.add, items), lambda items: items.append(5), two)
add("comparison", lambda items: items == [1, 2], push, two)
add("comparison of what is inside", lambda outer: outer > ([9],), lambda outer: outer[0].append(9), lambda: ([9],))
add("comparison of dataclasses", lambda p: p == Point(), move, Point)
add("text of a dataclass", lambda p: repr(p), move, Point)
add("text of a dataclass's list", lambda p: f"{p}", lambda p: p.tags.append(1), Point)
add("dataclasses.replace", lambda p: replace(p, tags=[]).x, move, Point)
add("format with attributes", lambda box: "{0.items}".format(box), swap, Box)  # noqa: UP030, UP032 - this is the point
add("percent", lambda items: "%s" % (items,), push, two)  # noqa: UP031
add("f-string", lambda items: f"{items!r:>20}", push, two)
add("heapq.nsmallest", lambda items: heapq.nsmallest(1, items), push, two)
add("heapq.heappush", lambda items: heapq.heappop(items), lambda items: heapq.heappush(items, 0), two)
add("bisect.insort", lambda items: bisect.bisect(items, 0), lambda items: bisect.insort(items, 0), two)
add("random.choice", lambda items: random.choice(items), lambda items: operator.setitem(items, 0, 1), lambda: [0])
add("a shared iterator", lambda it: next(it), lambda it: next(it), lambda: iter([1, 2]))
add("a loop over a shared iterator", lambda it: [n for n in it], lambda it: next(it, None), lambda: iter([1, 2]))  # noqa: C416
add("a shared counter", lambda it: next(it), lambda it: it.__next__(), lambda: itertools.count())
add("a view", lambda view: list(view[1]), lambda view: put(view[0]), lambda: (d := one(), d.items()))
add(
    "a read-only proxy",
    lambda both: both[1].get("z"),
    lambda both: put(both[0]),
    lambda: (d := one(), MappingProxyType(d)),
)
add("a bound method", lambda both: both[1](), lambda both: push(both[0]), lambda: (n := two(), n.__len__))
add("an unbound method", lambda items: list.__len__(items), lambda items: list.append(items, 0), two)
add("operator.setitem", lambda d: operator.itemgetter("a")(d), lambda d: operator.setitem(d, "a", 2), one)
add("attrgetter", operator.attrgetter("x"), move, Point)
add("setattr by an alias", lambda p: p.x, lambda p: object.__setattr__(p, "x", 2), Point)
add("unpacking", lambda items: [(a, b) for a, b in [items]], lambda items: items.reverse(), two)
add("a pattern", lambda p: _matched(p), move, Point)
add("a chain of maps", lambda c: c["a"], lambda c: c.maps[0].update(a=2), lambda: collections.ChainMap(one()))
add("a counter of things", lambda c: c.most_common(1), lambda c: c.update("bb"), lambda: collections.Counter("a"))
add("a missing key", lambda d: len(d), lambda d: d["z"], lambda: collections.defaultdict(int, a=1))
add("bytes", lambda b: bytes(b), lambda b: b.extend(b"c"), lambda: bytearray(b"ab"))
add("an array", lambda a: a.tolist(), lambda a: a.append(3), lambda: array("i", [1, 2]))
# Methods that know their class, which those of an element do from 3.12 on only.
add("an array extended", lambda a: a.tolist(), lambda a: a.extend(array("i", [3])), lambda: array("i", [1, 2]))
add("an element", lambda e: len(e.findall("b")), lambda e: e.append(ElementTree.Element("b")), element)
add("a deque", lambda d: d[-1], lambda d: d.rotate(), lambda: collections.deque([1, 2]))
add("the last item", lambda items: items[-1], push, two)
add("a slice", lambda items: items[:], lambda items: operator.setitem(items, slice(0, 1), []), two)
add("deletion of a slice", lambda items: len(items), lambda items: operator.delitem(items, slice(0, 1)), two)
add("in-place addition to an attribute", lambda box: list(box.items), lambda box: _extend(box), Box)
add("repetition", lambda items: items * 2, push, two)
add("membership", lambda items: 0 in items, push, two)
add("membership of an item that is stored by its index", lambda items: 7 in items, lambda items: stored(items, 7), two)
add("membership in a view of values", lambda d: 0 in d.values(), put, one)
add("length of a foreign container", lambda both: len(both[0]), lambda both: push(both[1]), bag)
add("a list of a foreign container", lambda both: list(both[0]), lambda both: push(both[1]), bag)
add("a loop over a foreign container", lambda both: [n for n in both[0]], lambda both: push(both[1]), bag)  # noqa: C416
add("unpacking of a foreign container", lambda both: [*both[0]], lambda both: push(both[1]), bag)
add("membership in a foreign container", lambda both: 0 in both[0], lambda both: push(both[1]), bag)
add("truth of a foreign container", lambda both: not both[0], lambda both: both[1].clear(), bag)
add("truth", lambda items: not items, lambda items: items.clear(), two)
add("a method that map calls", lambda d: len(d), lambda d: list(map(d.pop, ["a"])), one)
add("a method that an iterator calls", lambda items: len(items), lambda items: list(iter(items.pop, 1)), two)
add("chain.from_iterable", lambda rows: list(itertools.chain.from_iterable(rows)), lambda rows: push(rows[0]), rows)
add("accumulate", lambda rows: list(itertools.accumulate(rows))[-1], lambda rows: push(rows[0]), rows)
add("starmap", lambda rows: list(itertools.starmap(min, rows)), lambda rows: push(rows[0]), rows)
add("lengths by map", lambda rows: list(map(len, rows)), lambda rows: push(rows[0]), rows)
add("attributes by map", lambda p: list(map(operator.attrgetter("x"), [p])), move, Point)
add("filter of what is inside", lambda rows: len(list(filter(None, rows))), lambda rows: rows[0].clear(), rows)
add("search in a list of lists", lambda rows: [1, 2] in rows[:1], lambda rows: push(rows[0]), rows)
add("search in a tuple of lists", lambda both: [1, 2] in both, lambda both: push(both[0]), lambda: (two(),))
add("search in the values of a dict", lambda d: [1, 2] in d.values(), lambda d: push(d[0]), lambda: {0: two()})
add("f-string of a display", lambda items: f"{[items]}", push, two)
add("a merge", lambda items: list(heapq.merge(items, [3])), push, two)
add("tee", lambda both: list(both[1]), lambda both: push(both[0]), lambda: (n := two(), itertools.tee(n)[0]))
add("an array gone through", lambda a: [*enumerate(a)], lambda a: a.append(3), lambda: array("i", [1, 2]))
add("a slice stored", lambda items: _stored_in_slice(items), push, two)
add("a slice stored in a shared list", lambda both: _stored(both), lambda both: push(both[1]), rows)
add("copy.copy of an instance", lambda p: copy.copy(p).x, move, Point)
add("attributes of a new class", lambda d: "z" in vars(type("T", (), d)), put, one)
add("keywords of a class", lambda d: _keywords(d), put, one)
add("text of an exception", lambda e: str(e), lambda e: push(e.args[0]), lambda: ValueError(two()))
add("sorting lists", lambda rows: _sorted_first(rows), lambda rows: push(rows[0]), lambda: [[1], [1, -1]])


add("the last part of a condition", lambda items: 1 if True and items else 0, lambda items: items.clear(), two)
add("the last part of what is negated", lambda items: not (0 or items), lambda items: items.clear(), two)
add("any of a generator", lambda rows: any(row for row in rows), lambda rows: rows[0].clear(), lambda: [[1]])
add(
    "keys that lists are sorted by",
    lambda rows: _sorted_by_rows(rows),
    lambda rows: push(rows[0]),
    lambda: [[1], [1, -1]],
)
add("a dict of lists that are pairs", lambda rows: dict(rows), lambda rows: stored(rows[0], 7), rows)
add("update with lists that are pairs", lambda rows: _updated(rows), lambda rows: stored(rows[0], 7), lambda: [[1, 2]])
add("search among own items", lambda items: _found(items), push, two)
add("count of own items", lambda items: _counted(items), push, two)
add("sort of own items", lambda rows: _sorted_own(rows), lambda rows: push(rows[0]), lambda: [[1], [1, -1]])
add("text of own items", lambda items: _shown(items), push, two)
add("comparison of own items", lambda items: _equal(items), push, two)
add("in-place addition to an own item", lambda items: len(items), lambda items: _extend_own(items), two)
add("setattr called by another", lambda p: p.x, lambda p: list(map(setattr, [p], ["x"], [2])), Point)
add("the descriptor of a slot", lambda s: s.n, lambda s: Slots.n.__set__(s, 2), lambda: Slots())
add("attributes by __dict__", lambda p: p.x, lambda p: p.__dict__.update(x=2), Point)
add("attributes by vars", lambda p: vars(p).get("x"), lambda p: setattr(p, "x", 2), Point)
add("attributes of a class by vars", lambda c: "late" in vars(c), lambda c: setattr(c, "late", 1), lambda: _new_class())
add("attributes of a class by dir", lambda c: "late" in dir(c), lambda c: setattr(c, "late", 1), lambda: _new_class())
add("a generic function", lambda f: f(1), lambda f: f.register(int, lambda _: "an int"), lambda: _generic())
add("a generic method", lambda c: c().f(1), lambda c: c.f.register(int, lambda *_: "an int"), lambda: _generic_method())


class Slots:
    __slots__ = ("n",)

    def __init__(self) -> None:
        self.n = 1


def _sorted_by_rows(rows: list[list[int]]) -> list[int]:
    return sorted([0, 1], key=lambda n: rows[n])


def _updated(rows: list[list[int]]) -> int | None:
    own = {}
    own.update(rows)
    return own.get(1)


def _found(items: list[int]) -> bool:
    own = [items]
    return [1, 2] in own


def _counted(items: list[int]) -> int:
    own = [items]
    return own.count([1, 2])


def _sorted_own(rows: list[list[int]]) -> bool:
    own = [rows[0], rows[1]]
    own.sort()
    return own[0] is rows[0]


def _shown(items: list[int]) -> str:
    own = {"a": items}
    return f"{own}"


def _equal(items: list[int]) -> bool:
    own = [items]
    return own == [[1, 2]]


def _extend_own(items: list[int]) -> None:
    own = {"a": items}
    more = [3]
    own["a"] += more


def _new_class() -> type:
    return type("New", (), {})


def _generic() -> Callable[[object], str]:
    @functools.singledispatch
    def f(_: object) -> str:
        return "anything"

    return f


def _generic_method() -> type:
    class C:
        @functools.singledispatchmethod
        def f(self, _: object) -> str:
            return "anything"

    return C


def _stored_in_slice(items: list[int]) -> list[int]:
    own = [0]
    own[:] = items
    return own


def _stored(both: list[list[int]]) -> list[int]:
    both[0][1:] = both[1]
    return both[0][:]


def _keywords(keywords: dict[str, int]) -> list[str]:
    class Base:
        def __init_subclass__(cls, **given: int) -> None:
            cls.given = sorted(given)

    class Derived(Base, **keywords): ...

    return Derived.given


def _sorted_first(rows: list[list[int]]) -> list[int]:
    rows.sort()
    return rows[0][:]


def _matched(point: Point) -> bool:
    match point:
        case Point(x=1):
            return True
    return False


def _extend(box: Box) -> None:
    box.items += [3]


def cached() -> None:
    """Two tasks ask a cache at once: both compute if neither has stored the value."""
    made = []

    @functools.cache
    def compute(n: int) -> int:
        made.append(n)
        return n

    threads = [threading.Thread(target=compute, args=[1]), threading.Thread(target=lambda: compute(1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


PROGRAMS["lru_cache"] = cached


def _rename(thread: threading.Thread) -> None:
    thread.name = "renamed"


add("Queue.unfinished_tasks", lambda q: q.unfinished_tasks, lambda q: q.put(0), queue.Queue)
add("LifoQueue.queue", lambda q: list(q.queue), lambda q: q.put(0), queue.LifoQueue)
add("Semaphore._value", lambda s: s._value, lambda s: s.release(), threading.Semaphore)
add("Barrier.broken", lambda b: b.broken, lambda b: b.abort(), lambda: threading.Barrier(2))
add("Event._flag", lambda e: e._flag, lambda e: e.set(), threading.Event)
add("Future._state", lambda f: f._state, lambda f: f.set_result(0), futures.Future)
add("Thread.name", lambda t: t.name, _rename, lambda: threading.Thread(name="made"))
