"""The interleaving of one execution as a picture: a lane per task, time downward.

An execution can have thousands of events and a reader wants the end: of a long one the part around the failure is drawn
and the picture says how much was left out. ``timeline_drawing`` draws.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol, final, runtime_checkable

from harness.explore.explaining import find_race
from harness.sim import Event as RecordedEvent
from harness.views.errors import InvalidArgumentError
from harness.views.text import clean
from harness.views.timeline_drawing import Event, Window, draw
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
        max_events: Most events to draw; of a longer execution those around the failure, or the last ones.

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
    events = execution.events
    failed = next((position for position, event in enumerate(events) if event.kind == "error"), len(events))
    end = len(events)
    if len(events) > max_events:
        end = max(min(end, failed + 1 + min(_AFTER_FAILURE, max_events - 1)), max_events)
    start = max(0, end - max_events)
    return Window(tuple(events[start:end]), start, len(events) - end, _raced(events))


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
    tasks = _count(len({event.task for event in execution.events}), "task")
    preemptions = _count(sum(event.preempted for event in execution.events), "preemption")
    return f"{_count(len(execution.events), 'event')}{shown}, {tasks}, {preemptions}"


def _outcome(execution: Execution) -> str:
    if execution.error is None:
        return "no error"
    words = _ADDRESS.sub("0x…", clean(str(execution.error)))
    if len(words) > _LONGEST_ERROR:
        words = f"{words[:_LONGEST_ERROR]}…"
    return f"{type(execution.error).__name__}: {words}" if words else type(execution.error).__name__


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' * (number != 1)}"
