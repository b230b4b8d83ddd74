"""Find failing schedules, or replay them: run by one interpreter to write tokens, by others to read them.

Reads a JSON object of tokens by program from standard input, or nothing; writes one of what happened by program.
"""

from __future__ import annotations

import json
import sys
import sysconfig
from collections.abc import Callable

import harness
from tests.programs.hidden_accesses import PROGRAMS
from tests.programs.two_loops import both_use_their_own_threads, everybody_adds


def programs() -> dict[str, tuple[Callable[[], object], tuple[str, ...]]]:
    """Return programs with what they instrument, by name."""
    found: dict[str, tuple[Callable[[], object], tuple[str, ...]]] = {
        name: (program, ()) for name, program in PROGRAMS.items()
    }
    found["two loops, a pool, a thread, a timer"] = everybody_adds, ()
    found["two loops, their default executors"] = both_use_their_own_threads, ()
    found.update((pitfall.id, (pitfall.broken, tuple(pitfall.instrument))) for pitfall in harness.pitfalls.all())
    return found


def seen(execution) -> dict[str, object]:
    """Return what two interpreters must agree on."""
    columns = ("step", "task", "task_name", "kind", "target", "function", "preempted")
    events = [[*(getattr(event, column) for column in columns), line_of(event)] for event in execution.events]
    return {"error": f"{type(execution.error).__name__}: {execution.error}", "events": events}


def line_of(event) -> int:
    """Return the line of an event, 0 in the standard library, whose text differs by version."""
    is_library = event.path.startswith(sysconfig.get_path("stdlib")) and "site-packages" not in event.path
    return 0 if is_library else event.line


def main() -> None:
    text = sys.stdin.read()
    tokens = json.loads(text) if text else None
    answer = {}
    for name, (program, instrument) in programs().items():
        if tokens is None:
            failure = harness.explore(program, instrument=instrument, max_schedules=400, seed=3).failure
            token = failure.token if failure is not None else ""
        else:
            token = tokens[name]
        try:
            answer[name] = {"token": token, **seen(harness.replay(program, token, instrument=instrument))}
        except Exception as error:
            answer[name] = {"token": token, "error": f"{type(error).__name__}: {error}", "events": []}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
