"""A failure: the schedule that makes the program fail, and what happened in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from harness.explore.execution import Execution, missing_view
from harness.explore.schedule import Schedule
from harness.explore.views import display, render
from harness.instrument import Target

if TYPE_CHECKING:
    import pandas as pd

    from harness.registry.display import View

__all__ = ["Failure", "FailureKind", "Origin"]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a failure was found in, to run its schedule again. Immutable."""

    program: Callable[[], object]
    instrument: tuple[Target, ...]
    isolate: tuple[object, ...]
    setup: Callable[[], object] | None


FailureKind = Literal["error", "deadlock"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One failing schedule. Immutable.

    Attributes:
        kind: ``error``: an exception left a task; ``deadlock``: nothing could go on.
        error: The exception, for a deadlock one that tells who waits for what.
        token: Text that replays the schedule.
        schedule: The choices.
        preemptions: How often the schedule leaves a task that could go on.
        execution: The failing execution, with its events.
        origin: The program and the options it was explored with.
    """

    kind: FailureKind
    error: BaseException
    token: str
    schedule: Schedule
    preemptions: int
    execution: Execution = field(repr=False)
    origin: Origin = field(repr=False)

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
        return replay(origin.program, self.token, engine="threads", **options)  # type: ignore[arg-type]  # by name

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
