"""The simulated executor answers by plan, takes simulated time and records its calls."""

from __future__ import annotations

import threading

import pytest
from sink import make_sink

from harness.explore import Verdict, explore
from harness.registry import Registry
from harness.sim import SimulatedExecutor

pytestmark = pytest.mark.portable


def test_plan_comes_first_and_echo_after_it():
    executor = SimulatedExecutor("mail", plan=["hello", TimeoutError("slow")])

    assert executor.complete("hi") == "hello"
    with pytest.raises(TimeoutError, match="slow"):
        executor.complete("hi")
    assert executor.complete("hi") == "mail: hi"


def test_calls_are_recorded_with_simulated_times():
    def program():
        executor = SimulatedExecutor("mail", plan=["one", ValueError("two")], latency_s=(0.5, 0.5))
        executor.complete("a")
        with pytest.raises(ValueError, match="two"):
            executor.complete("b")
        first, second = executor.calls
        assert (first.prompt, first.started_s, first.ended_s, first.reply, first.error) == ("a", 0.0, 0.5, "one", None)
        assert (second.started_s, second.ended_s, second.reply) == (0.5, 1.0, None)
        assert isinstance(second.error, ValueError)

    assert explore(program, max_schedules=1).verdict is Verdict.PASSED, str(explore(program, max_schedules=1))


def test_latencies_are_equal_for_equal_seeds_and_differ_for_others():
    note, ends = make_sink()

    def program(seed):
        executor = SimulatedExecutor("mail", seed=seed)
        executor.complete("a")
        note(executor.calls[0].ended_s)

    for seed in (1, 1, 2):
        explore(lambda seed=seed: program(seed), max_schedules=1)

    assert ends()[1] == ends()[3]
    assert ends()[5] != ends()[3]


def test_one_stands_behind_every_provider_of_a_fleet():
    registry = Registry.from_file("fixtures/fleet.yaml", executors=lambda spec: SimulatedExecutor(spec.id))
    snapshot = registry.snapshot()

    def program():
        replies = []

        def ask(provider_id):
            replies.append(snapshot.executor(provider_id).complete("ping"))

        threads = [threading.Thread(target=ask, args=(provider_id,)) for provider_id in snapshot.providers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(replies) == sorted(f"{provider_id}: ping" for provider_id in snapshot.providers)

    result = explore(program, max_schedules=30, instrument=["harness.registry"])

    assert result.verdict is Verdict.PASSED, str(result)
