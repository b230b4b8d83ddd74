"""Faults strike before calls as the schedule decides, and again on replay."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import pytest

from harness.explore import InvalidArgumentError, PreemptionBounded, ReplayDivergenceError, explore, replay
from harness.sim import Call, Delay, FaultError, SimulatedExecutor, fault_point

pytestmark = pytest.mark.portable


def impatient():
    """Gives up after a second; without a fault no reply takes so long."""
    started_s = time.monotonic()
    reply = SimulatedExecutor("mail").complete("hi")
    assert time.monotonic() - started_s < 1.0
    assert reply == "mail: hi"


def test_nothing_goes_wrong_without_a_fault():
    result = explore(impatient, strategy=PreemptionBounded(bound=9))

    assert result.failure is None
    assert result.claim == "every schedule of at most 9 preemptions was run"


def test_delay_is_found_and_strikes_again_on_replay():
    faults = [Delay(30.0, calls="mail.*")]
    result = explore(impatient, faults=faults)

    assert result.failure is not None
    execution = replay(impatient, result.failure.token, faults=faults)
    assert isinstance(execution.error, AssertionError)
    assert [event.target for event in execution.events if event.kind == "draw"] == ["'delay of 30 s in mail.complete'"]
    assert isinstance(result.failure.confirm().error, AssertionError)


def test_replay_without_the_fault_diverges():
    failure = explore(impatient, faults=[Delay(30.0)]).failure

    assert failure is not None
    with pytest.raises(ReplayDivergenceError):
        replay(impatient, failure.token)


def test_fault_on_other_calls_never_strikes():
    assert explore(impatient, faults=[Delay(30.0, calls="chat.*")]).failure is None


def three_saves():
    for _ in range(3):
        fault_point("store.save")


@pytest.mark.parametrize(("at_most", "schedules"), [(1, 4), (2, 7), (3, 8)])
def test_every_set_of_strikes_is_tried_once(at_most, schedules):
    result = explore(three_saves, strategy="preemption", faults=[Delay(1.0, at_most=at_most)])

    assert result.schedules == schedules  # subsets of 3 calls with at most so many members


@dataclass(frozen=True)
class Refusal:
    name: str = "refusal"

    def may_strike(self, call: Call) -> bool:
        return call.task == "MainThread" and call.strikes == 0

    def strike(self, call: Call) -> None:
        raise ConnectionError(call.name)


def test_faults_of_ones_own_stand_beside_others():
    result = explore(three_saves, strategy="preemption", faults=[Delay(1.0), Refusal()], on_failure="continue")

    assert [type(failure.error) for failure in result.failures] == [ConnectionError]
    # Each fault at most once, a refusal ends the program: 4 ways without one; before it, at call 1, 2 or 3, the delay
    # struck nowhere or at one of the calls before: 1 + 2 + 3.
    assert result.schedules == 4 + 6


def test_outside_an_exploration_nothing_strikes():
    fault_point("store.save")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Delay(0), "seconds=0 is not above 0; pass simulated seconds"),
        (lambda: Delay(math.inf), "seconds=inf is no length of time; pass simulated seconds"),
        (lambda: Delay("1"), "seconds='1' is no length of time; pass simulated seconds"),
        (lambda: Delay(1, calls=5), "calls=5 is no pattern of names; pass one such as 'mail.*'"),
        (lambda: Delay(1, at_most=0), "at_most=0 is below 1; pass how often it may strike in one execution"),
        (lambda: Delay(1, at_most=1.5), "at_most=1.5 is no whole number; pass how often it may strike"),
    ],
)
def test_delays_out_of_range_are_refused(make, message):
    with pytest.raises(FaultError) as refused:
        make()

    assert str(refused.value) == message


@pytest.mark.parametrize("fault", [Delay, "delay"])
def test_what_is_no_fault_is_refused(fault):
    with pytest.raises(InvalidArgumentError, match="faults wants objects with name, may_strike and strike, has "):
        explore(three_saves, faults=[fault])
