"""Races are pairs of accesses that nothing puts in order, named with both lines; the verdict is the program's own."""

from __future__ import annotations

import asyncio
import pickle
import queue
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest

from harness.explore import InvalidArgumentError, RaceError, Verdict, explore, replay
from harness.registry import Registry


class Box:
    def __init__(self):
        self.n = 0
        self.items = {}
        self.rows = []

    def increment(self):
        self.n += 1

    def outer(self):
        self.increment()


class Cell:
    __synchronises__ = ("value",)

    def __init__(self):
        self.value = None


old_lock = threading.Lock()
old_queue: queue.Queue[int] = queue.Queue()


def run_together(*bodies):
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def races_of(program, **options):
    return [race.location for race in explore(program, max_schedules=60, **options).races]


def two_increments():
    box = Box()
    run_together(box.outer, box.outer)


def test_both_accesses_are_named_with_line_function_task_and_callers():
    result = explore(two_increments, max_schedules=20)

    (race,) = result.races
    assert race.location == "Box.n"
    assert race.schedule == 1
    assert {race.first.task, race.second.task} == {"Thread-1 (outer)", "Thread-2 (outer)"}
    assert "write" in (race.first.kind, race.second.kind)
    for side in (race.first, race.second):
        assert side.function == "Box.increment"
        assert side.source == "self.n += 1"
        assert side.place.startswith("test_races.py:") or "/test_races.py:" in side.place
        assert [call.rpartition(" in ")[2] for call in side.stack] == ["Box.increment", "Box.outer"]
    assert race._repr_mimebundle_()["text/plain"] == str(race)
    assert str(race).count("    from ") == 2
    assert result.verdict is Verdict.PASSED
    assert result.summary().endswith("; 1 race")
    assert race.summary() in str(result)


def test_a_lock_around_both_leaves_no_race_and_around_one_does():
    def locked(is_other_locked):
        box, lock = Box(), threading.Lock()

        def safe():
            with lock:
                box.n += 1

        run_together(safe, safe if is_other_locked else box.increment)

    assert races_of(lambda: locked(True)) == []
    assert races_of(lambda: locked(False)) == ["Box.n"] * 1


def handed_by_start_and_join():
    box = Box()
    box.n = 1
    run_together(box.increment)
    box.n += 1


def handed_by_queue():
    box, line = Box(), queue.Queue()

    def give():
        box.n = 1
        line.put(box)

    run_together(give, lambda: line.get().increment())


def handed_by_simple_queue():
    box, line = Box(), queue.SimpleQueue()

    def give():
        box.n = 1
        line.put(box)

    run_together(give, lambda: line.get().increment())


def handed_by_queue_of_the_module():
    box = Box()

    def give():
        box.n = 1
        old_queue.put(1)

    def take():
        old_queue.get()
        box.n += 1

    run_together(give, take)


def handed_by_event():
    box, ready = Box(), threading.Event()

    def give():
        box.n = 1
        ready.set()

    def take():
        ready.wait()
        box.n += 1

    run_together(give, take)


def handed_by_condition():
    box, turn = Box(), threading.Condition()

    def give():
        with turn:
            box.n = 1
            turn.notify()

    def take():
        with turn:
            turn.wait_for(lambda: box.n == 1)
            box.n += 1

    run_together(give, take)


def handed_by_semaphore():
    box, free = Box(), threading.Semaphore(0)

    def give():
        box.n = 1
        free.release()

    def take():
        free.acquire()
        box.n += 1

    run_together(give, take)


def handed_by_barrier():
    box, gate = Box(), threading.Barrier(2)

    def give():
        box.n = 1
        gate.wait()

    def take():
        gate.wait()
        box.n += 1

    run_together(give, take)


def handed_by_future():
    box = Box()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(box.increment).result()
        box.n += 1


def handed_by_lock_of_the_module():
    box = Box()

    def add():
        with old_lock:
            box.n += 1

    run_together(add, add)


def handed_by_marked_attribute():
    box, cell = Box(), Cell()

    def give():
        box.n = 1
        cell.value = box

    def take():
        found = cell.value
        if found is not None:
            found.n += 1

    run_together(give, take)


def handed_to_a_loop():
    box = Box()

    async def serve():
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def take():
            box.n += 1
            done.set()

        def give():
            box.n = 1
            loop.call_soon_threadsafe(take)

        thread = threading.Thread(target=give)
        thread.start()
        await done.wait()
        thread.join()

    asyncio.run(serve())


class Guarded:
    """Its property takes a lock; what it sets by name goes to each thread's own."""

    def __init__(self):
        object.__setattr__(self, "lock", threading.Lock())
        object.__setattr__(self, "own", threading.local())
        object.__setattr__(self, "kept", 0)

    @property
    def value(self):
        with self.lock:
            return self.kept

    @value.setter
    def value(self, value):
        with self.lock:
            object.__setattr__(self, "kept", value)

    def __setattr__(self, name, value):
        if name == "value":
            object.__setattr__(self, name, value)
        else:
            setattr(self.own, name, value)

    def __getattr__(self, name):
        return getattr(self.own, name)


def kept_behind_a_property():
    guarded = Guarded()

    def use():
        guarded.value = 1
        assert guarded.value == 1

    run_together(use, use)


def kept_for_each_thread():
    guarded = Guarded()

    def use():
        guarded.name = 1
        assert guarded.name == 1

    run_together(use, use)


def variable_of_each_call():
    def work():
        n = 0

        def add():
            nonlocal n
            n += 1

        add()
        add()
        assert n == 2

    run_together(work, work)


def looked_for_in_a_dict_with_defaults():
    found = defaultdict(list, a=[])

    def look():
        assert "a" in found
        assert found

    run_together(look, look)


HANDED = [
    kept_behind_a_property,
    kept_for_each_thread,
    variable_of_each_call,
    looked_for_in_a_dict_with_defaults,
    handed_by_start_and_join,
    handed_by_queue,
    handed_by_simple_queue,
    handed_by_queue_of_the_module,
    handed_by_event,
    handed_by_condition,
    handed_by_semaphore,
    handed_by_barrier,
    handed_by_future,
    handed_by_lock_of_the_module,
    handed_by_marked_attribute,
    handed_to_a_loop,
]


@pytest.mark.parametrize("program", HANDED, ids=lambda program: program.__name__)
def test_what_one_task_hands_to_another_is_no_race(program):
    result = explore(program, strategy="random", max_schedules=60, races="fail")

    assert result.races == ()
    assert result.verdict is Verdict.PASSED
    assert result.frame().choices.max() > 0 or program is handed_by_start_and_join


def variable_of_one_call():
    n = 0

    def add():
        nonlocal n
        n += 1

    run_together(add, add)


class Checked:
    """Looks at what is set, and keeps it."""

    def __setattr__(self, name, value):
        super().__setattr__(name, value)


def attribute_that_is_checked():
    checked = Checked()
    checked.n = 0

    def add():
        checked.n += 1

    run_together(add, add)


@pytest.mark.parametrize(
    ("program", "location"), [(variable_of_one_call, "n"), (attribute_that_is_checked, "Checked.n")]
)
def test_variables_and_attributes_that_two_tasks_share_race_wherever_they_are_kept(program, location):
    assert location in races_of(program)


def on_items(first, second):
    def program():
        box = Box()
        box.items.update(a=1, b=2)
        box.rows.extend([1, 2, 3])
        run_together(lambda: first(box), lambda: second(box))

    return races_of(program)


def put_a(box):
    box.items["a"] = 2


def put_c(box):
    box.items["c"] = 2


def put_last(box):
    box.rows[-1] = 4


def put_first(box):
    box.rows[0] = 4


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (lambda box: box.items.update(a=2), lambda box: box.items["b"], ["dict['b']"]),
        (put_a, lambda box: box.items.get("b"), []),
        (put_a, lambda box: box.items.get("a"), ["dict['a']"]),
        (put_c, lambda box: list(box.items), ["dict['c']"]),
        (put_c, lambda box: "c" in box.items, ["dict['c']"]),
        (put_c, lambda box: bool(box.items), ["dict['c']"]),
        (lambda box: len(box.items), lambda box: list(box.items), []),
        (lambda box: box.rows.append(4), lambda box: box.rows.append(5), ["list"]),
        (put_last, lambda box: box.rows[2], ["list[2]"]),
        (put_first, lambda box: box.rows[2], []),
    ],
)
def test_items_race_by_key_and_whole_containers_with_all_keys(first, second, found):
    assert sorted(set(on_items(first, second))) == found


class Odd:
    """A key with methods of its own."""

    def __init__(self, number):
        self.number = number

    def __hash__(self):
        return self.number

    def __eq__(self, other):
        return self.number == other.number


def test_keys_are_told_apart_by_their_own_hash_without_running_the_schedule():
    def program(second):
        shared = {Odd(1): 1, Odd(2): 2}

        def store():
            shared[Odd(1)] = 3

        run_together(store, lambda: shared[Odd(second)])

    assert races_of(lambda: program(1)) == ["dict[Odd]"]
    assert races_of(lambda: program(2)) == []


@pytest.mark.parametrize("place", ["Box.n", "Box.increment"])
def test_allowed_races_are_left_out(place):
    result = explore(two_increments, max_schedules=20, races="fail", allow=[(place, "only a statistic")])

    assert result.races == ()
    assert result.verdict is Verdict.PASSED


def test_allowed_place_may_be_a_line():
    (race,) = explore(two_increments, max_schedules=20).races

    assert explore(two_increments, max_schedules=20, allow=[(race.first.place, "checked")]).races == ()
    assert explore(two_increments, max_schedules=20, allow=[("Box.m", "another")]).races == (race,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"races": "loud"}, "races='loud' is unknown; pass one of 'report', 'fail', 'off'"),
        ({"allow": ["Box.n"]}, "allow wants pairs of a place and a reason, has 'Box.n'; write "),
        ({"allow": [("Box.n", " ")]}, "allow wants pairs of a place and a reason, has ('Box.n', ' '); write "),
    ],
)
def test_wrong_options_are_refused_with_the_remedy(options, message):
    with pytest.raises(InvalidArgumentError) as refused:
        explore(two_increments, **options)

    assert str(refused.value).startswith(message)


def test_races_that_fail_make_a_failure_with_a_token():
    result = explore(two_increments, races="fail")

    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert result.failure.kind == "race"
    assert isinstance(result.failure.error, RaceError)
    assert str(pickle.loads(pickle.dumps(result.failure.error))) == str(result.races[0])
    assert list(result.frame().outcome) == ["race"]
    assert "race at schedule 1" in result.summary()
    assert replay(two_increments, result.failure.token).error is None  # the schedule, which ends well


def test_races_switched_off_are_not_looked_for():
    result = explore(two_increments, races="off", max_schedules=20)

    assert result.races == ()
    assert result.summary().endswith("seed 0")


def test_looking_for_races_does_not_change_the_schedules():
    tables = [explore(two_increments, races=mode, max_schedules=200).frame() for mode in ("off", "report")]

    assert tables[0].equals(tables[1])


def readers_and_a_writer():
    registry = Registry()
    run_together(
        lambda: registry.register_provider("mail", "executor"),
        lambda: registry.snapshot().providers.get("mail"),
    )


def test_registry_publishes_and_reads_without_a_race():
    calm = explore(readers_and_a_writer, instrument=["harness.registry"], max_schedules=100, races="fail")
    with mock.patch.object(Registry, "__synchronises__", ()):
        loud = explore(readers_and_a_writer, instrument=["harness.registry"], max_schedules=100)

    assert [str(race) for race in calm.races] == []
    assert "Registry._state" in [race.location for race in loud.races]
