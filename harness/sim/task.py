"""Tasks: the units that the scheduler runs. One task stands for one thread of the program."""

from __future__ import annotations

import _thread
import sys
from collections.abc import Callable
from contextvars import Context
from types import FrameType
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent

from harness.sim.errors import TaskExit
from harness.sim.thread_state import HAS_KEYS
from harness.sim.worker import Worker

if TYPE_CHECKING:
    from harness.sim.scheduler import Scheduler

__all__ = ["TASKS_ON_THREADS", "Task", "current_task", "is_being_ended", "refuse_to_wait", "running_task"]

_MOST_REFUSALS = 3
_set_asyncgen_hooks: Callable[..., None] = sys.set_asyncgen_hooks


class Task:
    """One thread of the program, run on a greenlet. Confined to the OS thread of its world.

    Attributes:
        number: Number in order of creation; 1 is the task that runs the program itself.
        name: The thread's name, for people.
        ident: What ``threading.get_ident`` tells inside the task.
        body: What it has yet to do; ``None`` once it has begun, so that what a thread holds goes when the thread goes.
        is_daemon: Whether the execution may end before this task does.
        atomic: Above 0, hooks and replaced primitives let the task pass as if there were no world.
        inside: Above 0, the task is in an operation of a primitive: it may wait, but has no scheduling points.
        is_done: Whether it has ended.
        is_joined: Whether some task has waited for its end.
        operation: The primitive and the name of its operation, while it is in one.
        loop: The event loop that it runs, ``None`` while it runs none.
        loop_hooks: What the loop does with async generators that begin and that are let go of; bound once it runs one.
        refusals: How often it has begun to wait while it was being ended.
        waits_for: What it is blocked on, for reports; ``None`` while it is runnable.
        timed_out: Whether the wait that just ended was ended by the clock.
        held: Locks that it holds, in order of acquisition.
        state: What the interpreter keeps for it as a thread.
        worker: What it runs on, ``None`` once it has ended.
    """

    __slots__ = (
        *("__weakref__", "atomic", "body", "held", "ident", "inside", "is_daemon", "is_done", "is_joined", "joiners"),
        *("loop", "loop_hooks", "name", "number", "operation", "refusals", "scheduler", "state", "timed_out"),
        *("waits_for", "worker"),
    )

    loop_hooks: Any  # not set before a loop runs, to spare tasks that run none

    def __init__(self, scheduler: Scheduler, number: int, name: str, ident: int, body: Callable[[], object]) -> None:
        self.scheduler, self.number, self.name, self.ident = scheduler, number, name, ident
        self.body: Callable[[], object] | None = body
        self.state = scheduler.states.make() if number > 1 else scheduler.states.native
        self.is_daemon = False
        self.is_done = False
        self.is_joined = False
        self.atomic = 0
        self.inside = 0
        self.timed_out = False
        self.waits_for: object = None
        self.loop: Any = None
        self.operation: tuple[object, str] | None = None
        self.refusals = 0
        self.joiners: list[Task] = []  # tasks blocked until this one ends, in order of arrival
        self.held: list[object] = []
        self.worker: Any = self.take_worker()

    def take_worker(self) -> Any:
        """Return what it is to run on."""
        return self.scheduler.workers.take(self)

    @property
    def has_ended(self) -> bool:
        """Whether nothing can resume it."""
        return self.worker is None or self.worker.dead

    @property
    def frame(self) -> FrameType | None:
        """Its innermost frame, where it has left off; ``None`` for the task that runs, and where there is none."""
        frame: FrameType | None = None if self.worker is None else self.worker.gr_frame
        return frame

    @property
    def is_leaked(self) -> bool:
        """Whether nobody has waited for its end, which is still to come, and it is no daemon."""
        return not (self.is_done or self.is_daemon or self.is_joined)

    def take_context(self, context: Context) -> None:
        """Run in a context of the caller's; without this a task begins with an empty one, as a thread does."""
        self.worker.gr_context = context

    def hand_over(self, me: Task) -> None:
        """Let this task go on in place of ``me``, the one that calls.

        A greenlet begins at the stack depth of whoever starts it, so the hub does: a chain of tasks that start each
        other would run out of depth.
        """
        scheduler, worker = self.scheduler, self.worker
        if worker:
            states, state = scheduler.states, self.state  # as ThreadState.enter, without a call
            left, states.current = states.current, state
            if len(left.own) != left.known:
                left.watch()
            states.field.value = state.values[0]
            if HAS_KEYS:
                state.put_keys()
            worker.switch()
        else:
            scheduler.hub.switch(self)
        loop = me.loop
        if loop is not scheduler.marked:
            if loop is None:
                me.mark()
            else:  # as there, without a call
                scheduler.marked = loop
                scheduler.set_running_loop(loop)
                _set_asyncgen_hooks(*me.loop_hooks)
        if scheduler.states.is_bound:
            me.state.bind()

    def resume(self) -> object:
        """Let this task go on, called by the hub; return what the task asks of it when control comes back."""
        self.state.enter()
        return self.worker.switch()

    def mark(self) -> None:
        """Tell the OS thread, which all tasks share, which loop runs: the one of this task, or none."""
        scheduler = self.scheduler
        loop = scheduler.marked = self.loop
        scheduler.set_running_loop(loop)
        _set_asyncgen_hooks(*((None, None) if loop is None else self.loop_hooks))

    def end(self) -> None:
        """Throw the end into the task, called by the hub; a task may catch it and not end."""
        if self.body is not None:  # it has not begun
            self.worker = None
            return
        self.state.enter()
        if self.loop is not self.scheduler.marked:
            self.mark()
        self.worker.throw(TaskExit)


def current_task() -> Task | None:
    """Return the task that runs here, or ``None`` outside a world, on another OS thread, or inside infrastructure."""
    try:
        worker: Any = getcurrent()
    except RuntimeError:
        return None  # the interpreter is at its end, and clears away what was left
    if worker.__class__ is Worker:  # as running_task, without a call: this is asked some ten times per execution
        running: Task = worker.task
        return None if running.atomic else running
    task = TASKS_ON_THREADS.get(_get_ident()) if TASKS_ON_THREADS else None
    return None if task is None or task.atomic else task


def running_task() -> Task | None:
    """Return the task that runs here, inside infrastructure too, or ``None`` where there is none."""
    try:
        worker: Any = getcurrent()
    except RuntimeError:
        return None  # as above
    if worker.__class__ is Worker:
        task: Task = worker.task
        return task
    return TASKS_ON_THREADS.get(_get_ident()) if TASKS_ON_THREADS else None


def is_being_ended() -> bool:
    """Return whether this is a task that unwinds because its execution is over."""
    task = running_task()
    return task is not None and task.scheduler.is_ending


def refuse_to_wait() -> None:
    """End the task once more if it is being ended: what it begins to wait for will not come.

    One that begins again and again is left where it is.
    """
    task = running_task()
    if task is not None and task.scheduler.is_ending:
        if task.refusals == _MOST_REFUSALS:
            task.scheduler.hub.switch()
        task.refusals += 1
        raise TaskExit


# Tasks that run on OS threads of their own, by the system's identifier; see thread_task.
TASKS_ON_THREADS: dict[int, Task] = {}
_get_ident = _thread.get_ident
