"""Tasks on real OS threads that pass a baton: the same schedules, without greenlets.

Exactly one thread runs at a time, the one that has the baton. A failure that comes again here shows that it is not
made by the way tasks are simulated; it does not show that the interpreter can switch there by itself.
"""

from __future__ import annotations

import _thread
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from harness.sim.errors import TaskExit
from harness.sim.task import TASKS_ON_THREADS, Task, running_task
from harness.sim.thread_state import StateSwitch

if TYPE_CHECKING:
    from harness.sim.scheduler import Scheduler

__all__ = ["ThreadHub", "ThreadTask"]

_allocate_lock = _thread.allocate_lock  # the real ones, whatever a world puts in their place
_start_thread = _thread.start_new_thread
_get_ident = _thread.get_ident
_GIVE_UP_S = 5.0  # real seconds the hub waits for a thread that was told to end


class _Baton:
    """What a thread waits for. Held by the thread itself until it is handed over."""

    def __init__(self) -> None:
        self._lock = _allocate_lock()
        self._lock.acquire()

    def hand_over(self) -> None:
        self._lock.release()

    def wait(self, timeout_s: float = -1) -> bool:
        return self._lock.acquire(timeout=timeout_s)


class ThreadHub:
    """The thread of the world itself, which starts the tasks and gets the baton back at the end."""

    def __init__(self, states: StateSwitch) -> None:
        self.baton = _Baton()
        self.states = states

    def switch(self) -> None:
        """Hand the baton from the running task to the hub."""
        task = running_task()
        assert isinstance(task, ThreadTask)
        self.baton.hand_over()
        task.wait()


class ThreadTask(Task):
    """A task with an OS thread of its own, which is its own worker."""

    __slots__ = ("_baton", "_hub", "_is_over", "_is_started", "_is_told", "_thread_ident")

    def __init__(self, scheduler: Scheduler, number: int, name: str, ident: int, body: Callable[[], object]) -> None:
        super().__init__(scheduler, number, name, ident, body)
        assert isinstance(scheduler.hub, ThreadHub)
        self._hub = scheduler.hub
        self._baton = _Baton()
        self._thread_ident = 0
        self._is_started = self._is_told = self._is_over = False

    def take_worker(self) -> None:
        """Take none: the task is its own worker."""

    @property
    def task(self) -> Task:
        """The task itself, which is what a worker tells."""
        return self

    def resume(self) -> object:
        """Let this task go on, called by the hub."""
        self.switch()
        return None

    def take_context(self, context: Context) -> None:
        """Run in a context of the caller's."""
        assert self.body is not None
        self.body = partial(context.run, self.body)

    def hand_over(self, me: Task) -> None:  # noqa: ARG002 - interface
        """Let this task go on in place of the one that calls."""
        self.switch()

    def switch(self) -> None:
        """Hand the baton to this task and wait until it comes back."""
        me = running_task()
        self._go()
        if isinstance(me, ThreadTask):
            me.wait()
        else:
            self._hub.baton.wait()

    def end(self) -> None:
        """Let the task go on with the end thrown into it; called by the hub."""
        if not self._is_started:
            self._is_over = True
            return
        self._is_told = True
        self._baton.hand_over()
        self._hub.baton.wait(_GIVE_UP_S)

    @property
    def has_ended(self) -> bool:
        """Whether the task's thread has ended, or will never begin."""
        return self._is_over

    @property
    def frame(self) -> FrameType | None:
        """The innermost frame of the task's thread."""
        return sys._current_frames().get(self._thread_ident)

    def wait(self) -> None:
        """Wait for the baton, in the task's own thread."""
        self._baton.wait()
        if self._hub.states.is_bound:
            self.state.bind()
        if self._is_told:
            self._is_told = False
            raise TaskExit

    def _go(self) -> None:
        if self._is_started:
            self._baton.hand_over()
        else:
            self._is_started = True
            _start_thread(self._main, ())

    def _main(self) -> None:
        self._thread_ident = _get_ident()
        TASKS_ON_THREADS[self._thread_ident] = self
        try:
            with self._native_state():
                self.scheduler.run_body(self)
        finally:
            del TASKS_ON_THREADS[self._thread_ident]
            self._is_over = True
            self._hub.baton.hand_over()

    def _native_state(self) -> AbstractContextManager[None]:
        """Take over what the thread of the world keeps for itself, in the task that stands for it."""
        return StateSwitch().adopting(self._hub.states) if self.number == 1 else nullcontext()
