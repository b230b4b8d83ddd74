"""The interleaving in columns: one per task, only the events that matter, with source and values."""

from __future__ import annotations

import linecache
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from harness.explore.explaining.race import Race
from harness.explore.shrinking.dependence import do_clash
from harness.sim import NO_FAULT, Event, shown_file

__all__ = ["columns", "drawn", "said", "short_name"]

Actor = tuple[int, int]  # number of the task, and of the asyncio task in it

_ROWS = 20
_WIDTH = 120
_CELL, _NARROWEST = 36, 16
_LEAST_SOURCE = 40
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


def drawn(events: Sequence[Event]) -> list[Event]:
    """Return the draws of data, and of faults those that struck."""
    return [event for event in events if event.kind == "draw" and event.target != repr(NO_FAULT)]


def columns(events: Sequence[Event], race: Race | None, program_path: str) -> list[str]:
    """Return the lines: a heading with the tasks, then one line per event and one per preemption.

    Args:
        events: All events.
        race: The accesses to be shown in any case.
        program_path: File of the program, whose lines stand for what happens below them.
    """
    matter, awaited = set(_that_matter(events, race)), _awaited(events, race)
    chosen = _cut(sorted(matter | awaited), [*(event.step for event in _named(race)), *awaited])
    shown = [events[position] for position in chosen]
    actors = sorted({event.actor for event in shown if not _is_verdict(event)})
    room = max((_WIDTH - _LEAST_SOURCE) // max(len(actors), 1), _NARROWEST)
    cells = {actor: min(_CELL, room, max(_widths(shown, actor)) + 2) for actor in actors}
    lines = [_line({actor: _name(shown, actor) for actor in actors}, cells, "")]
    before = None
    for position, event in zip(chosen, shown, strict=True):
        is_own = before is not None and not _is_verdict(event)
        if is_own and _has_own(events[(before or 0) + 1 : position], event.actor):
            lines.append(_line({event.actor: "..."}, cells, ""))
        if _is_verdict(event):
            lines.append(_fit(f"  {event.task_name} {said(event)}: {_place(event, program_path)}", _WIDTH))
            continue
        if position not in awaited or position in matter:
            lines.append(_line({event.actor: said(event)}, cells, _place(event, program_path)))
        if event.preempted:
            lines.append(_preemption(events, event))
        elif event.left_at is not None:
            lines.append(_await(events, event))
        before = position
    return lines


def _named(race: Race | None) -> list[Event]:
    return [event for event in (race.first, race.second, race.third) if event is not None] if race is not None else []


def _that_matter(events: Sequence[Event], race: Race | None) -> Iterable[int]:
    """Return the positions of the accesses that raced, of preemptions, of the failure and of what leads up to them."""
    named = _named(race)
    matter = {event.step for event in named} | {event.step for event in events if event.kind == "error"}
    if race is not None and race.family == "one per loop":
        return matter
    matter |= {event.step for event in events if event.preempted} | {event.step for event in drawn(events)}
    matter |= set(_locks_waited_for(events))
    touched = {(event.owner, event.part) for event in named}
    actors = {event.actor for event in named}
    first, last = min(matter, default=0), max(matter, default=0)
    for event in events[first : last + 1]:
        is_same = (event.owner, event.part) in touched or any(_conflict(event, other) for other in named)
        if is_same and event.actor in actors:
            matter.add(event.step)
    return matter


def _conflict(one: Event, other: Event) -> bool:
    return one.actor != other.actor and do_clash(one, other)


def _awaited(events: Sequence[Event], race: Race | None) -> set[int]:
    """Return the position of the last event before the await that let the other in, where there is one."""
    if race is None or race.awaited is None:
        return set()
    first, second = race.first, race.second
    return {max(event.step for event in events[first.step : second.step] if event.actor == first.actor)}


def _locks_waited_for(events: Sequence[Event]) -> Iterable[int]:
    """Return the positions at which tasks wait for a lock, and at which whoever holds it took it."""
    taken: dict[str, int] = {}
    for event in events:
        if event.kind == "acquire":
            taken[event.owner] = event.step
        elif event.kind == "wait" and (event.task > 1 or event.async_task is not None):
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


def _widths(shown: Sequence[Event], actor: Actor) -> list[int]:
    own = [event for event in shown if event.actor == actor and not _is_verdict(event)]
    return [len(_name(shown, actor)), *(len(said(event)) for event in own)]


def _name(shown: Sequence[Event], actor: Actor) -> str:
    return next(event.actor_name for event in shown if event.actor == actor)


def _has_own(between: Sequence[Event], actor: Actor) -> bool:
    return any(event.actor == actor for event in between)


def _line(texts: dict[Actor, str], cells: dict[Actor, int], place: str) -> str:
    row = "".join(_fit(texts.get(actor, ""), width - 1).ljust(width) for actor, width in cells.items())
    return _fit(f"  {row}{place}", _WIDTH).rstrip()


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def short_name(path: str) -> str:
    """Return the last part of a file's name, and of a package's own file the package too."""
    shown = PurePath(shown_file(path))
    return "/".join(shown.parts[-2:]) if shown.name == "__init__.py" else shown.name


def _is_verdict(event: Event) -> bool:
    """Return whether the event is the program's own judgement, which has no column."""
    return event.kind == "error" and event.task == 1


def _place(event: Event, program_path: str) -> str:
    """Return line and source: those of the program where the event happens below one of its lines."""
    if not event.line:
        return ""
    if event.depth and event.via:
        source = linecache.getline(program_path, event.via).strip()
        return f"{short_name(program_path)}:{event.via}  {source}"
    return f"{short_name(event.path)}:{event.line}  {event.source}"


def _preemption(events: Sequence[Event], event: Event) -> str:
    after = next((other for other in events[event.step + 1 :] if other.task != event.task), None)
    runs = "" if after is None else "; time passes" if after.kind == "clock" else f"; {after.task_name} runs"
    return _fit(f"  ---- {event.task_name} is left here, though it could go on{runs} ----", _WIDTH)


def _await(events: Sequence[Event], event: Event) -> str:
    """Return the line for an await that let another task of the loop in."""
    loop = event.async_task.loop if event.async_task is not None else 0
    rest = (other for other in events[event.step + 1 :] if other.async_task is not None)
    after = next((other for other in rest if other.async_task is not None and other.async_task.loop == loop), None)
    runs = f"; {after.async_task.name} runs" if after is not None and after.async_task is not None else ""
    path, line = event.left_at or ("", 0)
    name = event.async_task.name if event.async_task is not None else event.task_name
    return _fit(f"  ---- {name} awaits at {short_name(path)}:{line}{runs} ----", _WIDTH)
