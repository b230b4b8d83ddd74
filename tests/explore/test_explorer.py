"""Exploration finds what chance does not, says what it rests on, and puts everything back."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from sink import make_sink

from harness.explore import STRATEGIES, InvalidArgumentError, Pct, Verdict, explore, replay
from harness.instrument import UnknownModuleError
from harness.sim import Delay

pytestmark = pytest.mark.portable
PROGRAMS = Path(__file__).parent.parent / "programs"


@pytest.fixture
def programs(monkeypatch):
    monkeypatch.syspath_prepend(str(PROGRAMS))
    yield
    for name in ("counter", "singleton", "lazy_import", "plugins"):
        sys.modules.pop(name, None)


class Counter:
    def __init__(self):
        self.n = 0

    def increment(self):
        self.n += 1


def lost_update():
    counter = Counter()
    threads = [threading.Thread(target=counter.increment) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.n == 2


def test_lost_update_in_a_pytest_file_with_assert_is_found():
    # A walk misses with p < 1/2 per schedule (counted over 20,000 schedules), so all 1,000 miss with p < 1e-300.
    result = explore(lost_update)

    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert isinstance(result.failure.error, AssertionError)
    assert "assert 1 == 2" in str(result.failure.error)  # pytest's own explanation survives
    assert result.limits == ()


def test_every_function_has_its_own_code_afterwards():
    codes = [Counter.increment.__code__, lost_update.__code__]
    explore(lost_update, max_schedules=5)

    assert [id(code) for code in codes] == [id(Counter.increment.__code__), id(lost_update.__code__)]


def test_all_interleavings_of_two_increments_are_seen():
    # Two tasks of two accesses each: 6 orders of the accesses.
    orders = set()
    for seed in range(14):
        failure = explore(lost_update, seed=seed).failure
        assert failure is not None
        assert failure.found is not None
        orders.add(tuple(event.task for event in failure.found.execution.events if event.target == "Counter#1.n"))

    failing = {(1, *order, 1) for order in [(2, 3, 2, 3), (2, 3, 3, 2), (3, 2, 3, 2), (3, 2, 2, 3)]}
    assert orders == failing


def test_equal_seeds_give_equal_summaries_and_others_differ():
    summaries = [explore(lost_update, seed=seed).summary() for seed in (1, 1, 2)]

    assert summaries[0] == summaries[1]
    assert summaries[0] != summaries[2]


def test_class_level_singleton_is_found_after_the_first_schedule_and_replays(programs):
    import singleton

    result = explore(singleton.two_sessions, seed=4)

    assert result.verdict is Verdict.FAILED
    assert result.schedules > 1  # the state that the first schedules left was put back
    assert result.failure is not None
    assert isinstance(replay(singleton.two_sessions, result.failure.token).error, type(result.failure.error))
    assert singleton.ProviderRegistry._instance is None
    assert singleton.ProviderRegistry._initialised is False


def test_module_imported_inside_the_program_is_instrumented(programs):
    import lazy_import

    assert "plugins" not in sys.modules
    result = explore(lazy_import.two_loads, instrument=["plugins"])

    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert isinstance(replay(lazy_import.two_loads, result.failure.token).error, AssertionError)


def test_module_of_the_program_alone_sees_nothing_of_another_module(programs):
    import lazy_import

    assert explore(lazy_import.two_loads, strategy="random", max_schedules=50).verdict is Verdict.PASSED


def test_installed_package_is_explored_without_editing_it():
    import cachetools

    functions = [cachetools.LRUCache.__setitem__, cachetools.Cache.__setitem__]
    codes = [function.__code__ for function in functions]

    def program():
        cache = cachetools.LRUCache(maxsize=2)

        def fill(first):
            for key in range(first, first + 3):
                cache[key] = key
                cache.get(key)

        threads = [threading.Thread(target=fill, args=(first,)) for first in (0, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(cache) == cache.currsize <= 2

    result = explore(program, instrument=["cachetools"])

    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert replay(program, result.failure.token).error is not None
    assert all(function.__code__ is code for function, code in zip(functions, codes, strict=True))


def test_installed_package_under_its_own_lock_holds():
    import cachetools

    def program():
        calls = []

        @cachetools.cached(cachetools.LRUCache(maxsize=2), lock=threading.Lock())
        def load(key):
            calls.append(key)
            return key

        def use():
            assert [load(key) for key in (1, 2, 3)] == [1, 2, 3]

        threads = [threading.Thread(target=use) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    result = explore(program, instrument=["cachetools"], max_schedules=300)

    assert result.verdict is Verdict.PASSED, str(result)
    assert result.log.choices[0] > 0


def test_setup_runs_before_each_execution_and_isolate_puts_objects_back():
    class Sink:
        pass

    sink = Sink()
    sink.items = []
    note, calls = make_sink()

    def program():
        assert sink.items == []
        sink.items.append(1)

    result = explore(program, max_schedules=5, isolate=[sink], setup=lambda: note("setup"))

    assert result.verdict is Verdict.PASSED
    assert len(calls()) == 6  # and the warm-up
    assert sink.items == []


def test_continue_collects_one_failure_per_place():
    def program():
        state = {"n": 0}

        def add():
            state["n"] = state["n"] + 1

        threads = [threading.Thread(target=add) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert state["n"] == 2, "lost"

    result = explore(program, strategy="random", max_schedules=200, on_failure="continue")

    assert result.schedules == 200
    assert len(result.failures) == 1
    assert (result.frame()["outcome"] == "error").sum() > 1


def test_frame_has_the_stated_columns_and_types():
    frame = explore(lost_update, max_schedules=20, on_failure="continue").frame()

    assert list(frame.columns) == ["execution", "steps", "choices", "preemptions", "outcome"]
    assert [str(kind) for kind in frame.dtypes] == ["int64", "int64", "int64", "int64", "category"]
    assert list(frame["execution"]) == list(range(20))


def test_program_that_fails_on_the_first_schedule_is_found_without_threads():
    def program():
        raise LookupError("no provider 'mail'")

    result = explore(program)

    assert result.schedules == 1
    assert "LookupError at schedule 1, 0 preemptions" in result.summary()


def test_max_seconds_ends_the_exploration_and_says_so():
    result = explore(lambda: None, strategy="random", max_schedules=10**9, max_seconds=0.01)

    assert result.verdict is Verdict.PASSED
    assert result.limits[0].startswith("stopped after 0.01 s and ")


def test_interrupt_gives_the_partial_result():
    def setup():
        if next(count) == 5:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)  # ignored where a shell runs the tests in the background
    count = iter(range(10**9)).__iter__()
    result = explore(lost_update, setup=setup, max_schedules=100, on_failure="continue")

    assert 0 < result.schedules < 100
    assert f"interrupted after {result.schedules} of 100 schedules" in result.limits
    assert signal.getsignal(signal.SIGINT) is before


def test_second_interrupt_raises_and_everything_is_put_back():
    def setup():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    code = Counter.increment.__code__
    with pytest.raises(KeyboardInterrupt):
        explore(lost_update, setup=setup)

    assert Counter.increment.__code__ is code


def test_program_that_interrupts_itself_is_not_swallowed():
    def program():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explore(program)


def test_exploration_inside_an_exploration_is_refused():
    def program():
        explore(lambda: None)

    failure = explore(program).failure

    assert failure is not None
    assert str(failure.error).startswith("an exploration is wanted, another one is running in this process")


def test_bound_arguments_make_a_program():
    assert explore(partial(lambda n: n, 1), max_schedules=1).verdict is Verdict.PASSED


async def generator():
    yield


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (lambda a, b: None, "takes arguments (a, b), it is called without any; wrap it"),
        (3, "program=3 cannot be called; pass a function without arguments"),
        (generator, "is a generator function, calling it runs nothing; pass a plain function"),
    ],
)
def test_what_is_no_program_is_refused(program, message):
    with pytest.raises(InvalidArgumentError) as refused:
        explore(program)

    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_schedules": 0}, "max_schedules=0 is below 1; pass the number of executions to run"),
        ({"max_schedules": "5"}, "max_schedules='5' is no whole number; pass the number of executions to run"),
        ({"max_seconds": 0}, "max_seconds=0 is not above 0; pass seconds, or None for no limit"),
        ({"max_seconds": "5"}, "max_seconds='5' is no number; pass seconds, or None for no limit"),
        ({"max_seconds": math.nan}, "max_seconds=nan is no number; pass seconds, or None for no limit"),
        ({"seed": None}, "seed=None is no whole number; pass one, so that the same choices can be made again"),
        (
            {"strategy": None},
            "strategy=None is none; pass a name such as 'auto', or an object with name, begin and choose",
        ),
        ({"strategy": Pct}, "strategy=Pct is a class; pass an object: Pct()"),
        ({"isolate": "json"}, "isolate='json' is no list; pass ['json']"),
        ({"setup": 5}, "setup=5 cannot be called; pass a function without arguments"),
        ({"setup": lambda box: None}, "setup is called without arguments, it takes box; bind them"),
        ({"faults": Delay(1)}, f"faults={Delay(1)!r} is no list; pass a list such as [Delay(30.0)]"),
        ({"allow": "Box.n"}, "allow='Box.n' is no list; pass [('Counter.n', 'why it is harmless')]"),
        ({"engine": ["greenlet"]}, "engine=['greenlet'] is unknown; pass one of 'greenlet', 'threads'"),
        ({"strategy": "rondom"}, "strategy='rondom' is unknown; pass one of " + ", ".join(map(repr, STRATEGIES))),
        ({"on_failure": "go"}, "on_failure='go' is unknown; pass 'stop' or 'continue'"),
        ({"instrument": "json"}, "instrument='json' is no list; pass ['json']"),
        ({"instrument": None}, "instrument=None is no list; pass a list of modules or their names"),
        (
            {"instrument": ["threading"]},
            "instrument=['threading'] takes in 'threading', whose operations are steps already; "
            "name the modules that use it",
        ),
        (
            {"instrument": ["harness.sim.*"]},
            "instrument=['harness.sim.*'] takes in 'harness.sim.async_tasks', by which programs are run; "
            "name the modules that you mean",
        ),
    ],
)
def test_wrong_option_is_refused_with_the_remedy(options, message):
    with pytest.raises(InvalidArgumentError) as refused:
        explore(lambda: None, **options)

    assert str(refused.value) == message


def test_what_is_to_be_isolated_and_cannot_be_imported_is_refused_by_its_option():
    with pytest.raises(UnknownModuleError, match="isolate='no_such_module' names no module that can be imported"):
        explore(lambda: None, isolate=["no_such_module"])


def test_lists_may_be_of_any_kind():
    result = explore(lambda: None, instrument=iter(["json"]), isolate=iter(["json"]), max_schedules=1)

    assert result.schedules == 1


@pytest.mark.parametrize(("program", "module"), [(print, "builtins"), (threading.Thread, "threading")])
def test_program_of_a_module_that_is_not_instrumented_is_refused(program, module):
    with pytest.raises(
        InvalidArgumentError, match=f"is of '{module}', which is not instrumented; call it in a function"
    ):
        explore(program)


@pytest.mark.parametrize("name", STRATEGIES)
def test_strategy_is_used_up_by_an_exploration(name):
    strategy = STRATEGIES[name](3)
    explore(lambda: None, strategy=strategy, max_schedules=5)

    with pytest.raises(InvalidArgumentError, match="knows an exploration that it was used for; pass a new one"):
        explore(lambda: None, strategy=strategy, max_schedules=5)


def test_seed_told_is_that_of_the_strategy():
    assert "strategy pct, seed 7" in explore(lambda: None, strategy=Pct(7), max_schedules=1).summary()


def test_option_that_is_not_built_is_an_unknown_argument():
    with pytest.raises(TypeError, match="unexpected keyword argument 'workers'"):
        explore(lambda: None, workers=2)


def test_unknown_module_to_instrument_is_refused():
    with pytest.raises(UnknownModuleError, match="instrument='no_such_module' names no module that can be imported"):
        explore(lambda: None, instrument=["no_such_module"])


def test_display_has_a_text_line_and_a_picture():
    result = explore(lost_update)
    bundle = result._repr_mimebundle_()

    assert bundle["text/plain"] == result.summary()
    assert str(bundle["image/svg+xml"]).startswith("<svg")


def test_failure_that_does_not_repeat_is_reported_as_such():
    flips = iter([False, False, True, False, False]).__next__  # an iterator in C, which cannot be put back

    def program():
        assert not flips(), "flipped"

    result = explore(program, max_schedules=3)

    assert result.verdict is Verdict.FAILED
    assert any(limit.startswith("the failing schedule ended otherwise when it was repeated") for limit in result.limits)


def test_generator_function_is_refused():
    def program():
        yield

    with pytest.raises(InvalidArgumentError, match="is a generator function, calling it runs nothing"):
        explore(program)


def test_program_of_no_module_is_refused():
    namespace = {"__name__": "ghost"}
    exec("def program(): pass", namespace)

    with pytest.raises(InvalidArgumentError, match="'program' belongs to no imported module"):
        explore(namespace["program"])


class LastOne:
    """A strategy in the program's own, instrumented module."""

    name = "last"

    def __init__(self):
        self.made = 0

    def begin(self):
        return self.made < 100

    def choose(self, candidates, current):
        self.made += 1
        return candidates[-1]


def test_strategy_of_the_callers_is_no_part_of_the_program():
    strategy = LastOne()
    result = explore(lost_update, strategy=strategy, max_schedules=10)

    assert result.schedules == 10
    assert "strategy last" in result.summary()
    assert strategy.made == sum(result.log.choices)
