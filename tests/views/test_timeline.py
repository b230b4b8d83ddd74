from __future__ import annotations

import threading
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from harness import pitfalls
from harness.explore import explore
from harness.explore.explaining import find_race
from harness.views import TimelineView, timeline
from harness.views.errors import InvalidArgumentError
from harness.views.marks import KINDS, mark
from harness.views.timeline import timeline_svg

from .pictures import (
    HOSTILE,
    SVG,
    Event,
    Execution,
    Failure,
    assert_plain,
    assert_readable,
    labels,
    long_execution,
    lost_update,
)


def _texts(view: TimelineView) -> list[str]:
    return [label.text for label in labels(view.svg)]


def _steps(view: TimelineView) -> list[str | None]:
    groups = ElementTree.fromstring(view.svg).iter(f"{SVG}g")
    return [group.get("data-step") for group in groups if group.get("data-step") is not None]


def _hostile() -> Execution:
    events = [
        Event(step, step + 1, name, name if step % 2 else "read", name, name, step % 3 == 0, name, 1, name)
        for step, name in enumerate(HOSTILE)
    ]
    return Execution(events, HOSTILE[0], ValueError(" ".join(HOSTILE)))


_EXECUTIONS = {
    "lost update": lost_update(),
    "500 events": long_execution(500, 12),
    "of 70 tasks": long_execution(300, 70, name="a task with a long name"),
    "hostile": _hostile(),
    "of no events": Execution([]),
}


@pytest.mark.parametrize("name", _EXECUTIONS)
def test_picture_is_readable_plain_and_small(name: str) -> None:
    view = timeline(_EXECUTIONS[name])

    assert_readable(view.svg)
    assert_plain(view.svg)
    assert len(view.svg.encode()) <= 300_000


@pytest.mark.parametrize("name", _EXECUTIONS)
def test_equal_executions_give_equal_bytes(name: str) -> None:
    assert timeline(_EXECUTIONS[name]) == timeline(_EXECUTIONS[name])


def test_lost_update_is_told_step_by_step() -> None:
    view = timeline(lost_update())

    assert _steps(view) == [str(step) for step in range(11)]
    assert _texts(view).count("self.n = value + 1") == 2
    assert {"main", "first", "second"} <= set(_texts(view))


def test_preemption_is_named_and_has_an_arrow_from_lane_to_lane() -> None:
    view = timeline(lost_update())
    calm = timeline(replace(lost_update(), events=[replace(event, preempted=False) for event in lost_update().events]))

    assert [text for text in _texts(view) if "preempted" in text] == ["preempted: first could go on, second runs"]
    assert view.svg.count("<polygon") == calm.svg.count("<polygon") + 1


def test_error_is_the_last_sentence_of_the_picture() -> None:
    view = timeline(lost_update())

    error = next(label for label in labels(view.svg) if label.text == "AssertionError: assert 1 == 2")
    assert all(label.bottom < error.top for label in labels(view.svg) if "Counter#1.n" in label.text)


def test_text_is_one_line_with_counts_and_error() -> None:
    assert str(timeline(lost_update())) == (
        "timeline of lost_update: 11 events, 3 tasks, 1 preemption; AssertionError: assert 1 == 2"
    )


def test_execution_without_error_says_so() -> None:
    view = timeline(replace(lost_update(), error=None))

    assert str(view).endswith("; no error")
    assert "no error" in _texts(view)


def test_addresses_in_the_error_are_left_out() -> None:
    view = timeline(Execution([], "t", ValueError("bad <Counter object at 0x7f3a12bc4d50>")))

    assert str(view).endswith("ValueError: bad <Counter object at 0x…>")
    assert "7f3a12bc4d50" not in view.svg


def test_failure_is_drawn_by_its_execution() -> None:
    assert timeline(Failure(lost_update())) == timeline(lost_update())


def test_mimebundle_holds_the_text_and_the_picture() -> None:
    view = timeline(lost_update())

    assert view._repr_mimebundle_() == {"text/plain": str(view), "image/svg+xml": view.svg}
    assert view.svg == timeline_svg(lost_update())


def test_long_execution_shows_its_end_and_counts_what_was_left_out() -> None:
    view = timeline(long_execution(500, 4))

    assert _steps(view) == [str(step) for step in range(420, 500)]
    assert "… 420 earlier events left out" in _texts(view)
    assert "500 events (420 of them not drawn)" in str(view)


def test_long_tail_after_the_failure_is_left_out_too() -> None:
    execution = long_execution(500, 4)
    events = [replace(event, kind="error") if event.step == 300 else event for event in execution.events]
    view = timeline(replace(execution, events=events))

    assert _steps(view)[-1] == "310"
    assert "… 189 later events left out" in _texts(view)


@pytest.mark.parametrize("pitfall", [pitfalls.get(name) for name in ("lost-update-async", "retired-pool-served")])
def test_long_failure_shows_the_race_and_the_switch_with_what_lies_between_counted(pitfall: pitfalls.Pitfall) -> None:
    failure = explore(pitfall.broken, instrument=pitfall.instrument).failure
    assert failure is not None
    events = failure.execution.events
    race = find_race(events)
    assert race is not None
    view = timeline(failure)
    steps = [int(step) for step in _steps(view)]

    raced = {event.step for event in (race.first, race.second, race.third) if event is not None}
    assert raced | {event.step for event in events if event.preempted or event.kind == "error"} <= set(steps)
    assert len(steps) == 80
    left_out = [now - before - 1 for before, now in pairwise([-1, *steps, len(events)]) if now - before > 1]
    texts = [text for text in _texts(view) if text.endswith("left out")]
    assert sorted(int(text.split()[1]) for text in texts) == sorted(left_out)
    assert sum(left_out) == len(events) - 80


def test_tasks_of_a_loop_have_lanes_of_their_own_and_the_await_between_is_told() -> None:
    pitfall = pitfalls.get("lost-update-async")
    failure = explore(pitfall.broken, instrument=pitfall.instrument).failure
    assert failure is not None
    race = find_race(failure.execution.events)
    assert race is not None
    assert race.awaited is not None
    texts = _texts(timeline(failure))

    assert {race.first.actor_name, race.second.actor_name} <= set(texts)
    awaits = f"{race.first.actor_name} awaits at lost_update_async.py:{race.awaited[1]}, "
    assert any(text.startswith(awaits) for text in texts)


def test_early_failure_is_shown_from_the_start() -> None:
    execution = long_execution(500, 4)
    events = [replace(event, kind="error") if event.step == 5 else event for event in execution.events]

    assert _steps(timeline(replace(execution, events=events))) == [str(step) for step in range(80)]


@pytest.mark.parametrize("most", [1, 2, 11, 12])
def test_failing_event_is_in_the_smallest_window(most: int) -> None:
    steps = _steps(timeline(long_execution(100, 3), max_events=most))

    assert steps == [str(step) for step in range(100 - most, 100)]


def test_every_kind_has_a_mark_of_its_own() -> None:
    marks = {mark(kind, 10, 10, "#000000") for kind in (*KINDS, "unknown")}

    assert len(marks) == len(KINDS) + 1


def test_window_of_no_events_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"max_events=0 is below 1; pass 1 or more"):
        timeline(lost_update(), max_events=0)


def withdraw_before_deposit() -> None:
    account, lock, refused = {"balance": 0}, threading.Lock(), []

    def deposit() -> None:
        with lock:
            account["balance"] += 10

    def withdraw() -> None:
        with lock:
            if account["balance"] < 10:
                refused.append(account["balance"])

    threads = [threading.Thread(target=function) for function in (deposit, withdraw)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []


def test_accesses_that_raced_are_framed_and_locks_held_are_drawn() -> None:
    failure = explore(withdraw_before_deposit).failure
    assert failure is not None
    race = find_race(failure.execution.events)
    assert race is not None
    view = timeline(failure)

    framed = [element for element in ElementTree.fromstring(view.svg).iter(f"{SVG}rect") if element.get("rx") == "3"]
    assert len(framed) == 3 - (race.third is None) + 1  # and the one in the legend
    assert view.svg.count("<title>holds Lock#1</title>") == 2
    assert {"access that raced", "lock held"} <= set(_texts(view))
    assert "dict#1['balance'] = 10" in _texts(view)
    assert_readable(view.svg)


def test_wait_for_a_lock_is_drawn_until_the_task_goes_on() -> None:
    pitfall = pitfalls.get("reader-blocked")
    failure = explore(pitfall.broken).failure
    assert failure is not None
    view = timeline(failure)

    assert view.svg.count("<title>waits for Lock#1</title>") == 1
    assert "waits for a lock" in _texts(view)
    assert_readable(view.svg)
