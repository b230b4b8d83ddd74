"""What an explorer is told of an execution: what each task will do next, and when it does it.

A *step* of a task goes from one of its scheduling points, or the end of a wait, to the next one. What a step does to
shared state is declared **before** the scheduling point that precedes it, so that an explorer knows what every task is
about to do while it chooses among them. Several declarations before one point add up to one step. A step does what was
declared first thing; what follows, up to the task's next point, touches nothing that another task could see, except
that it may start threads, and end the task: those are told while they happen.

A scheduler without a tracker declares nothing; the question whether there is one costs some 20 ns a point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from harness.instrument import Site

if TYPE_CHECKING:
    from harness.sim.clock import Clock
    from harness.sim.task import Task

__all__ = ["Tracker"]


class Tracker(Protocol):
    """Follows one execution. Confined to the thread of the world; must not switch tasks, nor call the program's code.

    The objects it is given live as long as the execution does only if it keeps them: identifiers are used again.

    One that makes the choices itself may say so with a true attribute ``chooses``: it is told of no step it has chosen.
    """

    # Declarations of the next step, before its scheduling point

    def access(self, task: Task, obj: object, site: Site, key: object, operation: str) -> None:
        """Declare a read or write of memory.

        Args:
            task: The task whose next step it is.
            obj: Object touched, ``None`` for a global or closure variable (``site.name``).
            site: Where in the source.
            key: Key or first argument, or `NO_KEY`.
            operation: ``read``, ``write``, ``update`` (both), or ``call``: a method nobody knows the effect of.
        """

    def primitive(
        self,
        task: Task,
        obj: object,
        name: str,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> None:
        """Declare an operation of a primitive, which may turn out to wait.

        Args:
            task: The task whose next step it is.
            obj: Lock, queue, condition, thread, clock...
            name: The operation: a method's name; for locks ``acquire``, ``try``, ``timed``, ``release`` or ``locked``.
            args: Arguments of the method, the receiver apart.
            kwargs: Its named arguments.
        """

    def opaque(self, task: Task, function: object, reached: Sequence[object], site: Site) -> None:
        """Declare a call of uninstrumented code that may read and write every object in ``reached``."""

    # What happens

    def step(self, candidate: Task | Clock) -> None:
        """Note that a task, or the clock, goes on: chosen, or the only candidate. It now does what it declared.

        The clock does not declare: it lets the first of its timers fall due.
        """

    def block(self, task: Task) -> None:
        """Note that the current step ends in a wait; the task's next step resumes the operation, if it is in one."""

    def wake(self, task: Task) -> None:
        """Note that the current step lets a waiting task go on, be it for good or only to find that it has to wait."""

    def edge(self, source: Task | Clock, target: Task) -> None:
        """Note that all that ``source`` has done, its current step included, comes before ``target``'s next step.

        Told for start, for join, and for timers that fall due; not where two operations of one primitive meet.
        """

    def start(self, task: Task, child: Task) -> None:
        """Note that the current step of a task starts another one (an `edge` is told beside)."""

    def take_number(self, task: Task) -> None:
        """Note that the current step of a task takes the next of the numbers that threads are named by."""

    def take_task_number(self, task: Task) -> None:
        """Note that the current step of a task takes the next of the numbers that tasks of loops are named by."""

    def tell_task_name(self) -> None:
        """Note that somebody asks for such a name."""

    def end(self, task: Task) -> None:
        """Note that the current step of a task is its last; at this moment it is no longer alive."""
