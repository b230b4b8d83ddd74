"""Draws a timeline: lanes at the left hold the marks, columns at the right say in words what each mark is.

One row per event, so that the right side reads like an annotated listing and no text stands in a lane. A preemption has
a row of its own with an arrow from lane to lane; other hand-overs are thin dotted lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, final

from harness.views.legend import Sample, legend
from harness.views.marks import KINDS, mark
from harness.views.shapes import PALETTE
from harness.views.spans import frame, lock_legend, lock_spans
from harness.views.svg import MUTED, document, element, label, number, polygon, title
from harness.views.text import clean, fit, text_width, wrap

__all__ = ["Event", "Window", "draw"]

_WIDTH, _MARGIN = 960.0, 16.0
_LANES = _MARGIN + 44.0  # left edge of the first lane; step numbers stand left of it
_ROW, _EXTRA = 20.0, 18.0  # height of an event's row, and of a preemption's
_TEXT, _SMALL = 11.0, 9.5
_WIDEST_LANE, _NARROWEST_LANE, _ALL_LANES = 140.0, 14.0, 320.0
_LEAST_TEXT = 440.0  # room for the columns of words
_SWITCH, _WRONG, _RIGHT = "#b3430a", "#c92a2a", "#2b7a37"
_FAINT = "#e3e6e9"
_ERROR_LINES = 6
_GAP = 10.0  # between columns of words
_GAP_ROW = 20.0  # height of what stands for events left out
_TORN = {"stroke": MUTED, "stroke_dasharray": "1 4"}


class Event(Protocol):
    """One event of an execution."""

    @property
    def step(self) -> int:
        """Position in the execution, from 0."""

    @property
    def task(self) -> int:
        """Number of the task; 1 is the main one."""

    @property
    def task_name(self) -> str:
        """Name to show for the task."""

    @property
    def kind(self) -> str:
        """One of ``marks.KINDS``."""

    @property
    def target(self) -> str:
        """What it acts on, such as ``Counter#1.n``."""

    @property
    def file(self) -> str:
        """Source file."""

    @property
    def line(self) -> int:
        """Line in ``file``, from 1."""

    @property
    def function(self) -> str:
        """Name of the function."""

    @property
    def source(self) -> str:
        """Text of the line."""

    @property
    def preempted(self) -> bool:
        """Whether control left the task right after, although it could go on."""


@final
@dataclass(frozen=True, slots=True)
class Window:
    """The events to draw, and how many stand before and after them. Immutable."""

    events: tuple[Event, ...]
    before: int
    after: int
    raced: frozenset[int] = frozenset()  # steps of the accesses that raced
    gaps: Mapping[int, int] = field(default_factory=dict)  # by position in ``events``: events left out before it


def draw(window: Window, heading: str, counts: str, outcome: str, token: str) -> str:
    """Return the SVG: ``heading``, ``counts`` and ``token`` above the events, ``outcome`` below."""
    return _Drawing(window).finish(heading, counts, outcome, token)


class _Drawing:
    """One drawing in the making. Confined."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._events = window.events
        self._names = {actor_of(event): name_of(event) for event in sorted(self._events, key=actor_of)}
        self._lane = {actor: position for position, actor in enumerate(self._names)}
        widest = _widest(list(self._names.values()), _TEXT, bold=True)
        self._pitch = min(max(widest + 18, 44.0), _WIDEST_LANE)
        self._staggered = self._pitch * len(self._names) > _ALL_LANES
        if self._staggered:
            self._pitch = max(_NARROWEST_LANE, min(36.0, _ALL_LANES / len(self._names)))
        self._words = _LANES + self._pitch * len(self._names) + 10
        self._width = max(_WIDTH, self._words + _LEAST_TEXT)
        self._rows: list[float] = []

    def finish(self, heading: str, counts: str, outcome: str, token: str) -> str:
        room = self._width - 2 * _MARGIN
        lines = wrap(counts, room, _TEXT, lines=2)
        parts = [label(_MARGIN, 30, fit(heading, room, 16, bold=True), 16, bold=True)]
        parts += [label(_MARGIN, 50 + 16 * row, line, _TEXT, fill=MUTED) for row, line in enumerate(lines)]
        top = 50.0 + 16 * len(lines) + 10
        if token:
            parts.append(
                label(_MARGIN, top, fit(f"replay with {token}", room, 10, mono=True), 10, mono=True, fill=MUTED)
            )
            top += 20
        heads = top + (16 * len(self._names) if self._staggered else 16)
        end = self._place_rows(heads + 12)
        parts += self._heads(top, end)
        parts += self._left_out(heads + 24, end)
        parts += self._gaps()
        parts += self._raced()
        parts += self._bars()
        parts += lock_spans(self._events, self._rows, self._x, self._colour, self._window.gaps)
        parts += self._hand_overs()
        parts += self._texts()
        box, height = self._outcome(outcome, end + 22 * bool(self._window.after) + 12)
        explained, height = legend(self._legend_entries(), _MARGIN, height + 22, self._width - _MARGIN, sample_width=18)
        return document(self._width, height + _MARGIN, heading, f"{counts}; {outcome}", *parts, *box, *explained)

    def _x(self, event: Event) -> float:
        return _LANES + self._pitch * (self._lane[actor_of(event)] + 0.5)

    def _colour(self, event: Event) -> str:
        return self._colour_of(actor_of(event))

    @staticmethod
    def _colour_of(actor: tuple[int, int]) -> str:
        return PALETTE[(sum(actor) - 1) % len(PALETTE)]

    def _place_rows(self, y: float) -> float:
        """Set the middle of each row; return the end of the last."""
        y += 22 * bool(self._window.before)
        for position, event in enumerate(self._events):
            y += _GAP_ROW * (position in self._window.gaps)
            self._rows.append(y + _ROW / 2)
            y += _ROW + _EXTRA * (event.preempted or await_of(event) is not None)
        return y

    def _heads(self, top: float, end: float) -> Iterator[str]:
        """Write each task's name over its lane, or in steps like stairs when names are wider than lanes."""
        for position, (actor, name) in enumerate(self._names.items()):
            x = _LANES + self._pitch * (position + 0.5)
            y = top + 16 * position if self._staggered else top
            yield element("path", d=f"M{number(x)} {number(y + 16)}V{number(end)}", stroke=_FAINT, stroke_width=1.5)
            room = self._width - _MARGIN - x if self._staggered else self._pitch - 8
            shown = fit(name, room, _TEXT, bold=True)
            anchor = None if self._staggered else "middle"
            left = x - 4 if self._staggered else x
            head = label(left, y + 11, shown, _TEXT, bold=True, fill=self._colour_of(actor), anchor=anchor)
            yield element("g", title(f"task {actor[0]}: {name}"), head)

    def _left_out(self, top: float, end: float) -> Iterator[str]:
        for count, y, which in ((self._window.before, top, "earlier"), (self._window.after, end + 16, "later")):
            if count:
                words = f"… {count:,} {which} event{'s' * (count > 1)} left out"
                yield label(self._words, y, words, _TEXT, fill=MUTED)

    def _gaps(self) -> Iterator[str]:
        """Write between the rows how many events are left out there."""
        for position, count in self._window.gaps.items():
            y = self._rows[position] - _ROW / 2 - _GAP_ROW / 2
            yield label(self._words, y + 3.5, f"… {count:,} event{'s' * (count > 1)} left out", _TEXT, fill=MUTED)
            yield element("path", d=f"M{number(_LANES)} {number(y)}H{number(self._words - 6)}", **_TORN)

    def _raced(self) -> Iterator[str]:
        """Frame the rows of the accesses that raced."""
        for event, y in zip(self._events, self._rows, strict=True):
            if event.step in self._window.raced:
                width = self._width - _MARGIN + 4 - (self._words - 4)
                yield frame(self._words - 4, y - _ROW / 2 + 1, width, _ROW - 2)

    def _bars(self) -> Iterator[str]:
        """Join the consecutive events of one task."""
        first = 0
        for last, event in enumerate(self._events):
            is_last = last + 1 == len(self._events) or last + 1 in self._window.gaps
            if not is_last and actor_of(self._events[last + 1]) == actor_of(event):
                continue
            y, height = self._rows[first] - 8, self._rows[last] - self._rows[first] + 16
            yield element(
                "rect",
                x=self._x(event) - 8,
                y=y,
                width=16,
                height=height,
                rx=8,
                fill=self._colour(event),
                fill_opacity=0.16,
            )
            first = last + 1

    def _hand_overs(self) -> Iterator[str]:
        for position, event in enumerate(self._events):
            after = self._events[position + 1] if position + 1 < len(self._events) else None
            if event.preempted or await_of(event) is not None:
                yield from self._switch(position, event, after)
            elif after is not None and actor_of(after) != actor_of(event) and position + 1 not in self._window.gaps:
                start, end = (self._x(event), self._rows[position]), (self._x(after), self._rows[position + 1])
                yield element(
                    "path",
                    d=f"M{number(start[0])} {number(start[1] + 8)}L{number(end[0])} {number(end[1] - 8)}",
                    stroke="#868e96",
                    stroke_dasharray="1.5 2.5",
                )

    def _switch(self, position: int, event: Event, after: Event | None) -> Iterator[str]:
        """Draw where control leaves a task that could go on, or one that awaits and so lets another of its loop in."""
        y = self._rows[position] + _ROW / 2 + _EXTRA / 2
        awaits = None if event.preempted else await_of(event)
        words = "preempted" if awaits is None else f"awaits at {awaits}"
        if after is not None and actor_of(after) != actor_of(event):
            words = f"{name_of(event)} {words}, {name_of(after)} runs"
            if awaits is None:
                words = f"preempted: {event.task_name} could go on, {after.task_name} runs"
            x, to = self._x(event), self._x(after)
            d = f"M{number(x)} {number(y - 11)}V{number(y)}H{number(to)}V{number(y + 6)}"
            yield element("path", d=d, fill="none", stroke=_SWITCH, stroke_width=1.8)
            yield polygon([(to - 4, y + 5), (to + 4, y + 5), (to, y + 11)], fill=_SWITCH)
        room = self._width - _MARGIN - self._words
        yield label(self._words, y + 3.5, fit(words, room, _SMALL, bold=True), _SMALL, fill=_SWITCH, bold=True)

    def _texts(self) -> Iterator[str]:
        columns = _columns(self._events, self._width - _MARGIN - self._words)
        target = self._words + columns.kind
        source = target + columns.target
        for event, y in zip(self._events, self._rows, strict=True):
            x, colour = self._x(event), self._colour(event)
            yield element(
                "g",
                title(f"{_spoken(event)}: {event.source}"),
                label(_LANES - 8, y + 4, f"{event.step}", _SMALL, fill=MUTED, anchor="end"),
                element("path", d=f"M{number(x + 10)} {number(y)}H{number(self._words - 6)}", stroke=_FAINT),
                mark(event.kind, x, y, colour),
                label(
                    self._words,
                    y + 4,
                    fit(event.kind, columns.kind - _GAP, _TEXT, bold=True),
                    _TEXT,
                    fill=colour,
                    bold=True,
                ),
                label(target, y + 4, fit(_touched(event), columns.target - _GAP, _TEXT), _TEXT),
                label(source, y + 4, fit(event.source, columns.source - _GAP, 10, mono=True), 10, mono=True),
                label(
                    self._width - _MARGIN,
                    y + 4,
                    fit(_location(event), columns.location, _SMALL),
                    _SMALL,
                    fill=MUTED,
                    anchor="end",
                ),
                data_step=str(event.step),
            )

    def _outcome(self, outcome: str, y: float) -> tuple[list[str], float]:
        good = outcome == "no error"
        lines = wrap(outcome, self._width - 2 * _MARGIN - 52, _TEXT, lines=_ERROR_LINES)
        height = 16.0 * len(lines) + 12
        colour = _RIGHT if good else _WRONG
        parts = [
            element(
                "rect",
                x=_MARGIN,
                y=y,
                width=self._width - 2 * _MARGIN,
                height=height,
                rx=4,
                fill="#f1f8f2" if good else "#fdf0f0",
                stroke=colour,
            ),
            mark("read" if good else "error", _MARGIN + 20, y + height / 2, colour),
        ]
        parts += [label(_MARGIN + 40, y + 18 + 16 * row, line, _TEXT, fill=colour) for row, line in enumerate(lines)]
        return parts, y + height

    def _legend_entries(self) -> Iterator[tuple[Sample, str]]:
        kinds = {event.kind for event in self._events}
        for kind in KINDS:
            if kind in kinds:
                yield partial(_mark_sample, kind), kind
        if any(event.step in self._window.raced for event in self._events):
            yield (lambda x, y: frame(x, y - 5, 13, 10)), "access that raced"
        yield from lock_legend(self._events)


def actor_of(event: Event) -> tuple[int, int]:
    """Return whose lane an event stands in: that of its task, or of the asyncio task in it where there is one."""
    return getattr(event, "actor", (event.task, 0))


def name_of(event: Event) -> str:
    """Return the name of that lane."""
    return str(getattr(event, "actor_name", event.task_name))


def await_of(event: Event) -> str | None:
    """Return the place of the await at which the task let another one of its loop in after the event, if it did."""
    left_at = getattr(event, "left_at", None)
    return None if left_at is None else f"{left_at[0].replace(chr(92), '/').rpartition('/')[2]}:{left_at[1]}"


def _touched(event: Event) -> str:
    """Return what an event acts on, with the value it read or wrote where that is known."""
    value = getattr(event, "value", "")
    return f"{event.target} = {value}" if value else event.target


def _mark_sample(kind: str, x: float, y: float) -> str:
    return mark(kind, x + 6, y, MUTED)


@final
@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths of the columns of words, each but the last with its gap. Immutable."""

    kind: float
    target: float
    source: float
    location: float


def _columns(events: Sequence[Event], room: float) -> _Columns:
    """Give every column what its widest entry needs, up to a share; the source gets the rest."""
    kind = min(_widest([event.kind for event in events], _TEXT, bold=True) + _GAP, room * 0.2)
    target = min(_widest([_touched(event) for event in events], _TEXT) + _GAP, room * 0.35)
    location = min(_widest([_location(event) for event in events], _SMALL), room * 0.2)
    return _Columns(kind, target, room - kind - target - location, location)


def _widest(texts: list[str], size: float, *, bold: bool = False) -> float:
    return max((text_width(clean(text), size, bold=bold) for text in texts), default=0.0) + 1


def _location(event: Event) -> str:
    return f"{event.file.replace(chr(92), '/').rpartition('/')[2]}:{event.line}" if event.file else ""


def _spoken(event: Event) -> str:
    where = f" in {event.function}, {_location(event)}" if event.file else ""
    return f"step {event.step}, {name_of(event)} {event.kind} {event.target}{where}"
