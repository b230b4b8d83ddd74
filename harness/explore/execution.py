"""One recorded execution: what happened, event by event."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.explore.error_text import text_of
from harness.explore.views import display, render
from harness.sim import EngineName, Event, OutcomeKind, Output

if TYPE_CHECKING:
    import pandas as pd

    from harness.registry.display import View

__all__ = ["Execution", "missing_view", "preemptions"]

_COLUMNS = ["step", "task", "task_name", "kind", "target", "file", "line", "function", "source", "preempted", "value"]


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution with its events. Immutable.

    Attributes:
        program: Name of the program.
        kind: ``ok``, ``error``, ``deadlock``, ``cut``, ``uncontrolled`` or ``interrupted``.
        error: The exception that ended it, if one did.
        task: Name of the task where it ended; empty for ``ok``.
        text: What happened, where there is no exception.
        events: All events, in order.
        tasks: Names of the tasks, in order of their numbers, the first of which is 1.
        output: What the program printed, logged and warned.
        preemptions: How often control left a task that could go on.
        engine: What tasks were made of.
    """

    program: str
    kind: OutcomeKind
    error: BaseException | None
    task: str
    text: str
    events: tuple[Event, ...] = field(repr=False)
    tasks: tuple[str, ...]
    output: Output = field(repr=False)
    preemptions: int
    engine: EngineName = "greenlet"

    @property
    def title(self) -> str:
        """The program and how it ended, in a few words."""
        endings = {"ok": "ended well", "deadlock": "deadlock"}
        ending = endings.get(self.kind) or self.text or self.kind
        if self.kind == "error":
            ending = f"{type(self.error).__name__} in task {self.task!r}"
        forced = " (real threads, forced order)" if self.engine == "threads" else ""
        return f"{self.program}: {ending}{forced}"

    def frame(self) -> pd.DataFrame:
        """Return the events as a table.

        Returns:
            One row per event in order: ``step`` int64 from 0; ``task`` int64, number of the task, 1 runs the program, 0
            is the clock; ``task_name``, ``kind``, ``target``, ``file`` strings; ``line`` int64 from 1, 0 where none;
            ``function``, ``source`` strings; ``preempted`` bool, whether control left the task although it could go on;
            ``value`` string, what was read or written, empty where it is not shown.
        """
        import pandas as pd

        rows = [[getattr(event, column) for column in _COLUMNS] for event in self.events]
        types = dict.fromkeys(["step", "task", "line"], "int64") | {"preempted": "bool"}
        return pd.DataFrame(rows, columns=_COLUMNS).astype(types)

    def timeline(self) -> View:
        """Return a picture with one lane per task.

        Raises:
            LookupError: no renderer is installed.
        """
        return render("timeline", self) or missing_view("timeline")

    def __str__(self) -> str:
        first_line = "" if self.error is None else text_of(self.error).strip().partition("\n")[0]
        message = f", {first_line}" if first_line else ""
        return f"{self.title}{message}; {len(self.events)} events, {preemptions(self.preemptions)}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, object]:  # noqa: ARG002
        return display("timeline", self, str(self))


def preemptions(number: int) -> str:
    """Return a number of preemptions in words."""
    return f"{number} preemption{'s' * (number != 1)}"


def missing_view(name: str) -> View:
    """Say that a view is not installed."""
    raise LookupError(f"view {name!r} is wanted, no distribution offers it; reinstall harness, which does")
