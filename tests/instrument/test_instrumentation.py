"""Live functions get rewritten code objects and, afterwards, the very ones they had."""

from __future__ import annotations

import functools
import gc
import linecache
import sys
import warnings
from types import FunctionType

import pytest

from harness.instrument import Instrumentation, are_hooks_installed, install_hooks, remove_hooks
from harness.instrument.hooks import HOOKS_NAME
from harness.sim.world import World
from tests.instrument import corpus, shapes
from tests.instrument.passing import functions_of, instrumented, make_module, passing_hooks, run_cell, touching

pytestmark = pytest.mark.portable


def live_functions(module) -> list[FunctionType]:
    return [f for f in gc.get_objects() if type(f) is FunctionType and f.__globals__ is module.__dict__]


# Matching


@pytest.fixture(scope="module")
def shapes_seen():
    """Code of each shape before, during and after."""
    before = {name: function.__code__ for name, function in shapes.FUNCTIONS.items()}
    with instrumented(shapes):
        during = {name: function.__code__ for name, function in shapes.FUNCTIONS.items()}
    after = {name: function.__code__ for name, function in shapes.FUNCTIONS.items()}
    return before, during, after


@pytest.mark.parametrize("name", shapes.FUNCTIONS)
def test_function_is_matched_swapped_and_put_back(name, shapes_seen):
    before, during, after = (codes[name] for codes in shapes_seen)

    assert during is not before
    assert during.co_qualname == before.co_qualname
    assert after is before


def test_every_function_of_a_module_is_matched():
    with instrumented(shapes) as instrumentation:
        assert instrumentation.limits == ()


def test_lambdas_on_one_line_are_told_apart():
    module = make_module("class O: a, b = 1, 2\npair = (lambda o: o.a, lambda o: o.b)")

    with instrumented(module):
        assert [f(module.O) for f in module.pair] == [1, 2]


def test_both_live_versions_of_a_redefined_function_are_swapped():
    module = make_module("def f(o):\n    return o.real\nold = f\ndef f(o):\n    return o.imag\n")

    with touching(module) as seen:
        assert (module.old(1), module.f(1)) == (1, 0)

    assert seen == ["quiet real", "quiet imag"]


def test_namesakes_in_different_functions_are_told_apart():
    module = make_module(
        "def a():\n    def inner(o): return o.real\n    return inner\n"
        "def b():\n    def inner(o): return o.imag\n    return inner\n"
        "fs = [a(), b()]\n"
    )

    with instrumented(module) as instrumentation:
        assert [f(2) for f in module.fs] == [2, 0]

    assert instrumentation.limits == ()


def test_functions_of_notebook_cells_in_one_namespace_are_swapped():
    module = make_module("", "notebook")
    run_cell(module, "def first(o):\n    return o.real\n", "<cell 1>")
    run_cell(module, "def second(o):\n    return first(o) + o.imag\n", "<cell 2>")
    run_cell(module, "def first(o):\n    return o.imag\n", "<cell 3>")

    with touching(module) as seen:
        module.second(1)

    assert seen == ["called first", "quiet imag", "quiet imag", "operands __add__"]


def test_equal_cells_are_told_apart_by_their_files():
    module = make_module("", "notebook")
    source = "def f(o):\n    return o.real\nkept = f\n"
    run_cell(module, source, "<equal 1>")
    first = module.kept
    run_cell(module, source, "<equal 2>")

    with instrumented(module):
        files = first.__code__.co_filename, module.f.__code__.co_filename

    assert files == ("<equal 1>", "<equal 2>")


def test_cell_with_await_at_its_top_is_rewritten():
    source = "import asyncio\nasync def f(o):\n    return o.real\nresult = await f(1)\n"
    module = make_module("import asyncio\nasync def f(o):\n    return o.real\n", "notebook")
    linecache.cache[module.__file__] = (len(source), None, source.splitlines(keepends=True), module.__file__)

    with instrumented(module) as instrumentation:
        assert instrumentation.limits == ()


def test_warnings_of_the_compiler_are_not_repeated(recwarn):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = make_module('def f(o):\n    return o.real is 1, "\\d"\n')

    with instrumented(module) as instrumentation:
        assert instrumentation.limits == ()

    assert list(recwarn) == []


# Limits


def test_edited_source_is_named_and_its_code_left_alone(tmp_path):
    path = tmp_path / "edited.py"
    path.write_text("def f(o):\n    return o.real\ndef g(o):\n    return o.imag\n")
    module = make_module(path.read_text(), file=str(path))
    path.write_text("def f(o):\n    return o.real\ndef g(o):\n    return -o.imag\n")
    del linecache.cache[str(path)]
    before = module.g.__code__

    with instrumented(module) as instrumentation:
        during = module.g.__code__

    assert during is before
    assert instrumentation.limits == (f"{module.__name__}.g is not what its source says; reload {path}",)


def test_source_edited_and_loaded_again_is_read_again(tmp_path):
    path = tmp_path / "again.py"
    path.write_text("def f(o):\n    return o.real\n")
    module = make_module(path.read_text(), file=str(path))
    del linecache.cache[str(path)]
    linecache.getlines(str(path))
    path.write_text("def f(o):\n    return o.imag + 1\n")
    exec(compile(path.read_text(), str(path), "exec"), module.__dict__)

    with instrumented(module) as instrumentation:
        assert instrumentation.limits == ()


def test_source_that_is_no_longer_python_is_named():
    module = make_module("def f(o):\n    return o.real\n")
    linecache.cache[module.__file__] = (4, None, ["def (\n"], module.__file__)

    with instrumented(module) as instrumentation:
        pass

    assert [limit.partition(" cannot")[0] for limit in instrumentation.limits] == [module.__file__]


def test_source_nested_too_deeply_is_named():
    deep = "x" + "".join(f" + o.a{i}" for i in range(3_000))
    module = make_module("def f(o):\n    return o.real\n")
    linecache.cache[module.__file__] = (9, None, [f"def f(o, x):\n    return {deep}\n"], module.__file__)

    with instrumented(module) as instrumentation:
        pass

    assert len(instrumentation.limits) == 1


def test_function_without_source_is_named():
    module = make_module("")
    exec("def made(o):\n    return o.real", module.__dict__)

    with instrumented(module) as instrumentation:
        pass

    assert instrumentation.limits == (f"{module.__name__}.made has no source",)


def test_methods_that_dataclasses_generate_are_no_limit():
    module = make_module("import dataclasses\n@dataclasses.dataclass(order=True)\nclass D:\n    n: int = 0\n")

    with instrumented(module) as instrumentation:
        assert repr(module.D(1)) == "D(n=1)"

    assert instrumentation.limits == ()


def test_generator_suspended_before_is_named():
    module = make_module("def steps(o):\n    yield o.real\n    yield o.imag\n")
    suspended = module.steps(1)
    next(suspended)

    with instrumented(module) as instrumentation:
        assert list(suspended) == [0]

    assert instrumentation.limits == ("steps was suspended before the exploration began",)


_GATE = "class Gate:\n    def __await__(self): yield\n"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("kept = (o.real for o in [1, 2])\nnext(kept)\ndef f(): pass\n", "<genexpr>"),
        (_GATE + "async def wait(o):\n    await Gate()\n    return o.real\nkept = wait(1)\nkept.send(None)\n", "wait"),
        (
            _GATE + "async def each(o):\n    yield o.real\n    await Gate()\n"
            "kept = each(1)\ntry: kept.asend(None).send(None)\nexcept StopIteration: pass\n",
            "each",
        ),
    ],
)
def test_whatever_was_suspended_before_is_named(source, name):
    module = make_module(source)

    with instrumented(module) as instrumentation:
        limits = instrumentation.limits
    if hasattr(module.kept, "close"):
        module.kept.close()

    assert f"{name} was suspended before the exploration began" in limits


def test_generator_that_ended_before_is_no_limit():
    module = make_module("def steps(o):\n    yield o.real\n")
    ended = module.steps(1)
    list(ended)

    with instrumented(module) as instrumentation:
        assert instrumentation.limits == ()


def test_object_that_answers_for_its_class_is_not_asked():
    class Hostile:
        @property
        def __class__(self):
            raise AssertionError("asked")

    hostile = Hostile()

    with instrumented(shapes):
        pass

    assert type(hostile) is Hostile


# Putting back


def test_every_function_has_its_own_code_object_back():
    before = {id(f): f.__code__ for f in live_functions(corpus)}

    with instrumented(corpus):
        changed = sum(f.__code__ is not before[id(f)] for f in live_functions(corpus))

    assert changed > 100
    assert all(f.__code__ is before[id(f)] for f in live_functions(corpus))


def test_function_without_shared_state_keeps_its_code_object():
    module = make_module("def f(x):\n    return x\n")
    before = module.f.__code__

    with instrumented(module) as instrumentation:
        assert module.f.__code__ is before

    assert instrumentation.limits == ()


def test_closure_born_in_between_gets_the_code_object_of_its_elder_sisters():
    module = make_module("def make():\n    def inner(o):\n        return o.real\n    return inner\n")
    elder = module.make()

    with instrumented(module):
        younger = module.make()
        rewritten = younger.__code__

    assert younger.__code__ is elder.__code__
    assert younger.__code__ is not rewritten


def test_function_born_at_any_depth_in_between_gets_original_code():
    module = make_module(
        "def make():\n    class C:\n        def m(self): return [lambda: self.x for _ in 'a']\n    return C\n"
    )
    consts = [c for c in module.make.__code__.co_consts if hasattr(c, "co_code")]

    with instrumented(module):
        cls = module.make()
        inner = cls().m()[0]

    assert cls.m.__code__ in consts[0].co_consts
    assert any(cls.m.__code__ is c for c in consts[0].co_consts)
    assert HOOKS_NAME not in inner.__code__.co_names


def test_equal_function_of_another_module_is_left_alone():
    # the two code objects are equal: neither file nor module is part of the comparison
    source = "def f():\n    def g(): return 1\n    return g, [].append(o.x)\n"
    module, other = make_module(source), make_module(source)
    code = other.f.__code__

    with instrumented(module):
        pass

    assert other.f.__code__ is code
    assert other.f.__code__.co_filename == other.__file__


def test_hooks_are_gone_afterwards():
    with instrumented(shapes):
        assert are_hooks_installed()

    assert not are_hooks_installed()


def test_interrupt_in_the_middle_of_putting_back_puts_all_back(monkeypatch):
    module = make_module("def f(o):\n    return lambda: o.x\n")
    before = module.f.__code__
    instrumentation = Instrumentation([module])
    instrumentation.swap_in()
    born = module.f(1)
    real, calls = gc.get_objects, []

    def interrupted():
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return real()

    monkeypatch.setattr(gc, "get_objects", interrupted)
    with pytest.raises(KeyboardInterrupt):
        instrumentation.swap_out()

    assert module.f.__code__ is before
    assert HOOKS_NAME not in born.__code__.co_names
    assert len(calls) == 2


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_exception_inside_a_world_puts_all_back(error):
    before = corpus.calls.__code__

    with pytest.raises(error), World(lambda: None, [corpus]):
        raise error

    assert corpus.calls.__code__ is before
    assert not are_hooks_installed()


def test_interrupted_program_puts_all_back():
    def program():
        raise KeyboardInterrupt

    before = corpus.calls.__code__

    with pytest.raises(KeyboardInterrupt), World(program, [corpus]) as world:
        world.execute(lambda candidates, current: candidates[0])

    assert corpus.calls.__code__ is before


def test_swapping_scans_the_heap_on_the_way_in_and_not_back(monkeypatch):
    real, scans = gc.get_objects, []
    monkeypatch.setattr(gc, "get_objects", lambda: scans.append(1) or real())
    instrumentation = Instrumentation([corpus])

    instrumentation.swap_in()
    swapped_in = len(scans)
    instrumentation.swap_out()
    instrumentation.is_running()

    assert (swapped_in, len(scans)) == (1, 1)


def test_exploration_of_what_leaves_no_function_behind_scans_the_heap_once(monkeypatch):
    real, scans = gc.get_objects, []
    monkeypatch.setattr(gc, "get_objects", lambda: scans.append(1) or real())

    with World(corpus.calls, [corpus]) as world:
        for _ in range(3):
            world.execute(lambda candidates, current: candidates[0])

    assert len(scans) == 1


@pytest.mark.parametrize("holder", ["function that was there before", "function in a cycle", "generator", "frame"])
def test_rewritten_code_is_found_wherever_it_was_left(holder):
    module = make_module("def f(o):\n    return o.real\ndef steps(o):\n    yield o.real\n    yield o.imag\n")
    instrumentation = Instrumentation([module])

    def elder():
        pass

    instrumentation.swap_in()
    install_hooks(passing_hooks(instrumentation.sites))
    if holder == "function that was there before":
        elder.__code__ = left = module.f.__code__
    elif holder == "function in a cycle":
        kept = FunctionType(module.f.__code__, {"kept": None})
        kept.__globals__["kept"], left = kept, kept.__code__
    else:
        kept = module.steps(1)
        next(kept)
        kept, left = (kept, kept.gi_code) if holder == "generator" else (kept.gi_frame, kept.gi_code)
    instrumentation.swap_out()
    is_running = instrumentation.is_running()
    remove_hooks()

    assert HOOKS_NAME in left.co_names
    assert HOOKS_NAME not in elder.__code__.co_names
    assert is_running == (holder == "generator")
    if holder == "function in a cycle":
        assert kept.__code__ is module.f.__code__


# Code that still runs


def test_generator_suspended_in_rewritten_code_counts_as_running():
    module = make_module("def steps(o):\n    yield o.real\n    yield o.imag\n")
    instrumentation = Instrumentation([module])
    instrumentation.swap_in()
    install_hooks(passing_hooks(instrumentation.sites))
    suspended = module.steps(1)
    next(suspended)
    instrumentation.swap_out()
    running = instrumentation.is_running()
    suspended.close()
    remove_hooks()

    assert running


def test_nothing_counts_as_running_where_nothing_is():
    instrumentation = Instrumentation([shapes])
    instrumentation.swap_in()
    instrumentation.swap_out()

    assert not instrumentation.is_running()


# Under pytest


def checked(value):
    box = {"value": value}
    assert box["value"] == 1, "never"
    assert [value, 2] == [1, 2]
    return box


def failing(box):
    assert box["value"] == 2


def test_module_that_begins_with_a_docstring_is_rewritten_under_pytest():
    # pytest's imports have no end; what follows the docstring would end before it begins
    assert __doc__

    with instrumented(sys.modules[__name__]) as instrumentation:
        assert [limit for limit in instrumentation.limits if "cannot be rewritten" in limit] == []


def test_function_with_assertions_is_matched_in_a_test_module():
    me = sys.modules[__name__]
    before = checked.__code__

    with instrumented(me) as instrumentation:
        during = checked.__code__
        result = checked(1)

    assert during is not before
    assert result == {"value": 1}
    assert not [limit for limit in instrumentation.limits if "is not what" in limit]
    assert checked.__code__ is before


def test_message_of_a_failing_assertion_survives():
    def message():
        with pytest.raises(AssertionError) as caught:
            failing({"value": 1})
        return str(caught.value)

    plain = message()

    with instrumented(sys.modules[__name__]):
        rewritten = message()

    assert rewritten == plain
    assert "assert 1 == 2" in rewritten


def test_functions_of_a_test_module_that_asserts_are_all_matched():
    with instrumented(sys.modules[__name__]) as instrumentation:
        swapped = [f for f in live_functions(sys.modules[__name__]) if HOOKS_NAME in f.__code__.co_names]

    assert len(swapped) > 20
    assert [limit for limit in instrumentation.limits if "suspended" not in limit] == []


def test_corpus_is_matched_whole():
    assert len(functions_of(corpus)) > 100

    with instrumented(corpus) as instrumentation:
        assert instrumentation.limits == ()


def test_module_instrumented_twice_over_is_put_back():
    before = shapes.FUNCTIONS["plain"].__code__
    for _ in range(2):
        with instrumented(shapes):
            pass

    assert shapes.FUNCTIONS["plain"].__code__ is before


def test_partial_of_a_swapped_function_runs_its_rewritten_code():
    module = make_module("def f(o, n):\n    return o.real + n\n")
    partial = functools.partial(module.f, n=1)

    with touching(module) as seen:
        assert partial(1) == 2

    assert seen == ["quiet real", "operand __add__"]


def test_lambdas_on_one_line_that_return_constants_are_all_matched():
    module = make_module("def f():\n    return lambda a: 0, lambda b: 0, lambda *c: 1\n")
    module.kept = module.f()
    instrumentation = Instrumentation([module])
    instrumentation.swap_in()
    instrumentation.swap_out()

    assert instrumentation.limits == ()
