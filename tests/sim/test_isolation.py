"""State between executions is put back, object by object, without calling into the program."""

from __future__ import annotations

import enum
import functools
import itertools
import random
import re
import sys
import threading
import types
from array import array
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque, namedtuple

import pytest

from harness.sim.isolation import Isolation

pytestmark = pytest.mark.portable


@pytest.fixture
def module():
    """A module of the program's own; classes and functions made with `own` belong to it."""
    return types.ModuleType("program_under_test")


def own(module, thing):
    """Make a class or function one of the module's."""
    thing.__module__ = module.__name__
    return thing


# Globals


def test_rebound_global_is_put_back(module):
    module.n = 0
    isolation = Isolation([module])
    module.n = 1

    isolation.restore()

    assert module.n == 0


def test_added_global_is_removed(module):
    isolation = Isolation([module])
    module.cache = {}

    isolation.restore()

    assert not hasattr(module, "cache")


def test_deleted_global_is_put_back(module):
    module.n = value = object()
    isolation = Isolation([module])
    del module.n

    isolation.restore()

    assert module.n is value


def test_global_replaced_by_another_of_the_same_value_is_put_back(module):
    module.old = value = object()
    isolation = Isolation([module])
    del module.old
    module.new = value

    isolation.restore()

    assert (module.old, hasattr(module, "new")) == (value, False)


def test_globals_of_other_modules_are_left_alone(module):
    other = types.ModuleType("other_module")
    module.other = other
    isolation = Isolation([module])
    other.n = 1

    isolation.restore()

    assert other.n == 1


def test_submodule_imported_meanwhile_stays_an_attribute_of_its_package(module):
    # it stays in sys.modules, so that no later import would bind it again
    child = types.ModuleType(f"{module.__name__}.child")
    isolation = Isolation([module])
    sys.modules[child.__name__] = child
    module.child = child
    try:
        isolation.restore()

        assert module.child is child
    finally:
        del sys.modules[child.__name__]


def test_namespace_that_another_thread_adds_to_is_put_back(module):
    module.n = 0
    isolation = Isolation([module])
    stop = threading.Event()

    def add() -> None:
        for number in itertools.count():
            setattr(module, f"added_{number % 500}", number)
            if stop.is_set():
                return

    thread = threading.Thread(target=add)
    thread.start()
    for _ in range(300):
        module.n = 1
        isolation.restore()
    stop.set()
    thread.join()

    assert module.n == 0


def test_module_noted_later_is_put_back_too(module):
    late = types.ModuleType("late")
    late.items = [1]
    isolation = Isolation([module])
    isolation.add(late)
    late.items.append(2)

    isolation.restore()

    assert late.items == [1]


# Containers


def changed(container: object) -> None:
    """Change a container in several ways."""
    if isinstance(container, (dict, UserDict, ChainMap)):
        container["new"] = 1
        container.pop("a")
        container["a"] = 2
    elif isinstance(container, set):
        container.discard(1)
        container.add("new")
    else:
        container.append(7)
        container[0] = 9
        container.reverse()


CONTAINERS = [
    {"a": 1, "b": 2},
    OrderedDict(a=1, b=2),
    defaultdict(list, a=1, b=2),
    Counter(a=1, b=2),
    ChainMap({"a": 1, "b": 2}),
    UserDict(a=1, b=2),
    [1, 2, 3],
    deque([1, 2, 3]),
    deque([1, 2, 3], maxlen=3),
    {1, 2, 3},
    bytearray(b"\x01\x02"),
    array("d", [1.0, float("nan")]),
]


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: type(container).__name__)
def test_changed_container_is_put_back_as_the_same_object(module, container):
    module.container = container
    before = repr(container)
    isolation = Isolation([module])
    changed(container)
    assert repr(container) != before

    isolation.restore()

    assert module.container is container
    assert repr(container) == before


@pytest.mark.parametrize("kind", [dict, list, set, deque, OrderedDict, defaultdict, Counter, bytearray])
def test_container_that_was_empty_is_emptied(module, kind):
    module.container = container = kind()
    isolation = Isolation([module])
    if hasattr(container, "setdefault"):
        container["k"] = 1
    else:
        (container.add if kind is set else container.append)(1)

    isolation.restore()

    assert not container


def test_order_of_keys_is_put_back(module):
    module.d = {"a": 1, "b": 2}
    isolation = Isolation([module])
    module.d["a"] = module.d.pop("a")
    assert list(module.d) == ["b", "a"]

    isolation.restore()

    assert list(module.d) == ["a", "b"]


def test_order_of_an_ordered_dict_is_put_back(module):
    module.d = OrderedDict(a=1, b=2)
    isolation = Isolation([module])
    module.d.move_to_end("a")

    isolation.restore()

    assert list(module.d) == ["a", "b"]


def test_set_is_iterated_in_the_same_order_in_every_execution(module):
    module.s = set(range(24, -1, -8))  # these collide: their order is the order in which they came
    isolation = Isolation([module])
    orders = []
    for step in range(4):
        isolation.restore()
        orders.append(list(module.s))
        module.s.add(1000 + step)
        module.s.discard(8)

    assert all(order == orders[0] for order in orders)


def test_key_replaced_by_an_equal_one_is_put_back(module):
    key = (1, 2)
    module.d = {key: 1}
    isolation = Isolation([module])
    module.d.clear()
    module.d[(1, *[2])] = 1

    isolation.restore()

    assert next(iter(module.d)) is key


def test_member_of_a_set_replaced_by_an_equal_one_is_put_back(module):
    member = (1, 2)
    module.s = {member}
    isolation = Isolation([module])
    module.s.clear()
    module.s.add((1, *[2]))

    isolation.restore()

    assert next(iter(module.s)) is member


def test_container_at_any_depth_is_put_back(module):
    inner = {"x": deque([[1]])}
    module.nested = ({1: [inner]}, frozenset())
    isolation = Isolation([module])
    inner["x"][0].append(2)
    inner["y"] = 1

    isolation.restore()

    assert inner == {"x": deque([[1]])}


def test_container_that_holds_itself_is_put_back(module):
    module.items = [1]
    module.items.append(module.items)
    isolation = Isolation([module])
    module.items.append(2)

    isolation.restore()

    assert len(module.items) == 2


def test_container_in_a_named_tuple_is_put_back(module):
    module.pair = namedtuple("Pair", "a b")([1], 2)
    isolation = Isolation([module])
    module.pair.a.append(2)

    isolation.restore()

    assert module.pair.a == [1]


def test_container_behind_a_read_only_view_is_put_back(module):
    hidden = {"a": 1}
    module.view = types.MappingProxyType(hidden)
    isolation = Isolation([module])
    hidden["b"] = 2

    isolation.restore()

    assert dict(module.view) == {"a": 1}


def test_read_only_view_of_a_class_is_left_to_the_class(module):
    class Other:
        n = 1

    module.view = vars(Other)
    isolation = Isolation([module])
    Other.n = 2

    isolation.restore()

    assert (Other.n, module.view["n"]) == (2, 2)


def test_container_behind_a_bound_method_is_put_back(module):
    items: list[int] = [1]
    module.push = items.append
    isolation = Isolation([module])
    module.push(2)

    isolation.restore()

    assert items == [1]


def test_container_in_a_partial_is_put_back(module):
    cache: dict[str, int] = {"a": 1}
    module.look = functools.partial(max, [1], key=cache.get)
    module.keep = functools.partial(dict.update, cache)
    isolation = Isolation([module])
    cache["b"] = 1

    isolation.restore()

    assert cache == {"a": 1}


def test_subclass_of_a_container_is_put_back_without_its_own_methods(module):
    class Loud(dict):
        def _refuse(self, *args: object) -> None:
            raise AssertionError("called")

        __setitem__ = __iter__ = __len__ = clear = update = keys = values = items = copy = _refuse

    module.d = Loud(a=1)
    dict.__setitem__(module.d, "z", 2)
    isolation = Isolation([module])
    dict.__setitem__(module.d, "b", 2)

    isolation.restore()

    assert list(dict.keys(module.d)) == ["a", "z"]


@pytest.mark.parametrize("base", [list, set, deque, OrderedDict, bytearray])
def test_subclass_of_any_container_is_put_back_without_its_own_methods(module, base):
    def refuse(self, *args: object) -> None:
        raise AssertionError("called")

    names = [
        "__iter__",
        "__len__",
        "__setitem__",
        "__getitem__",
        "__eq__",
        "__ne__",
        "clear",
        "extend",
        "update",
        "copy",
    ]
    loud = type("Loud", (base,), {**dict.fromkeys(names, refuse), "__hash__": None})
    module.c = loud()
    before = base.__repr__(module.c) if base is bytearray else None
    isolation = Isolation([module])
    {
        list: lambda c: list.append(c, 1),
        set: lambda c: set.add(c, 1),
        deque: lambda c: deque.append(c, 1),
        OrderedDict: lambda c: OrderedDict.__setitem__(c, 1, 1),
        bytearray: lambda c: bytearray.append(c, 1),
    }[base](module.c)

    isolation.restore()

    assert base.__len__(module.c) == 0
    assert before is None or base.__repr__(module.c) == before


# Classes and instances


def test_class_attributes_are_put_back(module):
    class Registry:
        instance = None
        entries: list[int] = []  # noqa: RUF012 - this is what is put back

        def get(self):
            return 1

    module.Registry = own(module, Registry)
    original = Registry.get
    isolation = Isolation([module])
    Registry.instance = Registry()
    Registry.entries.append(1)
    Registry.extra = 1
    Registry.get = None

    isolation.restore()

    assert (Registry.instance, Registry.entries, hasattr(Registry, "extra")) == (None, [], False)
    assert Registry.get is original


def test_class_level_singleton_with_state_is_put_back(module):
    class Singleton:
        _instance = None

        def __new__(cls):
            if cls._instance is None:
                cls._instance = super().__new__(cls)
            return cls._instance

    module.Singleton = own(module, Singleton)
    Singleton().n = 1
    isolation = Isolation([module])
    Singleton().n = 2
    Singleton().m = 3

    isolation.restore()

    assert vars(Singleton()) == {"n": 1}


def test_attributes_of_instances_are_put_back(module):
    class Thing:
        pass

    own(module, Thing)
    module.thing = thing = Thing()
    thing.n, thing.items, thing.other = 1, [1], Thing()
    isolation = Isolation([module])
    thing.n, thing.new, thing.other.deep = 2, 3, 4
    thing.items.append(2)
    del thing.other

    isolation.restore()

    assert (thing.n, thing.items, hasattr(thing, "new"), vars(thing.other)) == (1, [1], False, {})


def test_attributes_replaced_as_a_whole_are_put_back(module):
    class Thing:
        pass

    module.thing = own(module, Thing)()
    module.thing.n = 1
    isolation = Isolation([module])
    module.thing.__dict__ = {"n": 2}

    isolation.restore()

    assert module.thing.n == 1


def test_slots_are_put_back(module):
    class Base:
        __slots__ = ("a", "b")

    class Thing(Base):
        __slots__ = ("__dict__", "c")

    own(module, Base)
    module.thing = thing = own(module, Thing)()
    thing.a, thing.c, thing.d = 1, [1], 2
    isolation = Isolation([module])
    thing.a, thing.b, thing.d = 2, 3, 4
    thing.c.append(2)

    isolation.restore()

    assert (thing.a, hasattr(thing, "b"), thing.c, thing.d) == (1, False, [1], 2)


@pytest.mark.parametrize("base", [complex, types.SimpleNamespace, functools.partial, Exception, threading.local])
def test_instance_of_a_subclass_of_a_c_type_is_put_back(module, base):
    kind = own(module, type("Own", (base,), {}))
    module.obj = kind(len) if base is functools.partial else kind()
    module.obj.n = 1
    isolation = Isolation([module])
    module.obj.n = 2

    isolation.restore()

    assert module.obj.n == 1


def test_attributes_of_an_instance_of_a_foreign_class_are_put_back(module):
    class Foreign:
        pass

    module.obj = obj = Foreign()
    obj.items, obj.n = [], 1
    isolation = Isolation([module])
    obj.items.append(1)
    obj.n = 2

    isolation.restore()

    assert vars(obj) == {"items": [], "n": 1}


def test_own_instance_behind_a_foreign_one_is_put_back(module):
    class Thing:
        pass

    module.space = types.SimpleNamespace(thing=own(module, Thing)())
    isolation = Isolation([module])
    module.space.thing.n = 1

    isolation.restore()

    assert vars(module.space.thing) == {}


def test_enum_classes_are_left_alone(module):
    class Access(enum.Flag):
        READ = 1
        WRITE = 2

    module.Access = own(module, Access)
    isolation = Isolation([module])
    both = Access.READ | Access.WRITE

    isolation.restore()

    assert Access.READ | Access.WRITE is both


def test_attributes_of_a_thread_local_are_put_back(module):
    module.local = threading.local()
    module.local.items = [1]
    isolation = Isolation([module])
    module.local.items.append(2)
    module.local.extra = 1

    isolation.restore()

    assert vars(module.local) == {"items": [1]}


# Functions


def test_closure_cell_is_put_back(module):
    def make():
        n = 0

        def bump():
            nonlocal n
            n += 1
            return n

        return bump

    module.bump = own(module, make())
    isolation = Isolation([module])
    module.bump()

    isolation.restore()

    assert module.bump() == 1


def test_empty_closure_cell_is_emptied(module):
    def make():
        if module is None:
            value = 1

        def put():
            nonlocal value
            value = 2

        return put

    module.put = own(module, make())
    isolation = Isolation([module])
    module.put()

    isolation.restore()

    with pytest.raises(ValueError, match="empty"):
        _ = module.put.__closure__[0].cell_contents


def test_cell_emptied_meanwhile_is_filled(module):
    def make():
        value = [1]

        def drop():
            nonlocal value
            del value

        return drop

    module.drop = own(module, make())
    isolation = Isolation([module])
    module.drop()

    isolation.restore()

    assert module.drop.__closure__[0].cell_contents == [1]


def test_mutable_defaults_are_put_back(module):
    def f(items=[], *, known={}):  # noqa: B006 - this is what is put back
        items.append(1)
        known[1] = 1
        return len(items) + len(known)

    module.f = own(module, f)
    isolation = Isolation([module])
    f()

    isolation.restore()

    assert f() == 2


def test_attributes_of_functions_are_put_back(module):
    def f():
        f.calls += 1

    module.f = own(module, f)
    f.calls = 0
    isolation = Isolation([module])
    f()
    f.extra = 1

    isolation.restore()

    assert vars(f) == {"calls": 0}


@pytest.mark.parametrize("wrap", [staticmethod, classmethod, property, functools.cached_property])
def test_state_behind_descriptors_is_put_back(module, wrap):
    kept: list[int] = []

    def f(self=None, kept=kept):
        kept.append(1)

    class Thing:
        value = wrap(own(module, f))

    module.Thing = own(module, Thing)
    isolation = Isolation([module])
    f()

    isolation.restore()

    assert kept == []


def test_cache_that_was_empty_is_emptied(module):
    @functools.lru_cache
    def f(x):
        return object()

    own(module, f)
    module.f = f
    isolation = Isolation([module])
    first = f(1)

    isolation.restore()

    assert f(1) is not first


@pytest.mark.parametrize("options", [{"maxsize": None}, {"maxsize": 4}, {"maxsize": 4, "typed": True}], ids=str)
def test_cache_that_was_filled_is_filled_again_with_the_same_objects(module, options):
    factor = 2

    @functools.lru_cache(**options)
    def f(x, y=0, *, z=0):
        return [x, y, z, factor]

    module.f = own(module, f)
    calls = [((1,), {}), (("text", 2), {"z": 3}), ((1.5,), {"z": 2, "y": 1}), (((7, 8),), {})]
    results = [f(*args, **keywords) for args, keywords in calls]
    isolation = Isolation([module])
    code = f.__wrapped__.__code__

    for _ in range(2):
        isolation.restore()
        f.cache_clear()
        f("other")
        isolation.restore()

        assert f.cache_info()[3] == 4
        assert all(f(*call[0], **call[1]) is result for call, result in zip(calls, results, strict=True))
    assert isolation.limits == []
    assert f.__wrapped__.__code__ is code


def test_entry_of_a_cache_used_least_recently_is_still_the_first_to_go(module):
    @functools.lru_cache(maxsize=2)
    def f(x):
        return [x]

    module.f = own(module, f)
    first, second = f(1), f(2)
    assert f(1) is first  # so that 2 goes first
    isolation = Isolation([module])
    f(3)
    isolation.restore()
    f(4)

    assert f(1) is first
    assert f(2) is not second


def test_executions_find_the_same_counts_in_a_cache_whatever_was_asked_before(module):
    @functools.cache
    def f(x):
        return [x]

    module.f = own(module, f)
    f(1)
    f(1)
    isolation = Isolation([module])
    counts = []
    for _ in range(3):
        isolation.restore()
        counts.append(f.cache_info())
        f(1)
        f(2)

    assert len(set(counts)) == 1


def test_results_in_a_cache_are_put_back(module):
    @functools.lru_cache
    def items(x):
        return []

    module.items = own(module, items)
    kept = items(1)
    isolation = Isolation([module])
    kept.append("left over")
    isolation.restore()

    assert kept == []
    assert items(1) is kept


def test_bounded_cache_of_what_is_no_python_function_is_named_when_it_was_filled(module):
    module.f = functools.lru_cache(functools.partial(max, 1))
    functools.update_wrapper(module.f, own(module, lambda x: x))
    module.f(2)

    assert Isolation([module]).limits == ["the cache of <lambda> was filled before, by no Python function"]


def test_registrations_of_a_dispatching_function_are_put_back(module):
    @functools.singledispatch
    def show(value):
        return "object"

    module.show = own(module, show)
    isolation = Isolation([module])
    show.register(int, lambda value: "int")
    assert show(1) == "int"

    isolation.restore()

    assert show(1) == "object"


def test_pseudo_random_generator_is_put_back(module):
    module.rng = random.Random(3)
    isolation = Isolation([module])
    first = module.rng.random()

    isolation.restore()

    assert module.rng.random() == first


# Limits


def steps():
    yield 1


async def main():
    return 1


@pytest.mark.parametrize(
    ("obj", "name"),
    [
        (steps(), "generator"),
        (itertools.count(), "count"),
        (iter([1]), "list_iterator"),
        (zip([1], [2], strict=True), "zip"),
        (itertools.cycle("ab"), "cycle"),
    ],
)
def test_iterator_that_moves_on_is_named(module, obj, name):
    module.kept = {"k": [obj]}

    assert Isolation([module]).limits == [f"a {name} kept between executions cannot be put back"]


def test_coroutine_that_is_kept_is_named(module):
    module.kept = main()
    limits = Isolation([module]).limits
    module.kept.close()

    assert limits == ["a coroutine kept between executions cannot be put back"]


def test_module_of_plain_values_has_no_limits(module):
    module.values = [1, "a", None, (1, 2), {1: 2.5}, print, sys, re.compile("a"), enum.Enum]

    assert Isolation([module]).limits == []


# Objects that must not be asked for anything


class Hostile:
    """Answers nothing: neither its class nor its attributes, nor equality, nor its hash once armed."""

    armed = False

    def _refuse(self, *args: object) -> object:
        if Hostile.armed:
            raise AssertionError("called")
        return 1

    __eq__ = __bool__ = __len__ = __iter__ = __getattr__ = __getattribute__ = __repr__ = __contains__ = _refuse
    __class__ = __dict__ = property(_refuse)

    def __hash__(self) -> int:
        if Hostile.armed:
            raise AssertionError("called")
        return 5  # the same for all


@pytest.fixture
def armed():
    yield lambda: setattr(Hostile, "armed", True)
    Hostile.armed = False


def test_hostile_objects_are_never_called_into(module, armed):
    first, second, third = Hostile(), Hostile(), Hostile()
    module.alone = first
    module.d = {object(): first, 1: second}
    module.items, module.queue = [first, second], deque([first])
    module.t = (first, frozenset(), [second])
    module.space = types.SimpleNamespace(hostile=first, items=[second])
    armed()
    isolation = Isolation([module])
    module.d.clear()
    module.items.append(third)
    module.queue.clear()
    module.alone = None
    del module.space.hostile

    isolation.restore()

    assert module.alone is first
    assert [id(obj) for obj in module.items] == [id(first), id(second)]
    assert [id(obj) for obj in module.d.values()] == [id(first), id(second)]


def test_hostile_keys_are_put_back_without_being_asked(module, armed):
    keys = [Hostile(), Hostile()]
    Hostile.__eq__, kept = object.__eq__, Hostile.__eq__
    module.d, module.s = dict.fromkeys(keys, 1), set(keys)
    Hostile.__eq__ = kept
    armed()
    isolation = Isolation([module])
    module.d.clear()
    module.s.clear()

    isolation.restore()

    assert sorted(map(id, module.d)) == sorted(map(id, keys))
    assert sorted(map(id, module.s)) == sorted(map(id, keys))


# Cost


def test_unchanged_dict_can_be_iterated_while_it_is_compared(module):
    # a dict that were cleared and filled again would end the loop
    module.d = {n: n for n in range(10)}
    isolation = Isolation([module])
    steps_made = 0
    for _ in module.d:
        isolation.restore()
        steps_made += 1

    assert steps_made == 10


def test_restoring_twice_changes_nothing_more(module):
    module.items = [1]
    isolation = Isolation([module])
    module.items.append(2)
    isolation.restore()
    isolation.restore()

    assert module.items == [1]
