"""Errors as programs raise them: without a text, of a class of their own, in groups, from deep calls."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from harness import Verdict, explore, replay

pytestmark = pytest.mark.portable


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def raises_mute():
    raise MuteError


def test_error_whose_text_cannot_be_had_is_reported_all_the_same():
    failure = explore(raises_mute).failure

    assert "MuteError: <exception str() failed>" in failure.explain()
    assert "<exception str() failed>" in str(failure.execution)


def raises_a_class_of_its_own():
    class OwnError(Exception):
        pass

    raise OwnError("here")


def test_error_of_a_class_made_in_the_program_is_the_same_in_every_execution():
    result = explore(raises_a_class_of_its_own, on_failure="continue", max_schedules=5)

    assert result.limits == ()
    assert len(result.failures) == 1


async def fails_in_a_group():
    async def fail():
        raise ValueError("the model is gone")

    async with asyncio.TaskGroup() as group:
        group.create_task(fail())


def test_group_of_errors_says_what_its_first_one_says():
    failure = explore(fails_in_a_group).failure

    assert "ValueError: the model is gone" in failure.explain()


def calls_deep():
    def depth(n):
        return 0 if n == 0 else 1 + depth(n - 1)

    found = []
    thread = threading.Thread(target=lambda: found.append(depth(700)))
    thread.start()
    thread.join()
    assert found == [700]


@pytest.mark.skipif((3, 12) <= sys.version_info < (3, 13), reason="3.12 limits calls through C, whatever is set")
def test_task_calls_as_deep_as_a_thread():
    before = sys.getrecursionlimit()

    assert explore(calls_deep, max_schedules=5).verdict is Verdict.PASSED
    assert sys.getrecursionlimit() == before


def calls_itself_for_ever():
    def again(n):
        return again(n + 1)

    again(0)


def test_endless_recursion_ends_as_it_does_natively(request):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(400)  # a shorter way
    request.addfinalizer(lambda: sys.setrecursionlimit(before))

    result = explore(calls_itself_for_ever)

    assert type(result.failure.error) is RecursionError
    assert type(replay(calls_itself_for_ever, result.failure.token).error) is RecursionError
