"""Locks made before the world, and taken by code that nobody rewrites while it calls the program back."""

from __future__ import annotations

import sys
import textwrap
import threading
import types

import pytest

from harness import Verdict, explore
from harness.sim.locks import REAL_LOCK_TYPES

pytestmark = pytest.mark.portable

_PACKAGE = """
    import threading

    of_module, plain = threading.RLock(), threading.Lock()
    made = {}

    def once(name, factory, lock=None):
        with lock or of_module:
            if name not in made:
                made[name] = factory()
            return made[name]

    def once_plainly(name, factory):
        return once(name, factory, plain)

    class Registry:
        of_class = threading.RLock()

        def __init__(self):
            self.of_instance = threading.RLock()

        def once_for_the_class(self, name, factory):
            return once(name, factory, self.of_class)

        def once_for_the_instance(self, name, factory):
            return once(name, factory, self.of_instance)

    REGISTRY = Registry()
"""


@pytest.fixture
def package(monkeypatch):
    module = types.ModuleType("package_with_locks")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(textwrap.dedent(_PACKAGE), vars(module))
    return module


class Database:
    made = 0

    def __init__(self):
        Database.made += 1
        self.number = Database.made


def two_ask_for_one(once):
    def program():
        sys.modules["package_with_locks"].made.clear()
        found = []
        threads = [threading.Thread(target=lambda: found.append(once("db", Database))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found[0] is found[1]
        assert Database.made == 1

    return program


@pytest.mark.parametrize("strategy", ["random", "dpor"])
@pytest.mark.parametrize("place", ["of_module", "plain", "of_class", "of_instance"])
def test_lock_of_code_that_is_not_rewritten_keeps_the_second_task_out(package, place, strategy):
    once = {
        "of_module": package.once,
        "plain": package.once_plainly,
        "of_class": package.REGISTRY.once_for_the_class,
        "of_instance": package.REGISTRY.once_for_the_instance,
    }[place]

    result = explore(two_ask_for_one(once), strategy=strategy, max_schedules=100)

    assert result.verdict in (Verdict.PASSED, Verdict.PROVED), str(result)
    assert result.schedules > 1
    assert not any("no scheduling point" in limit for limit in result.limits)


def test_locks_are_the_real_ones_again(package):
    before = [package.of_module, package.Registry.of_class, package.REGISTRY.of_instance]

    explore(two_ask_for_one(package.once), max_schedules=5)

    after = [package.of_module, package.Registry.of_class, package.REGISTRY.of_instance]
    assert all(one is other for one, other in zip(before, after, strict=True))
    assert {type(lock) for lock in after} == {REAL_LOCK_TYPES[1]}
