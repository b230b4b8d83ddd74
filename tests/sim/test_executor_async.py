"""The simulated executor on loops: replies, tokens one by one, rate limits, failures by plan and by seed."""

from __future__ import annotations

import asyncio
import threading

import pytest

from harness.explore import Verdict, explore
from harness.sim import RateLimitError, SimulatedExecutor

pytestmark = pytest.mark.portable


def in_world(main):
    result = explore(main, max_schedules=3)
    assert result.verdict is Verdict.PASSED, str(result.failure)


def test_reply_takes_simulated_time_and_lets_other_tasks_go_on():
    async def main():
        executor = SimulatedExecutor("mail", latency_s=(10, 10))
        loop = asyncio.get_running_loop()
        assert await asyncio.gather(*(executor.acomplete(word) for word in "ab")) == ["mail: a", "mail: b"]
        assert loop.time() == 10
        assert [(call.prompt, call.started_s, call.ended_s) for call in executor.calls] == [("a", 0, 10), ("b", 0, 10)]
        assert executor.most_at_once == 2

    in_world(main)


def test_stream_gives_tokens_one_by_one():
    async def main():
        executor = SimulatedExecutor("mail", plan=["a long reply"], latency_s=(1, 1))
        loop = asyncio.get_running_loop()
        given = [(loop.time(), token) async for token in executor.stream("hi")]
        assert given == [(1, "a"), (2, " long"), (3, " reply")]
        assert executor.calls[0].reply == "a long reply"

    in_world(main)


def test_stream_may_break_off():
    async def main():
        executor = SimulatedExecutor("mail", plan=[ConnectionError("gone")])
        tokens = []

        async def read():
            async for token in executor.stream("one two"):
                tokens.append(token)  # noqa: PERF401 - to have them when it fails

        with pytest.raises(ConnectionError, match="gone"):
            await read()
        assert tokens == ["mail:"]
        assert executor.calls[0].reply == "mail:"
        assert type(executor.calls[0].error) is ConnectionError

    in_world(main)


def test_one_call_too_many_is_told_when_to_come_again():
    async def main():
        executor = SimulatedExecutor("mail", concurrency=1, retry_after_s=3)
        first = asyncio.create_task(executor.acomplete("a"))
        await asyncio.sleep(0)
        with pytest.raises(RateLimitError, match="status 429: too many calls; try again after 3 s") as limited:
            await executor.acomplete("b")
        await asyncio.sleep(limited.value.retry_after_s)
        assert await executor.acomplete("b") == "mail: b"
        assert await first == "mail: a"
        assert [call.error is None for call in executor.calls] == [False, True, True]

    in_world(main)


def test_cancelled_call_is_remembered_and_makes_room():
    async def main():
        executor = SimulatedExecutor("mail", concurrency=1, latency_s=(10, 10))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(executor.acomplete("a"), 1)
        assert type(executor.calls[0].error) is asyncio.CancelledError
        assert executor.calls[0].ended_s == 1
        assert await executor.acomplete("b") == "mail: b"

    in_world(main)


def test_failures_are_those_of_the_seed():
    def outcomes(seed):
        executor = SimulatedExecutor("mail", failure_rate=0.5, seed=seed)
        for _ in range(20):
            try:
                executor.complete("a")
            except ConnectionError as error:
                assert str(error) == "mail lost the connection"  # noqa: PT017 - not each call fails
        return [call.error is None for call in executor.calls]

    assert outcomes(1) == outcomes(1) != outcomes(2)
    assert 0 < sum(outcomes(1)) < 20


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"failure_rate": 2}, "failure_rate=2 is no share; pass a number from 0 to 1"),
        ({"concurrency": 0}, "concurrency=0 is below 1; pass a number of calls"),
        ({"retry_after_s": -1}, "retry_after_s=-1 is below 0; pass seconds"),
        ({"latency_s": (2, 1)}, r"latency_s=\(2, 1\) is negative or out of order; pass the shortest"),
        ({"latency_s": 2}, "latency_s=2 is no pair of numbers; pass the shortest"),
        ({"plan": "hello"}, "plan='hello' is no list; pass a list"),
        ({"plan": ["hello", OSError]}, r"plan\[1\]=<class 'OSError'> is neither a text nor an error; pass a reply"),
    ],
)
def test_wrong_option_is_refused(options, what):
    with pytest.raises((ValueError, TypeError), match=what):
        SimulatedExecutor("mail", **options)


def first_come_first_planned():
    executor, got = SimulatedExecutor("mail", plan=["first", "second"]), {}

    async def ask(name):
        got[name] = await executor.acomplete(name)

    threads = [threading.Thread(target=asyncio.run, args=(ask(name),)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {"a": "first", "b": "second"}


@pytest.mark.filterwarnings("ignore:coroutine")
def test_order_of_calls_from_two_loops_is_found_by_the_reduction_and_told():
    failure = explore(first_come_first_planned, strategy="dpor", max_schedules=200).failure

    assert failure is not None
    assert "SimulatedExecutor#1." in failure.explain().splitlines()[0]
