"""Workers: the greenlets that tasks run on, kept from one execution to the next.

The interpreter maps memory for the frames of a greenlet that begins, and unmaps it when the greenlet ends. That takes
as long as thirty switches, so a worker whose task has ended waits for the next one. The same worker runs the first task
of each execution, another one the second, and so on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from greenlet import greenlet

if TYPE_CHECKING:
    from harness.sim.task import Task

__all__ = ["Worker", "Workers"]

_MOST_KEPT = 64  # workers of tasks with higher numbers end with their task


@final
class Worker(greenlet):
    """Runs one task after another. Confined to the OS thread of its world.

    Attributes:
        task: The task that it runs, or ran last; ``None`` between executions.
    """

    __slots__ = ("task",)

    task: Any

    def run(self) -> None:
        """Run tasks to their ends; called by greenlet on the first switch."""
        while True:
            task = self.task
            if task.scheduler.states.is_bound:
                task.state.bind()
            if task.scheduler.marked is not None:
                task.mark()
            task.scheduler.run_body(task)
            task.worker = None
            if task.number > _MOST_KEPT:
                return
            del task  # what it holds goes when its execution is over
            self.parent.switch()  # type: ignore[union-attr]  # to the hub


@final
class Workers:
    """The workers of one world. Confined."""

    def __init__(self) -> None:
        self._kept: list[Worker] = []  # that of the first task, of the second and so on

    def take(self, task: Task) -> Worker:
        """Return the worker of a new task."""
        number, kept = task.number, self._kept
        if number <= len(kept):
            worker = kept[number - 1]
        else:
            worker = Worker(None, task.scheduler.hub)
            if number <= _MOST_KEPT:
                kept.append(worker)
        worker.task = task
        return worker

    def release(self, tasks: list[Task]) -> None:
        """Make workers forget the tasks of an execution; forget the workers if one of them cannot be used again."""
        for task, worker in zip(tasks, self._kept, strict=False):
            if task.worker is not None or worker.dead:  # one may be interrupted when its task has ended
                self.dismiss()
                return
            worker.task = worker.gr_context = None

    def dismiss(self) -> None:
        """End all workers that wait for a task."""
        kept, self._kept = self._kept, []
        for worker in kept:
            if worker.task is None or worker.task.worker is None:
                worker.throw()
