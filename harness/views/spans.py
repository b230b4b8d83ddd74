"""What stands beside the marks of a timeline: locks held and waited for, and frames around the accesses that raced."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol, TypeVar

from harness.views.legend import Sample
from harness.views.svg import MUTED, element, number, title

__all__ = ["frame", "lock_legend", "lock_spans"]

_RACED, _RACED_GROUND = "#b3430a", "#fff3e2"
_BESIDE = 11.0  # from the middle of a lane
_WAIT = "2 2"


class Event(Protocol):
    """What is looked at of an event."""

    @property
    def task(self) -> int:
        """Number of the task."""

    @property
    def kind(self) -> str:
        """What it did."""

    @property
    def target(self) -> str:
        """What it acted on."""


_E = TypeVar("_E", bound=Event)


def frame(x: float, y: float, width: float, height: float) -> str:
    """Return the frame around an access that raced."""
    return element("rect", x=x, y=y, width=width, height=height, rx=3, fill=_RACED_GROUND, stroke=_RACED)


def lock_spans(
    events: Sequence[_E],
    rows: Sequence[float],
    lane: Callable[[_E], float],
    colour: Callable[[_E], str],
    gaps: Collection[int] = (),
) -> Iterator[str]:
    """Yield a line beside the lane from each acquisition to its release, and a dotted one while a task waits.

    Where the release is not among the events, the line ends before the next of ``gaps``, positions before which events
    are left out.
    """
    for first, event in enumerate(events):
        x = lane(event) + _BESIDE
        if event.kind == "acquire":
            last = _end(events, first, "release", event.target, gaps)
            yield element("g", title(f"holds {event.target}"), _line(x, rows[first], rows[last], colour(event), None))
        elif event.kind == "wait":
            last = _end(events, first, "", "", gaps)
            yield element("g", title(f"waits for {event.target}"), _line(x, rows[first], rows[last], MUTED, _WAIT))


def lock_legend(events: Sequence[Event]) -> Iterator[tuple[Sample, str]]:
    """Yield samples of the lines that are drawn."""
    kinds = {event.kind for event in events}
    if "acquire" in kinds:
        yield (lambda x, y: _line(x + 6, y - 6, y + 6, MUTED, None)), "lock held"
    if "wait" in kinds:
        yield (lambda x, y: _line(x + 6, y - 6, y + 6, MUTED, _WAIT)), "waits for a lock"


def _end(events: Sequence[Event], first: int, kind: str, target: str, gaps: Collection[int]) -> int:
    """Return the position of the task's next event, of a kind and on a target if these are given, else the last one."""
    task = events[first].task
    for position in range(first + 1, len(events)):
        event = events[position]
        if event.task == task and (not kind or (event.kind, event.target) == (kind, target)):
            return position
    return min((gap for gap in gaps if gap > first), default=len(events)) - 1


def _line(x: float, top: float, bottom: float, colour: str, dashes: str | None) -> str:
    d = f"M{number(x)} {number(top)}V{number(bottom)}"
    return element("path", d=d, fill="none", stroke=colour, stroke_width=2.5, stroke_dasharray=dashes)
