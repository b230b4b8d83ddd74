"""What a loop of a world is made with, and what it does with a callback that fails: as asyncio's own."""

from __future__ import annotations

import asyncio
import traceback

import pytest

from harness.explore import Verdict, explore

pytestmark = pytest.mark.portable


def divide(*_):
    return 1 // 0


async def tell_of_faults():
    """Note what the handler of a loop is told of two callbacks, one written in C, and what runs after them."""
    loop, noted = asyncio.get_running_loop(), []

    def handle(_, context):
        error, handle = context["exception"], context["handle"]
        lines = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        noted.append((sorted(context), context["message"][:21], type(error), lines[-1:]))
        assert repr(handle).startswith("<Handle ")

    loop.set_exception_handler(handle)
    loop.call_soon(divide, 1)
    loop.call_soon([].remove, 2)
    loop.call_soon(noted.append, "after")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return noted


def test_handler_is_told_of_a_failing_callback_as_by_a_real_loop():
    expected = asyncio.run(tell_of_faults())

    async def program():
        noted = await tell_of_faults()
        assert [entry[:3] for entry in noted[:2]] == [entry[:3] for entry in expected[:2]]
        assert noted[0][3] == expected[0][3] == ["divide"]
        assert noted[2] == expected[2] == "after"

    assert explore(program, max_schedules=3).verdict is Verdict.PASSED


def test_callback_that_exits_ends_the_loop():
    async def program():
        asyncio.get_running_loop().call_soon(exit_now)
        await asyncio.sleep(1)

    def exit_now():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explore(program, max_schedules=3)


def test_new_loop_has_what_asyncio_gives_one():
    real = asyncio.base_events.BaseEventLoop()
    expected = {name: (type(value), value) for name, value in vars(real).items()}
    real.close()

    def program():
        first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
        for name, (kind, value) in expected.items():
            assert type(getattr(first, name)) is kind, name
            if kind in (bool, int, float, type(None)):
                assert getattr(first, name) == value, name
            else:
                assert len(getattr(first, name)) == 0
                assert getattr(first, name) is not getattr(second, name)
        first.close()
        second.close()

    assert explore(program, max_schedules=3).verdict is Verdict.PASSED


@pytest.mark.parametrize(("value", "is_debug"), [("1", True), ("", False)])
def test_environment_turns_debug_mode_on(monkeypatch, value, is_debug):
    monkeypatch.setenv("PYTHONASYNCIODEBUG", value)

    async def program():
        assert asyncio.get_running_loop().get_debug() is is_debug

    assert explore(program, max_schedules=3).verdict is Verdict.PASSED


def test_program_turns_debug_mode_on():
    def program():
        import os

        os.environ["PYTHONASYNCIODEBUG"] = "1"
        try:
            loop = asyncio.new_event_loop()
        finally:
            del os.environ["PYTHONASYNCIODEBUG"]
        assert loop.get_debug()
        loop.close()

    assert explore(program, max_schedules=3).verdict is Verdict.PASSED
