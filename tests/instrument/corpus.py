# ruff: noqa
"""Small functions, one per construct: each takes a log and gives a result, or raises.

They are run as they are and with scheduling points in them; results, exceptions, tracebacks and logs must agree.
Neither linter nor formatter may touch them: every way to write it is the point.
"""

# fmt: off

import asyncio
import contextlib
import dataclasses
import enum
import functools
import sys
import traceback
from collections import namedtuple
from typing import Any

counter = 0
table = {"a": 1}
limit = 3
unset: int


def note(log, name, value=None):
    log.append(name)
    return value


class Box:
    kind = "box"

    def __init__(self, log, **fields):
        self.__dict__.update(fields)
        object.__setattr__(self, "_log", log)

    def __setattr__(self, name, value):
        self._log.append(f"set {name}={value!r}")
        object.__setattr__(self, name, value)

    def __getattr__(self, name):
        self._log.append(f"missing {name}")
        raise AttributeError(f"no {name} here", name=name, obj=self)

    def __getitem__(self, key):
        self._log.append(f"get {key!r}")
        return self.__dict__.get("items_", {}).get(str(key), 7)

    def __setitem__(self, key, value):
        self._log.append(f"put {key!r}={value!r}")

    def __delitem__(self, key):
        self._log.append(f"del {key!r}")

    def __delattr__(self, name):
        self._log.append(f"delattr {name}")

    def __contains__(self, item):
        self._log.append(f"contains {item!r}")
        return True

    def __bool__(self):
        self._log.append("bool")
        return True

    def __len__(self):
        self._log.append("len")
        return 3

    def __iter__(self):
        self._log.append("iter")
        return iter([1, 2])

    def __iadd__(self, other):
        self._log.append(f"iadd {other!r}")
        return self

    def method(self, *args, **kwargs):
        self._log.append(f"method {args} {kwargs}")
        return args, kwargs

    def itself(self):
        return self

    @property
    def computed(self):
        self._log.append("computed")
        return 5

    @computed.setter
    def computed(self, value):
        self._log.append(f"computed={value!r}")

    @classmethod
    def make(cls, log):
        return cls(log)

    @staticmethod
    def plain(x):
        return x * 2


# Attributes and subscripts


def attribute_reads(log):
    box = Box(log, x=1)
    return box.x, box.kind, box.computed, Box.kind, box.itself().itself().x


def attribute_of_compound_object(log):
    return note(log, "object", Box(log, x=1)).x


def attribute_stores(log):
    box = Box(log)
    box.x = note(log, "value", 1)
    box.itself().y = note(log, "value", 2)
    box.a = box.b = note(log, "value", 3)
    box.c, box.d = note(log, "value", (4, 5))
    box.computed = 3
    return sorted(set(box.__dict__) - {"_log"})


def attribute_deleted(log):
    box = Box(log, x=1)
    del box.x
    del note(log, "object", box).y


def attribute_missing(log):
    return Box(log).absent


def attribute_of_none(log):
    value = None
    return value.thing


def attribute_store_refused(log):
    (5).x = note(log, "value", 1)


def subscript_forms(log):
    box, key = Box(log), "k"
    items = [1, 2, 3, 4]
    return box[key], box[note(log, "key", "q")], box.itself()[note(log, "key", 2)], box[-1], items[1], items[-1]


def subscript_slices(log):
    items, start, box = list(range(10)), 2, Box(log)
    part = items[start:], items[:3], items[1:7:2], items[:], items[note(log, "low", 1) : note(log, "high", 4)]
    return part, box[1:2], box[1:2, 3], box[::2, note(log, "x", 1)], box.itself()[start:9], box[start:, ...]


def subscript_tuple_keys(log):
    box, key = Box(log), (3, 4)
    return box[1, 2], box[(1, note(log, "two", 2))], box[*key, 5], box[key]


def subscript_stores(log):
    box, key = Box(log), "k"
    box[key] = note(log, "value", 1)
    box[note(log, "key", 2)] = note(log, "value", 2)
    note(log, "object", box)[note(log, "key", 3)] = note(log, "value", 3)
    box[1:2] = note(log, "value", 4)
    box.itself()[note(log, "low", 1) :] = note(log, "value", 5)
    box[key], box[note(log, "key", 6)] = note(log, "values", (6, 7))
    box[(key := "other")] = key
    return key


def subscript_deletes(log):
    box, items = Box(log), [1, 2, 3, 4, 5]
    del box[1], box[note(log, "key", 2)], note(log, "object", box)[note(log, "key", 3)]
    del items[1:3], items[-1]
    return items


def subscript_key_missing(log):
    return {"a": 1}["b"]


def subscript_index_out_of_range(log):
    items = [1]
    return items[note(log, "index", 5)]


def subscript_of_what_has_none(log):
    number = 5
    return number[note(log, "key", 0)]


def subscript_store_refused(log):
    note(log, "object", (1, 2))[note(log, "key", 0)] = note(log, "value", 1)


def subscript_unbound_key(log):
    items = [1]
    if log is None:
        key = 0
    return items[key]


def subscript_key_bound_on_the_way(log):
    items = {1: "one", 2: "two"}
    return [items[(key := 2)], items[key], items[key - 1]], items.get((key := 1))


def subscript_object_rebound_by_its_key(log):
    items = {"k": "old"}
    return items[(items := {"k": "new"}) and "k"], items


# Calls


def calls(log):
    box, args, kwargs = Box(log), (1, 2), {"k": 3}
    box.method()
    box.method(1)
    box.method(note(log, "a", 1), note(log, "b", 2))
    box.method(*args)
    box.method(0, *args, **kwargs)
    box.method(*note(log, "star", args), last=note(log, "last", 4), **note(log, "stars", kwargs))
    box.method(k=note(log, "keyword", 1))
    box.method(note(log, "positional", 1), k=note(log, "keyword", 1))
    box.itself().itself().method(note(log, "x"))
    return Box.plain(note(log, "plain", 4)), Box.make(log).kind, Box.method(box, 9)


def call_keywords_evaluated_in_order(log):
    box = Box(log)
    return box.method(a=note(log, 1), b=note(log, 2), *[note(log, 3)], c=note(log, 4))


def call_passing_on(log):
    def outer(*args, **kwargs):
        box = Box(log)
        box.method(*args, **kwargs)
        return box.method(*args, 3, k=1, **kwargs)

    return outer(1, 2, z=5)


def call_passing_on_what_was_rebound(log):
    def outer(*args, **kwargs):
        args = [9]
        kwargs.update(a=1)
        return Box(log).method(*args, **kwargs)

    return outer(1)


def call_arity_wrong(log):
    return Box.plain(note(log, 1), note(log, 2))


def call_arity_wrong_for_method(log):
    return Box(log).itself(note(log, 1))


def call_keyword_unknown(log):
    return Box(log).itself(k=note(log, 1))


def call_of_what_cannot_be_called(log):
    return Box(log, x=5).x(note(log, "argument"))


def call_of_what_cannot_be_called_with_keywords(log):
    return Box(log, x=5).x(k=note(log, "argument"))


def call_keyword_given_twice(log):
    return note(k=1, **{"k": 2})


def call_star_of_what_is_not_iterable(log):
    return note(*5)


def call_starred_forms(log):
    items, more, pairs = [1, 2], {3}, {"sep": "-"}
    print(*items, file=open_nothing(log), **{**pairs, "end": ""})
    return [*items, *more], (*items, 0), {*items, *more}, {**pairs, "x": 1}, max(*items, 9)


class _Sink:
    def __init__(self, log):
        self.log = log

    def write(self, text):
        self.log.append(text)


def open_nothing(log):
    return _Sink(log)


def call_chain_over_lines(log):
    return (
        Box(log)
        .itself()
        .method(note(log, "x"))
        [0]
    )


def call_chain_over_lines_failing(log):
    return (
        Box(log)
        .itself()
        .itself(
            note(log, "x"),
        )
    )


def call_chain_over_lines_failing_with_keyword(log):
    return (
        Box(log)
        .itself()
        .itself(
            k=note(log, "x"),
        )
    )


def call_chain_over_lines_failing_with_star(log):
    return (
        Box(log)
        .itself()
        .itself(
            *note(log, "x", [1]),
        )
    )


def attribute_chain_over_lines_failing(log):
    return Box(log).itself().absent.more


def subscript_over_lines_failing(log):
    return (
        Box(log, x=[])
        .x[
            note(log, "index", 4)
        ]
    )


def calls_of_accessors(log):
    box = Box(log, x=1)
    setattr(box, "y", note(log, "value", 2))
    setattr(box, note(log, "name", "z"), 3)
    delattr(box, "q")
    return getattr(box, "x"), getattr(box, "none", note(log, "default", 4)), hasattr(box, "w"), hasattr(box, "x")


def call_of_accessor_failing(log):
    return getattr(Box(log), note(log, "name", "nothing"))


def calls_of_builtins(log):
    items, box = [3, 1, 2], Box(log)
    numbers = len(items), sorted(items), sum(items), max(items), min(items, key=lambda x: -x), any(items), len(box)
    steps = list(enumerate(items)), list(zip(items, box)), list(map(str, items)), list(filter(None, items))
    return numbers, steps, list(reversed(items)), next(iter(items)), dict(a=1), bool(box), repr(items), ", ".join("ab")


def call_of_a_builtin_given_another_meaning(log):
    len = lambda x: note(log, "ours", -1)
    return len([1, 2])


def call_result_called(log):
    return Box(log).itself.__call__().method(1), (lambda x: x + 1)(2)


def call_of_super(log):
    class Base:
        def __init__(self, value):
            self.value = value

        def m(self, x=0):
            return ["base", x, self.value]

    class Child(Base):
        def __init__(self):
            super().__init__(note(log, "value", 4))

        def m(self, x=0):
            inner = [super(Child, self).m(i) for i in range(2)]
            return super().m(note(log, "x", 1)) + super().m() + inner + [self.n().m.__name__]

        def n(self):
            return super()

        @classmethod
        def c(cls):
            return super().__new__(cls).__class__ is __class__

    return Child().m(), Child.c()


def call_of_super_misplaced(log):
    def lonely():
        return super().x

    return lonely()


def calls_of_type_and_instance_checks(log):
    return isinstance(Box(log), Box), issubclass(bool, int), type(5) is int, callable(note)


# Augmented assignment


def augmented_names(log):
    n, items = 1, [1]
    alias = items
    n += note(log, "two", 2)
    items += note(log, "more", [2])
    n *= n + (n := 10)
    return n, items is alias, items


def augmented_name_unbound(log):
    n += note(log, "value", 1)


def augmented_global(log):
    global counter
    counter = 5
    counter += note(log, "value", 2)
    counter -= 1
    return counter


def augmented_nonlocal(log):
    n = 1

    def add():
        nonlocal n
        n += note(log, "value", 2)
        return n

    return add(), add(), n


def augmented_attributes(log):
    box = Box(log, x=1, items=[1])
    box.x += note(log, "value", 2)
    box.itself().x *= note(log, "value", 3)
    box.items += [2]
    box.computed += 1
    note(log, "object", box).x -= note(log, "value", 1)
    return box.x, box.items


def augmented_attribute_failing(log):
    box = Box(log, x=1)
    box.x += note(log, "value", "text")


def augmented_attribute_missing(log):
    Box(log).absent += note(log, "value", 1)


def augmented_subscripts(log):
    box, items, key = Box(log), [1, 2, 3], 1
    items[0] += note(log, "value", 2)
    items[key] += note(log, "value", 2)
    items[note(log, "key", 2)] *= note(log, "value", 2)
    box[note(log, "key", 1)] += note(log, "value", 2)
    note(log, "object", box)[note(log, "key", 1)] += note(log, "value", 2)
    items[0:2] += note(log, "value", [9])
    note(log, "object", items)[note(log, "low", 0) : note(log, "high", 1)] += note(log, "value", [8])
    box[1, 2:3] += 1
    box[note(log, "a"), 1 : note(log, "b", 2)] += 1
    return items, sorted(locals()) == ["box", "items", "key", "log"]


def augmented_subscript_failing(log):
    {}[note(log, "key", "k")] += note(log, "value", 1)


def augmented_subscript_store_failing(log):
    items = ([1], 2)
    try:
        items[0] += note(log, "value", [2])
    except TypeError as error:
        return str(error), items


def augmented_value_rebinds_its_object(log):
    items = other = [1, 2]
    items[0] += (items := [50, 60])[1]
    key = 0
    other[key] += (key := 1)
    return items, other, key


def augmented_value_deletes(log):
    box = Box(log, x=1)

    def value():
        nonlocal box
        kept = box
        del box
        return kept.x

    try:
        box.x += value()
        box.x
    except NameError as error:
        return str(error)


def augmented_value_yields(log):
    def steps():
        items = [1]
        items[(yield "key")] += yield "value"
        return items

    generator = steps()
    sent = [next(generator), generator.send(0)]
    try:
        generator.send(5)
    except StopIteration as stop:
        return sent, stop.value


# Binding


def unpacking(log):
    a, b = note(log, "pair", (1, 2))
    (c, [d, *e]), f = (3, "xyz"), 4
    *g, h = {5: 1, 6: 2}
    a, b = b, a
    [i] = {7}
    return a, b, c, d, e, f, g, h, i


def unpacking_too_many(log):
    a, b = [1, 2, 3]


def unpacking_too_few(log):
    a, *b, c = note(log, "value", [1])


def unpacking_what_is_not_iterable(log):
    a, b = 5


def walrus_forms(log):
    if (n := note(log, "n", 3)) and (m := n + 1) > 3:
        n = n * 10
    squares = [last := x * x for x in range(4)]
    found = any((hit := x) > 1 for x in squares)
    return n, m, squares, last, found, hit


def globals_rebound(log):
    global limit
    old = limit
    limit = note(log, "new", 4)
    seen = limit
    del limit
    try:
        limit
    except NameError as error:
        text = str(error)
    limit = old
    for limit in (7, old):
        log.append(limit)
    return seen, text, limit


def globals_imported_and_defined(log):
    global math, helper, Thing
    import math

    def helper():
        return math.floor(1.5)

    class Thing:
        size = 3

    result = helper(), Thing.size, math.__name__
    del math, helper, Thing
    return result


def nonlocal_names(log):
    n = 0

    def add(by=1):
        nonlocal n
        n = n + by
        return n

    def read():
        return n

    add()
    add(by=note(log, "by", 4))
    n = n * 2
    return read(), [f() for f in (add, read)]


def nonlocal_name_unbound(log):
    def read():
        return later

    try:
        read()
    except NameError as error:
        text = type(error).__name__, str(error)
    later = 1
    return text, read()


def loop_variable_captured(log):
    functions = []
    for i in range(3):
        functions.append(lambda: i)
    return (
        [f() for f in functions],
        [f() for f in [lambda: j for j in range(3)]],
        [f() for f in list((lambda: k) for k in range(2))],
    )


def deleted_names(log):
    x = 1
    del x
    try:
        x
    except UnboundLocalError as error:
        return str(error)


def annotated_names(log):
    x: note(log, "never evaluated") = 1
    y: int
    box = Box(log)
    box.z: "text" = note(log, "value", 2)
    box[0]: int = 3
    return x, box.z, "y" in locals()


# Comparisons, truth, conditions


def comparisons(log):
    a, b, c = 1, 2, 3
    chained = a < b < c, a < note(log, "b", 5) < note(log, "c", 3) < note(log, "d", 9)
    member = a in [1, 2], note(log, "a", 1) in Box(log), a not in (1, 2), b in {b: c}, a < b in [2] != []
    return chained, member, "x" in "xyz", a is a, None is not a


def comparison_in_what_is_no_container(log):
    return 1 in 5


def truth_tests(log):
    box, empty = Box(log), []
    a = 1 if box else 2
    b = 1 if empty else note(log, "else", 2)
    c = box and empty or note(log, "last", 3)
    d = not box, not empty, not note(log, "call", "")
    while empty:
        empty.pop()
    if not empty and box or d:
        a += 1
    assert box, note(log, "never")
    return a, b, c, d


def truth_test_failing(log):
    class Odd:
        def __bool__(self):
            raise ValueError("neither")

    odd = Odd()
    if odd:
        return 1


def constant_conditions(log):
    if __debug__:
        first = lambda: 1
    if not __debug__:
        second = lambda: 2
    while True:
        break
    if 0:
        third = lambda: 3
    return first()


def assertion_failing(log):
    items = [1]
    assert items == [2], f"not {items!r}"


def conditional_expressions(log):
    return [note(log, "yes", 1) if x else note(log, "no", 2) for x in (0, 1, [], [0])]


# Loops and comprehensions


def loops(log):
    total = 0
    for x in [1, 2, 3, 4]:
        if x == 2:
            continue
        if x == 4:
            break
        total += x
    else:
        total = -1
    for a, (b, *c) in [(1, (2, 3))]:
        total += a + b + len(c)
    else:
        total += 100
    box = Box(log)
    for box.x in range(2):
        pass
    for box[note(log, "key")] in range(2):
        pass
    while total > 200:
        total -= 1
    else:
        total += 1
    return total


def loop_over_what_is_not_iterable(log):
    for x in note(log, "iterable", 5):
        pass


def loop_over_a_changing_list(log):
    items = [1, 2, 3]
    for x in items:
        if x < 3:
            items.append(x + 10)
        items.remove(x)
    return items


def loop_over_a_changing_dict(log):
    items = {1: 1}
    for key in items:
        items[key + 1] = 2


def loop_over_the_items_of_a_changing_dict(log):
    items = dict.fromkeys(range(3))
    for key, _ in items.items():
        del items[key]


def loop_over_a_changing_set(log):
    items = {1}
    for key in items:
        items.add(key + 1)


def loop_over_an_iterator_that_fails(log):
    class Failing:
        def __iter__(self):
            return self

        def __next__(self):
            raise KeyError("step")

    for _ in Failing():
        pass


def comprehensions(log):
    rows = [[1, 2], [3]]
    box = Box(log)
    flat = [x for row in rows for x in row if x != 2], {x: y for x, y in zip("ab", box)}, {len(r) for r in rows}
    nested = [[note(log, x, x) for x in row] for row in rows]
    return flat, nested, [x for x in [x for x in range(3)]], sum(x for row in rows for x in row), [i for i in box]


def comprehension_names_stay_inside(log):
    x = "outer"
    [x for x in range(3)]
    {x: x for x in range(3)}
    list(x for x in range(3))
    return x, [x for x in x]


def comprehension_failing(log):
    return [1 / x for x in (1, 0)]


def generator_expression_failing(log):
    return sum(1 / x for x in (1, 0))


def generator_expression_is_lazy(log):
    items = [1, 2]
    lazy = (note(log, x, x) for x in items)
    log.append("made")
    items.append(3)
    return list(lazy)


def generator_expression_takes_its_first_iterable_at_once(log):
    return list((x for x in 5))


def comprehension_in_class_body(log):
    class Table:
        rows = [1, 2]
        doubled = [r * 2 for r in rows]
        total = sum(r for r in rows)
        text = {r: str(r) for r in rows}

    return Table.doubled, Table.total, Table.text


# Generators and coroutines


def generators(log):
    def count(n):
        received = []
        for i in range(n):
            received.append((yield i))
        return received

    def outer():
        box = Box(log)
        result = yield from count(2)
        box.method((yield "in call"), k=(yield "in keyword"))
        box[(yield "in subscript")] = yield "value"
        yield from [7, 8]
        return result

    generator, got = outer(), []
    value = None
    while True:
        try:
            value = generator.send(None if value is None else f"sent {value}")
        except StopIteration as stop:
            return got, stop.value
        got.append(value)
        if value in (7, 8):
            value = None


def generator_closed(log):
    def steps():
        try:
            yield 1
        finally:
            log.append("closed")

    for x in steps():
        break
    generator = steps()
    next(generator)
    try:
        generator.throw(ValueError("thrown"))
    except ValueError as error:
        return str(error)


def coroutines(log):
    class Resource:
        async def __aenter__(self):
            log.append("enter")
            return self

        async def __aexit__(self, *error):
            log.append("exit")

        async def value(self, x, k=0):
            await asyncio.sleep(0)
            return note(log, x, x + k)

        async def __aiter__(self):
            for i in range(3):
                yield i

    async def main():
        async with Resource() as first, Resource() as second:
            box = Box(log)
            box.method(await first.value(1), k=await second.value(2, k=await first.value(3)))
            box[await first.value(0)] += await first.value(9)
            numbers = [x async for x in first if x]
            async for n in second:
                numbers.append(n)
            return (
                numbers,
                [await first.value(i) for i in range(2)],
                {x: x async for x in first},
                [y async for y in (x async for x in first)],
            )

    return run(main())


def coroutine_failing(log):
    async def deep():
        return [].pop()

    async def main():
        return await deep()

    run(main())


def run(coroutine):
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


# With, try, match, del


class Manager:
    def __init__(self, log, name, swallow=False):
        self.log, self.name, self.swallow = log, name, swallow

    def __enter__(self):
        self.log.append(f"enter {self.name}")
        return self

    def __exit__(self, kind, error, traceback):
        self.log.append(f"exit {self.name} {kind and kind.__name__}")
        return self.swallow


def managers(log):
    box = Box(log)
    with Manager(log, "a") as a, Manager(log, note(log, "b", "b")), Manager(log, "c") as box.c:
        log.append(a.name)
    with Manager(log, "d", swallow=True):
        raise ValueError
    with contextlib.suppress(KeyError):
        {}["x"]
    return box.c.name


def manager_failing(log):
    with Manager(log, "a"), Manager(log, "b") as b:
        b.absent


def manager_that_is_none(log):
    with note(log, "manager", 5):
        pass


def exceptions(log):
    def attempt(error):
        try:
            if error:
                raise error
            log.append("fine")
        except (KeyError, IndexError) as caught:
            return "lookup", str(caught)
        except ValueError:
            return "value"
        else:
            return "else"
        finally:
            log.append("finally")

    got = [attempt(e) for e in (None, KeyError("k"), ValueError())]
    try:
        attempt(TypeError("other"))
    except TypeError as error:
        got.append(error.__context__)
    try:
        raise ExceptionGroup("all", [ValueError(1), KeyError(2)])
    except* ValueError as group:
        got.append(len(group.exceptions))
    except* KeyError as group:
        got.append(str(group.exceptions[0]))
    return got


def exception_chained(log):
    try:
        {}["k"]
    except KeyError as error:
        raise RuntimeError(note(log, "text", "wrapped")) from error


def exception_from_deep_inside(log):
    def a():
        return b(note(log, "a"))

    def b(x):
        return Box(log).method(*[c(y) for y in (x, 1)])

    def c(x):
        if x == 1:
            raise LookupError("deep")

    a()


def exception_in_finally_with_functions(log):
    try:
        try:
            1 / 0
        finally:
            log.append((lambda: "cleaned")())
    except ZeroDivisionError:
        return [(lambda: 1)(), (lambda: 2)()]


def returns_through_finally(log):
    def f():
        for x in [1, 2]:
            try:
                if x == 2:
                    return x
                continue
            finally:
                log.append(lambda: x) or log.append(x)
                log.pop(-2)

    return f()


Point = namedtuple("Point", "x y")


@dataclasses.dataclass
class Shape:
    sides: int
    name: str = "shape"
    parts: list = dataclasses.field(default_factory=list)


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


def matching(log):
    def classify(value):
        match value:
            case 0 | 1:
                return "small"
            case Colour.RED:
                return "red"
            case Point(x=0, y=y):
                return "axis", y
            case Shape(4, name=n) if note(log, "guard", n):
                return "four", n
            case [first, *rest]:
                return "list", first, rest
            case {"k": k, **others}:
                return "dict", k, others
            case str() as text if text:
                return text
            case _:
                return "other"

    values = [0, Colour.RED, Point(0, 3), Shape(4), [1, 2, 3], {"k": 1, "z": 2}, "text", "", 9.5]
    return [classify(value) for value in values]


# Definitions


def decorate(log, name):
    log.append(f"make {name}")

    def decorator(function):
        log.append(f"apply {name}")

        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            log.append(f"call {name}")
            return function(*args, **kwargs)

        return wrapper

    return decorator


def definitions(log):
    @decorate(log, "outer")
    @decorate(log, "inner")
    def f(a, /, b=note(log, "default", 2), *rest, c, d=note(log, "keyword default", 4), **others) -> note(
        log, "returns"
    ):
        """Text."""
        return a, b, rest, c, d, others

    g = lambda x=note(log, "lambda default", 1), *a, k=2, **kw: (x, a, k, kw)
    pair = (lambda: 1, lambda: 2)
    return f(1, c=3), f(1, 2, 3, c=4, z=5), g(), g(9, 8, k=7, y=6), [h() for h in pair], f.__doc__, f.__name__


def definition_signature_survives(log):
    def f(a: int, b: "str" = "x", *, c: list[int] = None) -> dict[str, note(log, "evaluated", int)]:
        local: float = 1
        return f.__annotations__

    return {name: str(value) for name, value in f().items()}


def classes(log):
    class Meta(type):
        def __new__(meta, name, bases, namespace, **options):
            log.append(sorted(options))
            return super().__new__(meta, name, bases, namespace)

        def __init__(cls, name, bases, namespace, **options):
            super().__init__(name, bases, namespace)

    class Base(metaclass=Meta, option=note(log, "option", 1)):
        __slots__ = ("_x", "__hidden")
        shared = []

        def __init__(self):
            self._x = 1
            self.__hidden = [2]
            self.__hidden += [3]

        def hidden(self):
            self.__hidden.append(note(log, "more", 4))
            return self.__hidden, getattr(self, "_Base__hidden") is self.__hidden

        @property
        def x(self):
            return self._x

        @x.setter
        def x(self, value):
            self._x += value

        @staticmethod
        def s(v):
            return v

        @classmethod
        def c(cls):
            return cls.__name__

        def __eq__(self, other):
            return self._x == other._x

    base = Base()
    base.x = 5
    try:
        base.extra = 1
    except AttributeError as error:
        text = str(error)
    return base.hidden(), base.x, Base.s(1), Base.c(), base == Base(), text, Base.__qualname__


class _Private:
    def __init__(self, log):
        self.__log = log
        self.__n = 0

    def bump(self):
        self.__n += note(self.__log, "by", 2)
        return self.__n


def private_names(log):
    private = _Private(log)
    private.bump()
    private._Private__n += 1
    return private.bump(), sorted(vars(private))


def dataclass_methods(log):
    @dataclasses.dataclass(order=True)
    class Item:
        n: int
        tags: list = dataclasses.field(default_factory=list, compare=False)

        def __post_init__(self):
            self.tags.append(note(log, "post", self.n))

    @dataclasses.dataclass(frozen=True, slots=True)
    class Cold:
        n: int = 1

        def twice(self):
            return dataclasses.replace(self, n=self.n * 2)

    try:
        Cold().n = 3
    except dataclasses.FrozenInstanceError as error:
        text = str(error)
    return Item(1) < Item(2), repr(Item(3)), Cold().twice().n, text


def cached_functions(log):
    @functools.lru_cache(maxsize=None)
    def slow(x):
        return note(log, f"computed {x}", x * 2)

    class Lazy:
        @functools.cached_property
        def value(self):
            return note(log, "lazily", 5)

    lazy = Lazy()
    return slow(1), slow(1), slow(2), slow.cache_info().hits, lazy.value, lazy.value


def dispatching_functions(log):
    @functools.singledispatch
    def show(value):
        return "object"

    @show.register
    def _(value: int):
        return note(log, "int", "int")

    @show.register(list)
    def _(value):
        return "list" + show(value[0])

    return show(1), show([2]), show("x"), functools.partial(show, 5)()


# Text and introspection


def formatted_text(log):
    value, width, items = 3.14159, 8, [1, 2]
    return f"{value:{width}.2f}|{note(log, 'x', 5)!r:>4}|{items}|{value=}|{Box(log).kind}{{}}|{'nested ' + f'{width}'}"


def formatted_text_failing(log):
    return f"{5:{note(log, 'spec', 'q')}}"


def local_names(log):
    a, b = 1, 2
    items = {}
    items[note(log, "key", 0)] = a
    items[note(log, "key", 0)] += b
    Box(log, n=1).itself().n += 1
    return sorted(locals()), sorted(vars()), dir()


def code_evaluated(log):
    x = 5
    namespace = {}
    exec("y = 2", globals(), namespace)
    return eval("x + 1"), namespace, eval("[x for _ in range(2)]", {"x": x})


def frames_seen(log):
    def names():
        return [frame.name for frame in traceback.extract_stack() if frame.filename == __file__]

    class Seen:
        def go(self, x, k=None):
            return names()

    return (
        Seen().go(1),
        Seen().go(note(log, 1)),
        Seen().go(note(log, 1), k=note(log, 2)),
        sys._getframe().f_code.co_name,
    )


def line_numbers_seen(log):
    line = sys._getframe().f_lineno
    box = Box(log)
    box.method(
        note(log, "a"),
        sys._getframe().f_lineno - line,
    )
    return log[-1]


def recursion(log):
    class Node:
        def __init__(self, depth):
            self.children = [Node(depth - 1)] if depth else []

        def size(self):
            return 1 + sum(child.size() for child in self.children)

    def fact(n):
        return 1 if n < 2 else n * fact(n - 1)

    return Node(20).size(), fact(30)


def recursion_without_end(log):
    def f(x):
        return f(x + 1)

    try:
        f(0)
    except RecursionError as error:
        return type(error).__name__


def finalisers(log):
    class Dying:
        def __del__(self):
            log.append("died")

        def itself(self):
            return self

    dying = Dying()
    dying.itself().n = 1
    dying.itself().n += 1
    del dying
    log.append("after")


def several_statements_on_a_line(log):
    a = []; a.append(1); b = a[0]; b += 1; box = Box(log, x=b); box.x += 1
    if a: a.pop(); log.append("popped")
    return a, b, box.x


def typed_globals(log):
    result: Any = table["a"]
    table["b"] = note(log, "b", 2)
    table["b"] += 1
    return result, table.pop("b"), "b" in table


# Shared names bound by statements that bind on their own


class _Manager:
    def __init__(self, log, value):
        self.log, self.value = log, value

    def __enter__(self):
        self.log.append("enter")
        return self.value

    def __exit__(self, kind, error, traceback):
        self.log.append(f"exit {kind}")
        return kind is ValueError


def shared_binding_by_with(log):
    global bound_by_with
    with _Manager(log, 1) as bound_by_with, _Manager(log, (2, 3)) as (one, bound_by_with):
        log.append(bound_by_with)
    with _Manager(log, 4) as one_box().value:
        pass
    return bound_by_with


def one_box():
    return Box([])


def shared_binding_by_with_failing(log):
    global bound_by_with
    with _Manager(log, 5) as (bound_by_with, other):
        log.append("never")
    with _Manager(log, 5) as (one, bound_by_with):
        log.append("never")
    return bound_by_with


def shared_binding_by_except(log):
    captured = []
    for kind in (KeyError, ValueError):
        try:
            raise kind("text")
        except KeyError as error:
            captured.append(lambda: error)
            log.append(repr(captured[0]()))
        except ValueError as error:
            log.append(repr(captured[0]()))
            del error
    return captured[0]()


def shared_binding_by_except_star(log):
    try:
        raise ExceptionGroup("many", [KeyError(1), ValueError(2)])
    except* KeyError as some:
        note(log, "some", lambda: some)
        log.append(repr(some))
    except* ValueError as some:
        log.append(repr(some))
    return [name for name in locals() if name == "some"]


def shared_binding_by_match(log):
    global matched_rest, matched_all
    found = []
    for subject in ([1, 2, 3], {"k": 1, "z": 2}, (5, 6), "text", 7):
        match subject:
            case [first, *matched_rest] if first == 1:
                found.append((first, matched_rest))
            case {"k": matched_all, **matched_rest}:
                found.append((matched_all, matched_rest))
            case (matched_all, second) if note(log, matched_all, second) == 0:
                found.append("never")
            case str() as matched_all:
                found.append(matched_all)
            case matched_all:
                found.append([matched_all])
    return found, matched_all, matched_rest


def shared_binding_by_async_for(log):
    async def items():
        yield 1
        yield 2

    async def loop():
        readers = []
        async for item in items():
            readers.append(lambda: item)
        async for item, *rest in pairs():
            readers.append(lambda: (item, rest))
        return [read() for read in readers]

    async def pairs():
        yield (3, 4, 5)

    return asyncio.run(loop())


# Operators on containers, and calls of what is not rewritten


def operators_in_order(log):
    one, other = Box(log, items=[1]), [2]
    one.items += note(log, "right", other)
    one.items *= 2
    sums = note(log, "a", [1]) + note(log, "b", other), other * 2, 2 * other, -Number(log), Number(log) ** Number(log)
    compared = note(log, "c", [1]) < note(log, "d", other) <= other < note(log, "e", [9]), [1] == other != [3]
    searched = note(log, "f", 2) in note(log, "g", other), note(log, "h", 2) not in other, 2 in other, 3 not in [3]
    return sums, compared, searched, one.items, "%s-%s" % (other, note(log, "i", 1)), f"{other!r:>5}"


class Number:
    def __init__(self, log):
        self.log = log

    def __neg__(self):
        return note(self.log, "neg", 5)

    def __pow__(self, other):
        return note(self.log, "pow", 6)

    def __radd__(self, other):
        return note(self.log, f"radd {other}", 7)

    def __ipow__(self, other):
        return note(self.log, "ipow", self)


def operators_reflected_and_in_place(log):
    number, box = Number(log), Box(log, n=Number(log))
    number **= 2
    box.n **= 3
    table["number"] = Number(log)
    table["number"] **= note(log, "exponent", 4)
    del table["number"]
    return 1 + number, sum([number], 3)


def operators_refused(log):
    return note(log, "left", {}) + note(log, "right", [])


def operators_refused_in_place(log):
    box = Box(log, n=1)
    box.n += note(log, "right", "text")


def power_refused_in_place(log):
    box = Box(log, n=1)
    box.n **= (
        note(log, "right", "text")
    )


def comparison_refused(log):
    return note(log, "left", 1) < note(log, "right", "2")


def search_refused(log):
    return note(log, "left", 1) in note(log, "right", 5)


def calls_of_functions_not_rewritten(log):
    import copy, heapq, itertools, json, operator

    items, pairs = [3, 1], {"b": [1], "a": 2}
    heapq.heappush(items, 0)
    texts = json.dumps(pairs, sort_keys=True), json.loads("[1]"), ", ".join(map(str, items)), "{0[b]}".format(pairs)
    copies = copy.copy(pairs) is pairs, copy.deepcopy(pairs) == pairs, [*reversed(items)], dict(**pairs), sorted(pairs)
    stepped = list(itertools.chain(items, pairs)), max(items, key=lambda n: -n), operator.itemgetter("a")(pairs)
    return texts, copies, stepped, list(zip(items, pairs, strict=False)), [a + b for a, b in zip(items, items)]


def recursion_through_calls(log):
    def depth(n):
        return 0 if n == 0 else 1 + depth(n - 1)

    return depth(150)
