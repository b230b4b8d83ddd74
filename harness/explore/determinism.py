"""Whether a program does the same when a schedule is repeated, and what makes it differ if not.

A program that reads a clock, an address or the order of a set that we do not control takes another way under the same
choices; then neither a token nor a count of schedules means anything. So each schedule is run twice and compared event
by event. The cause is guessed from the source around the step that differs, and the guess says what it saw there.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from harness.sim import Event, Outcome

__all__ = ["difference"]

# What code calls, or displays -> what is likely to differ. The first that is found counts.
_CAUSES: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"id"}), "an address, by id()"),
    (frozenset({"hash", "__hash__"}), "a hash"),
    (frozenset({"set", "frozenset", "Set", "SetComp"}), "the order of a set"),
    (frozenset({"urandom", "getrandom"}), "os.urandom"),
    (frozenset({"random", "randint", "randrange", "choice", "shuffle", "sample", "Random"}), "random"),
    (frozenset({"time", "perf_counter", "monotonic", "process_time", "thread_time", "times"}), "a clock"),
    (frozenset({"gc", "weakref", "ref", "finalize", "__del__", "WeakValueDictionary"}), "garbage collection"),
)
_LEFT_OVER = "a global left over from the execution before, or other state that is not put back (name it in isolate=)"


def difference(first: Outcome, again: Outcome) -> str | None:
    """Return where two executions of one schedule differ and the likely cause, or ``None`` where they agree."""
    for event, other in zip_longest(first.events, again.events):
        if event is None or other is None or _sight(event) != _sight(other):
            seen = [event for event in (event, other) if event is not None]
            texts = [_text(event), _text(other)]
            cause = _cause(seen, first.events)
            step = seen[0].step
            return f"step {step} differs when its schedule is run again: {texts[0]}, then {texts[1]}; likely {cause}"
    if first.kind != again.kind:
        return f"the schedule ended in {first.kind!r} and, run again, in {again.kind!r}; likely {_LEFT_OVER}"
    return None


def _sight(event: Event) -> tuple[object, ...]:
    return event.task, event.kind, event.target, event.path, event.line


def _text(event: Event | None) -> str:
    if event is None:
        return "nothing"
    at = f" at {event.file}:{event.line}" if event.line else ""
    return f"{event.kind} {event.target} by {event.task_name!r}{at}"


def _cause(seen: Sequence[Event], events: Sequence[Event]) -> str:
    """Return what the functions around the difference call, the nearest first."""
    before = [event for event in reversed(events[: seen[0].step]) if event.task == seen[0].task]
    for event in (*seen, *before):
        names = _called_around(event.path, event.line)
        cause = next((cause for marks, cause in _CAUSES if marks & names), None)
        if cause is not None:
            return f"{cause}, in {event.function}"
    return _LEFT_OVER


def _called_around(path: str, line: int) -> set[str]:
    """Return what the innermost function around a line calls, and whether it makes a set."""
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except SyntaxError:
        return set()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    around = [
        node for node in ast.walk(tree) if isinstance(node, kinds) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return set(_names(around[-1])) if around else set()


def _names(tree: ast.AST) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            yield function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        elif isinstance(node, (ast.Set, ast.SetComp)):
            yield "set"
