"""The interleaving of one execution as a picture: a lane per task, time downward.

An execution can have thousands of events: of a long one what lies around the accesses that raced, the preemptions and
the failure is drawn, or its end where no race is known, and the picture says how much was left out where.
``timeline_drawing`` draws.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol, final, runtime_checkable

from harness.explore.error_text import text_of
from harness.explore.explaining import find_race
from harness.sim import Event as RecordedEvent
from harness.views.errors import InvalidArgumentError
from harness.views.text import clean
from harness.views.timeline_drawing import Event, Window, actor_of, await_of, draw
from harness.views.view import View

__all__ = ["Event", "Execution", "HasExecution", "TimelineView", "timeline", "timeline_svg"]

_AFTER_FAILURE = 10  # events still shown after the first error
_LONGEST_ERROR = 500  # characters
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")


class Execution(Protocol):
    """What a timeline is drawn from."""

    @property
    def events(self) -> Sequence[Event]:
        """All events in the order they happened."""

    @property
    def title(self) -> str:
        """What was run."""

    @property
    def error(self) -> BaseException | None:
        """What it ended with, if it failed."""


@runtime_checkable
class HasExecution(Protocol):
    """A result that knows the execution it comes from, such as a ``Failure``.

    It may have a ``headline`` to stand over the picture, and a ``token`` that replays the execution.
    """

    @property
    def execution(self) -> Execution:
        """The execution to draw."""


@final
class TimelineView(View):
    """The timeline of one execution. Immutable."""

    __slots__ = ()


def timeline(subject: Execution | HasExecution, *, max_events: int = 80) -> TimelineView:
    """Return the timeline of an execution: who did what in which order, and where a task was preempted.

    Deterministic: equal events give equal bytes; object addresses in the error's message are left out.

    Args:
        subject: An execution, or a failure, whose execution is drawn.
        max_events: Most events to draw; of a longer execution those around the race and the failure, or the last ones.

    Returns:
        The picture; a notebook shows it, elsewhere its text is shown.

    Raises:
        InvalidArgumentError: ``max_events`` is below 1.
    """
    execution = subject.execution if isinstance(subject, HasExecution) else subject
    heading = str(getattr(subject, "headline", execution.title))
    token = str(getattr(subject, "token", ""))
    text = f"timeline of {heading}: {_counts(execution, max_events)}; {_outcome(execution)}"
    return TimelineView(timeline_svg(execution, max_events=max_events, heading=heading, token=token), clean(text))


def timeline_svg(execution: Execution, *, max_events: int = 80, heading: str | None = None, token: str = "") -> str:
    """Return the picture of ``timeline`` alone.

    Args:
        execution: What to draw.
        max_events: Most events to draw.
        heading: What to write over it, the execution's title if left out.
        token: What replays it, left out where there is none.

    Raises:
        InvalidArgumentError: ``max_events`` is below 1.
    """
    window = _window(execution, max_events)
    heading = execution.title if heading is None else heading
    return draw(window, heading, _counts(execution, max_events), _outcome(execution), token)


def _window(execution: Execution, max_events: int) -> Window:
    if max_events < 1:
        raise InvalidArgumentError("max_events", max_events, 1)
    events, raced = execution.events, _raced(execution.events)
    if raced and len(events) > max_events:
        return _around(events, raced, max_events)
    failed = next((position for position, event in enumerate(events) if event.kind == "error"), len(events))
    end = len(events)
    if len(events) > max_events:
        end = max(min(end, failed + 1 + min(_AFTER_FAILURE, max_events - 1)), max_events)
    start = max(0, end - max_events)
    return Window(tuple(events[start:end]), start, len(events) - end, raced)


def _around(events: Sequence[Event], raced: frozenset[int], most: int) -> Window:
    """Return what is nearest to the accesses that raced, to preemptions and the failure; stretches between left out."""
    first, last = min(raced), max(raced)
    awaits = [at for at in range(first, last) if await_of(events[at]) is not None]
    switches = [*awaits, *(at for at, event in enumerate(events) if event.preempted)]
    failed = [position for position, event in enumerate(events) if event.kind == "error"]
    anchors = sorted(raced | {*switches, *(position + 1 for position in switches), *failed})

    def rank(position: int) -> tuple[int, int, int]:
        after = bisect(anchors, position)
        around = anchors[max(after - 1, 0) : after + 1]
        to_race = min(abs(position - step) for step in raced)
        return -(position in raced), min(abs(position - anchor) for anchor in around), to_race

    kept = sorted(sorted(range(len(events)), key=rank)[:most])
    gaps = {at: now - before - 1 for at, (before, now) in enumerate(pairwise(kept), 1) if now - before > 1}
    return Window(tuple(events[at] for at in kept), kept[0], len(events) - 1 - kept[-1], raced, gaps)


def _raced(events: Sequence[Event]) -> frozenset[int]:
    """Return the steps of the accesses that raced in a failed execution, where its events tell what they touch."""
    recorded = [event for event in events if isinstance(event, RecordedEvent)]
    is_failed = any(event.preempted or event.kind == "error" for event in recorded)
    race = find_race(recorded) if is_failed and len(recorded) == len(events) else None
    named = (race.first, race.second, race.third) if race is not None else ()
    return frozenset(event.step for event in named if event is not None)


def _counts(execution: Execution, max_events: int) -> str:
    left_out = max(0, len(execution.events) - max_events)
    shown = f" ({left_out:,} of them not drawn)" if left_out else ""
    tasks = _count(len({actor_of(event) for event in execution.events}), "task")
    preemptions = _count(sum(event.preempted for event in execution.events), "preemption")
    return f"{_count(len(execution.events), 'event')}{shown}, {tasks}, {preemptions}"


def _outcome(execution: Execution) -> str:
    if execution.error is None:
        return "no error"
    words = _ADDRESS.sub("0x…", clean(text_of(execution.error)))
    if len(words) > _LONGEST_ERROR:
        words = f"{words[:_LONGEST_ERROR]}…"
    return f"{type(execution.error).__name__}: {words}" if words else type(execution.error).__name__


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' * (number != 1)}"
