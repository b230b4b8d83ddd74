"""The interleaving in columns: one per task, only the events that matter, with source and values."""

from __future__ import annotations

import linecache
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from harness.explore.explaining.race import Race
from harness.explore.shrinking.dependence import conflict
from harness.sim import Event, shown_file

__all__ = ["columns", "said"]

_ROWS = 20
_WIDTH = 120
_CELL = 36
_VERBS = {"read": "reads", "write": "writes", "call": "calls", "acquire": "takes", "release": "releases"}
_VERBS |= {"wait": "waits for", "draw": "draws", "start": "starts", "join": "joins", "sleep": "sleeps"}


def said(event: Event) -> str:
    """Return what an event does, in words: ``reads Counter#1.n (0)``."""
    value = f" ({event.value})" if event.value else ""
    is_vain = event.kind == "read" and event.owner == event.target and event.owner.partition("#")[0].endswith("Lock")
    verb = "gets no" if is_vain else _VERBS.get(event.kind, event.kind)
    if event.kind == "error":
        return f"raises {event.target}"
    return f"{verb} {event.target}{value}"


def columns(events: Sequence[Event], race: Race | None, program_path: str) -> list[str]:
    """Return the lines: a heading with the tasks, then one line per event and one per preemption.

    Args:
        events: All events.
        race: The accesses to be shown in any case.
        program_path: File of the program, whose lines stand for what happens below them.
    """
    chosen = _cut(sorted(_that_matter(events, race)), [event.step for event in _named(race)])
    shown = [events[position] for position in chosen]
    tasks = sorted({event.task for event in shown if not _is_verdict(event)})
    cells = {task: min(_CELL, max(_widths(shown, task)) + 2) for task in tasks}
    lines = [_line({task: _name(shown, task) for task in tasks}, cells, "")]
    before = None
    for position, event in zip(chosen, shown, strict=True):
        is_own = before is not None and not _is_verdict(event)
        if is_own and _has_own(events[(before or 0) + 1 : position], event.task):
            lines.append(_line({event.task: "..."}, cells, ""))
        if _is_verdict(event):
            lines.append(_fit(f"  {event.task_name} {said(event)}: {_place(event, program_path)}", _WIDTH))
            continue
        lines.append(_line({event.task: said(event)}, cells, _place(event, program_path)))
        if event.preempted:
            lines.append(_preemption(events, event))
        before = position
    return lines


def _named(race: Race | None) -> list[Event]:
    return [event for event in (race.first, race.second, race.third) if event is not None] if race is not None else []


def _that_matter(events: Sequence[Event], race: Race | None) -> Iterable[int]:
    """Return the positions of the accesses that raced, of preemptions, of the failure and of what leads up to them."""
    named = _named(race)
    matter = {event.step for event in named}
    matter |= {event.step for event in events if event.preempted or event.kind == "error"}
    matter |= set(_locks_waited_for(events))
    touched = {(event.owner, event.part) for event in named}
    tasks = {event.task for event in named}
    first, last = min(matter, default=0), max(matter, default=0)
    for event in events[first : last + 1]:
        is_same = (event.owner, event.part) in touched or any(conflict(event, other) for other in named)
        if is_same and event.task in tasks:
            matter.add(event.step)
    return matter


def _locks_waited_for(events: Sequence[Event]) -> Iterable[int]:
    """Return the positions at which tasks wait for a lock, and at which whoever holds it took it."""
    taken: dict[str, int] = {}
    for event in events:
        if event.kind == "acquire":
            taken[event.owner] = event.step
        elif event.kind == "wait" and event.task > 1:
            yield event.step
            if event.owner in taken:
                yield taken[event.owner]


def _cut(positions: list[int], named: list[int]) -> list[int]:
    """Return at most so many positions, those nearest to the accesses named."""
    kept = set(named) | set(positions[-1:])
    others = sorted(set(positions) - kept, key=lambda position: (_distance(position, named), position))
    return sorted(kept | set(others[: max(_ROWS - len(kept), 0)]))


def _distance(position: int, named: list[int]) -> int:
    return min((abs(position - other) for other in named), default=0)


def _widths(shown: Sequence[Event], task: int) -> list[int]:
    own = [event for event in shown if event.task == task and not _is_verdict(event)]
    return [len(_name(shown, task)), *(len(said(event)) for event in own)]


def _name(shown: Sequence[Event], task: int) -> str:
    return next(event.task_name for event in shown if event.task == task)


def _has_own(between: Sequence[Event], task: int) -> bool:
    return any(event.task == task for event in between)


def _line(texts: dict[int, str], cells: dict[int, int], place: str) -> str:
    row = "".join(_fit(texts.get(task, ""), width - 1).ljust(width) for task, width in cells.items())
    return _fit(f"  {row}{place}", _WIDTH).rstrip()


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _is_verdict(event: Event) -> bool:
    """Return whether the event is the program's own judgement, which has no column."""
    return event.kind == "error" and event.task == 1


def _place(event: Event, program_path: str) -> str:
    """Return line and source: those of the program where the event happens below one of its lines."""
    if not event.line:
        return ""
    if event.depth and event.via:
        source = linecache.getline(program_path, event.via).strip()
        return f"{PurePath(shown_file(program_path)).name}:{event.via}  {source}"
    return f"{PurePath(event.file).name}:{event.line}  {event.source}"


def _preemption(events: Sequence[Event], event: Event) -> str:
    after = next((other for other in events[event.step + 1 :] if other.task != event.task), None)
    runs = f"; {after.task_name} runs" if after is not None else ""
    words = " at an await" if "await " in event.source else ""
    return f"  ---- {event.task_name} is left here{words}, though it could go on{runs} ----"
