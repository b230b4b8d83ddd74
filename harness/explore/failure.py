"""A failure: the schedule that makes the program fail, and what happened in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from harness.explore.cross_loop import CrossLoop
from harness.explore.execution import Execution, missing_view
from harness.explore.origin import Origin
from harness.explore.schedule import Schedule
from harness.explore.shrinking import Shrinking
from harness.explore.views import display, render

if TYPE_CHECKING:
    import pandas as pd

    from harness.registry.display import View

__all__ = ["Failure", "FailureKind"]


FailureKind = Literal["error", "deadlock", "race", "cross-loop", "leak", "unhandled"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One failing schedule. Immutable.

    Attributes:
        kind: ``error``: an exception left the program; ``unhandled``: one left another thread, or ended an asyncio task
            that nobody asked; ``deadlock``: nothing could go on; ``cross-loop``: it ended in one of these because
            something was used on another event loop than its own; ``leak``: an asyncio task was forgotten before it had
            ended; ``race``: two accesses were in no order, and the exploration took that for a failure. A replay shows
            the schedule of a race, and ends well.
        error: The exception, for a deadlock one that tells who waits for what.
        token: Text that replays the schedule.
        schedule: The choices.
        preemptions: How often the schedule leaves a task that could go on.
        execution: The failing execution, with its events.
        origin: The program and the options it was explored with.
        choices: Numbers of the candidates chosen, one for each choice.
        found: The failure as it was found, where this one is what it was shrunk to; else ``None``.
        shrinking: How it was shrunk, with the counts of each pass; ``None`` where it was not.
        reachable_under_gil: Whether an interpreter with a GIL can run into it by itself: ``True`` if it was found again
            where CPython can switch, ``False`` if only plain operations on built-in values lie between the accesses,
            ``None`` where it is not known; only shrunk failures have been asked.
        cross_loop: The object, both loops and both uses, for a failure of that kind; else ``None``.
    """

    kind: FailureKind
    error: BaseException
    token: str
    schedule: Schedule
    preemptions: int
    execution: Execution = field(repr=False)
    origin: Origin = field(repr=False)
    choices: tuple[int, ...] = field(repr=False)
    found: Failure | None = field(default=None, repr=False)
    shrinking: Shrinking | None = field(default=None, repr=False)
    reachable_under_gil: bool | None = field(default=None, repr=False)
    cross_loop: CrossLoop | None = field(default=None, repr=False)

    def shrink(self) -> Failure:
        """Return the failure under the simplest schedule found: fewest preemptions, then the shortest.

        The first failure of an exploration is shrunk already; that of a race stays as it is. Takes at most 100
        executions; deterministic.
        """
        from harness.explore.reporting import shrink_again  # it makes failures

        return self if self.shrinking is not None or self.kind == "race" else shrink_again(self)

    def confirm(self) -> Execution:
        """Run the schedule on OS threads that pass a baton, and return what happened.

        The same error there shows that it does not come from how tasks are simulated. It does not show that the
        interpreter switches threads at these places by itself: the order is forced.

        Raises:
            ReplayDivergenceError: the program did not follow the schedule.
        """
        from harness.explore.replaying import replay  # it makes executions, and failures hold one

        origin = self.origin
        options = {"instrument": origin.instrument, "isolate": origin.isolate, "setup": origin.setup}
        options |= {"faults": origin.faults}
        return replay(origin.program, self.token, engine="threads", **options)  # type: ignore[arg-type]  # by name

    def explain(self) -> str:
        """Return what happened, in at most 40 lines.

        The first three name the two accesses, their tasks and lines, and what kind of change mends it; for a deadlock
        who waits for what. Then come the events that matter in columns, one per task, with the values read and written
        and each preemption, and the call that replays it. Of values only plain ones are shown, of containers the
        length.
        """
        from harness.explore.explaining import explain  # it takes failures

        return explain(self)

    def to_test(self) -> str:
        """Return a test module, ready to paste: it fails while this schedule or another one fails.

        Replays the token while the program is as it was, and explores it afresh in any case.

        Raises:
            InvalidArgumentError: the program is a local function or a lambda, which no test can import.
        """
        from harness.explore.regression import to_test  # it takes failures

        return to_test(self)

    def frame(self) -> pd.DataFrame:
        """Return the events of the failing execution, as `Execution.frame` does."""
        return self.execution.frame()

    def timeline(self) -> View:
        """Return a picture of the failing execution with one lane per task.

        Raises:
            LookupError: no renderer is installed.
        """
        return render("timeline", self) or missing_view("timeline")

    def __str__(self) -> str:
        return f"{self.execution}\nreplay with token {self.token}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, object]:  # noqa: ARG002
        return display("timeline", self, str(self))
