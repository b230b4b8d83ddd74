"""What race clocks are told of an execution: memory touched, and what orders one task after another.

Unlike a `Tracker`, which learns before a scheduling point what a task is about to do, a watch is told at the moment
things are done, with the locks inside primitives too: what one task publishes on an object comes before whatever a task
does that acquires from the object later. A scheduler without a watch tells nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.instrument import Site

if TYPE_CHECKING:
    from harness.sim.task import Task

__all__ = ["Watch"]


class Watch(Protocol):
    """Follows one execution. Confined to the thread of the world; must not switch tasks nor call the program's code."""

    def access(self, task: Task, obj: object, site: Site, key: object, operation: str) -> None:
        """Note that a task touches memory; arguments as of `Tracker.access`."""

    def publish(self, task: Task, obj: object) -> None:
        """Note that all the task has done comes before what tasks do that acquire from the object later."""

    def acquire(self, task: Task, obj: object) -> None:
        """Note that all that was published on the object comes before what the task does from now on."""

    def start(self, task: Task, child: Task) -> None:
        """Note that a task starts another one, which comes after all the first has done."""
