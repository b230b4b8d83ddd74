"""Random data inside a world starts the same in each execution, and tasks do not change what others get."""

from __future__ import annotations

import os
import random
import secrets
import threading
import uuid

import pytest

from harness.explore import Verdict, explore, replay
from harness.sim import World

pytestmark = pytest.mark.portable

SOURCES = {
    "os.urandom": lambda: os.urandom(8),
    "secrets": lambda: secrets.token_hex(8),
    "uuid4": uuid.uuid4,
    "uuid1": uuid.uuid1,
    "an unseeded generator": lambda: random.Random().random(),
    "the system's generator": lambda: random.SystemRandom().random(),
    "the shared generator": random.random,
    "the shared generator, seeded by the system": lambda: (random.seed(), random.random()),
}
seen: list[object] = []


def drawn_twice(source):
    """Return what a program draws in three executions, two times each."""

    def program():
        seen.append((source(), source()))

    seen.clear()
    with World(program, [], isolated=[]) as world:
        for _ in range(3):
            world.execute(lambda candidates, current: candidates[0])
    return list(seen)


@pytest.mark.parametrize("name", SOURCES)
def test_data_is_the_same_in_each_execution(name):
    first, second, third = drawn_twice(SOURCES[name])

    assert first == second == third


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "the shared generator, seeded by the system"])
def test_data_differs_within_an_execution(name):
    one, other = drawn_twice(SOURCES[name])[0]

    assert one != other


def test_tasks_draw_different_data_from_the_system():
    found = []

    def program():
        threads = [threading.Thread(target=lambda: found.append(uuid.uuid4())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with World(program, []) as world:
        world.execute(lambda candidates, current: candidates[0])
        world.execute(lambda candidates, current: candidates[-1])

    assert len(set(found)) == 2
    assert len(found) == 4


def test_shared_generator_goes_on_after_a_world_where_it_was():
    random.seed(5)
    expected = random.Random(5).random()

    drawn_twice(random.random)

    assert random.random() == expected


def draws_in_an_order():
    first = []

    def draw():
        first.append(random.random())

    threads = [threading.Thread(target=draw) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first[0] > 0.8, "the second number came first"


def test_failure_that_depends_on_random_data_replays():
    result = explore(lambda: check_code(secrets.randbelow(10)), max_schedules=5)

    assert result.verdict is Verdict.FAILED
    again = explore(lambda: check_code(secrets.randbelow(10)), max_schedules=5)
    assert str(again.failure.error) == str(result.failure.error)


def check_code(code):
    assert code < 0, f"drew {code}"


def test_draws_of_two_tasks_from_the_shared_generator_are_steps():
    result = explore(draws_in_an_order, max_schedules=50)
    events = result.failure.execution.events

    assert any("Random#1" in event.target for event in events)
    assert replay(draws_in_an_order, result.failure.token).error is not None
