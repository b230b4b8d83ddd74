"""Rewritten code does what the original does: results, exceptions, tracebacks and order of evaluation."""

from __future__ import annotations

import pytest

from harness.sim.world import World
from tests.instrument import corpus
from tests.instrument.passing import functions_of, instrumented, observe

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
