"""Hooks: where no task runs they give back what they were given, on any thread."""

from __future__ import annotations

import threading

import pytest

from harness.instrument import SiteTable, are_hooks_installed, install_hooks, remove_hooks
from harness.instrument.hooks import HOOKS_NAME
from harness.sim.world import World
from tests.instrument import corpus
from tests.instrument.passing import make_module, observe, passing_hooks

pytestmark = pytest.mark.portable

OBJECTS = [[], {}, set(), 5, None, "text", object(), threading.Lock(), len, [].append, type, corpus, corpus.Box([])]


@pytest.fixture
def hooks():
    return passing_hooks(SiteTable())


@pytest.mark.parametrize(
    "hook", ["attr", "quiet", "lazy", "called", "whole", "text", "matched", "iterate", "delegate", "enter", "value"]
)
@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: type(obj).__name__)
def test_hook_outside_a_task_gives_its_object_back(hooks, hook, obj):
    assert getattr(hooks, hook)(obj, 0) is obj


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: type(obj).__name__)
def test_hook_outside_a_task_gives_object_key_and_value_back(hooks, obj):
    key, value = object(), object()

    assert hooks.item(obj, key, 0) is obj
    assert hooks.member(value, obj, 0) is value
    assert hooks.searched(value, obj, 0) == (obj, value)
    assert hooks.operand(value, obj, 0) is value
    assert hooks.operands(value, obj, 0) == (value, obj)
    assert hooks.key(obj, key, 0) is key
    assert hooks.pair(obj, key, 0) == (obj, key)
    assert hooks.store(value, obj, key, 0) == (obj, key, value)
    assert hooks.inplace(value, obj, 0) is value
    assert hooks.stored(value, obj, 0) is value
    assert hooks.storeditem(value, obj, key, 0) is value
    assert hooks.args(obj, 0, key, value) == (obj, key, value)
    assert hooks.name(0) is None
    assert hooks.unseen(0) is None


def test_hooks_on_another_thread_let_everything_pass_while_a_task_runs():
    functions = [corpus.calls, corpus.loops, corpus.augmented_subscripts, corpus.managers]
    seen = []

    def other_thread():
        seen.extend(observe(function) for function in functions)

    real_thread = threading.Thread(target=other_thread)
    expected = [observe(function) for function in functions]

    with World(lambda: None, [corpus]) as world:
        real_thread.start()
        while real_thread.is_alive():
            world.execute(lambda candidates, current: candidates[0])
        real_thread.join()

    assert seen == expected


def test_hooks_stand_in_builtins_under_a_name_that_no_program_can_use(hooks):
    install_hooks(hooks)
    installed = are_hooks_installed()
    remove_hooks()

    assert installed
    assert not are_hooks_installed()
    assert not HOOKS_NAME.isidentifier()


def test_hooks_can_be_removed_twice():
    remove_hooks()
    remove_hooks()


def test_namespace_of_an_instrumented_module_has_nothing_of_ours():
    module = make_module("def f(o):\n    return o.real\n")
    before = set(vars(module))

    with World(lambda: module.f(1), [module]) as world:
        world.execute(lambda candidates, current: candidates[0])
        during = set(vars(module))

    assert during == before
