"""Rewritten code does what the original does: results, exceptions, tracebacks and order of evaluation."""

from __future__ import annotations

import sys

import pytest

from harness.sim.world import World
from tests.instrument import corpus
from tests.instrument.passing import functions_of, instrumented, make_module, observe

FUNCTIONS = [f for f in functions_of(corpus) if f.__name__ != "open_nothing"]


@pytest.fixture(scope="module")
def observations():
    plain = {f.__name__: observe(f) for f in FUNCTIONS}
    with instrumented(corpus) as instrumentation:
        assert instrumentation.limits == ()
        rewritten = {f.__name__: observe(f) for f in FUNCTIONS}
    return plain, rewritten


@pytest.mark.portable
@pytest.mark.parametrize("name", [f.__name__ for f in FUNCTIONS])
def test_rewritten_function_behaves_as_the_original(name, observations):
    plain, rewritten = observations

    assert rewritten[name] == plain[name]


@pytest.fixture(scope="module")
def observations_in_a_task():
    """What the functions do as a task of a controlled world, whose hooks are scheduling points."""
    sequential = [f for f in FUNCTIONS if "run" not in f.__code__.co_names]
    plain = {f.__name__: observe(f) for f in sequential}
    seen = {}
    with World(lambda: seen.update((f.__name__, observe(f)) for f in sequential), [corpus]) as world:
        outcome = world.execute(lambda candidates, current: candidates[0])
    assert outcome.kind == "ok", outcome
    return plain, seen


@pytest.mark.portable
@pytest.mark.parametrize("name", [f.__name__ for f in FUNCTIONS if "run" not in f.__code__.co_names])
def test_function_behaves_in_a_task_as_outside(name, observations_in_a_task):
    plain, seen = observations_in_a_task

    assert seen[name] == plain[name]


ANNOTATED = """
class Box:
    size: int = 1
    def m(self, other: Box, *rest: undefined.name) -> list[missing]:
        local: also.missing = other.size
        self.kept: again.missing = local
        return m_annotations(Box.m)
def m_annotations(f):
    return sorted(f.__annotations__)
def annotated(log):
    return Box().m(Box()), Box.__annotations__
"""


@pytest.mark.portable
def test_annotations_that_are_never_evaluated_stay_unevaluated():
    module = make_module("from __future__ import annotations\n" + ANNOTATED)
    plain = observe(module.annotated)

    with instrumented(module):
        assert observe(module.annotated) == plain
        assert module.Box.m.__annotations__["return"] == "list[missing]"


GENERIC = """
def generic(log):
    type Pair[T] = tuple[T, list[T]]
    class Stack[T]:
        def __init__(self, *items: T) -> None:
            self.items: list[T] = list(items)
        def map[U: (int, str)](self, f) -> "Stack[U]":
            self.items += [f(item) for item in self.items]
            return self
    def first[T](items: list[T]) -> T:
        return items[0]
    stack = Stack[int](1, 2).map(lambda x: log.append(x) or x * 2)
    return first(stack.items), stack.items, Pair.__value__, Stack.__type_params__, f"{stack.items[0]:{first([3])}}"
"""


@pytest.mark.portable
@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with 3.12")
def test_generic_definitions_behave_as_the_originals():
    module = make_module(GENERIC)
    plain = observe(module.generic)

    with instrumented(module) as instrumentation:
        rewritten = observe(module.generic)

    assert rewritten == plain
    assert rewritten.error == ""
    assert instrumentation.limits == ()


@pytest.mark.portable
@pytest.mark.skipif(sys.version_info < (3, 13), reason="classes know the attributes of their instances from 3.13 on")
def test_attributes_that_a_class_knows_of_are_the_same():
    module = make_module(
        "def make(log):\n"
        "    class C:\n"
        "        def m(self):\n"
        "            self.a = 1\n"
        "            self.b += 1\n"
        "    return C.__static_attributes__\n"
    )
    plain = observe(module.make)

    with instrumented(module):
        assert observe(module.make) == plain
