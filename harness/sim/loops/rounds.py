"""Rounds of a loop in the controlled world: what it does between callbacks is left to the scheduler.

What a selector would do is done by the task that runs the loop: with nothing to do it blocks until a timer falls due or
another thread's ``call_soon_threadsafe`` wakes it. Its timers fall due while it waits: its own callbacks take no time
by the virtual clock, those of other threads may. Were the clock free to advance before each callback, as it is before
each step of a thread, every loop alone would have choices, ``wait_for`` and ``timeout`` would strike work that never
waits, and their number would differ by version, as asyncio's own callbacks do. What is lost: a timer that falls due
while a callback of the same loop computes for long.

Its selector is one over the network in memory, so that transports, streams and servers are asyncio's own as well. There
is no system's selector and no pair of sockets to set up: making a loop costs a few microseconds.
"""

from __future__ import annotations

import sys
import weakref
from asyncio import Handle, TimerHandle, base_events, events, selector_events
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from harness.sim.clock import Timer
from harness.sim.errors import TaskExit
from harness.sim.loops.beginning import begin_loop
from harness.sim.network.selector import Selector
from harness.sim.task import Task, current_task, running_task

__all__ = ["Rounds"]

_LAST_ROUNDS = 100  # iterations a loop has to end in, once its thread is being ended
_ROUND = base_events.BaseEventLoop._run_once.__code__  # type: ignore[attr-defined]  # no stub has it


class Rounds(selector_events.BaseSelectorEventLoop):
    """The part of a loop that runs and waits. Loop-affine.

    Attributes:
        scheduler: That of the execution.
        number: Number of the loop in the execution, from 1.
        task: The task that runs it, ``None`` while it does not run.
        hashes: How many of its tasks and futures have a number to be hashed by.
        runner: Number of the task that ran it last, 0 before one did.
        is_cut: Whether its thread was ended while it ran, so that what it leaves behind is no fault of the program's.
    """

    if TYPE_CHECKING:  # what the stubs of asyncio leave out
        _asyncgen_finalizer_hook: Callable[[Any], None]
        _asyncgen_firstiter_hook: Callable[[Any], None]
        _check_closed: Callable[[], None]
        _check_running: Callable[[], None]
        _closed: bool
        _debug: bool
        _ready: deque[Handle]
        _scheduled: list[TimerHandle]
        _stopping: bool
        _thread_id: int | None

    def __init__(self, maker: Task) -> None:
        begin_loop(self)  # as asyncio's base does; its loop over a selector makes a selector and sockets
        self.scheduler = maker.scheduler
        reference = weakref.ref(self)
        self.scheduler.loops.append(reference)
        self.number = len(self.scheduler.loops)
        self.task: Task | None = None
        self.runner = 0
        self.hashes = 0
        self.is_cut = False
        self._is_waiting = False
        self._has_news = False  # whether a callback came since the last round began; kept where steps are followed
        self._timer: Timer | None = None  # while it waits for a deadline of its own
        self._rounds_left = _LAST_ROUNDS
        self._selector = Selector(maker, reference)  # no circle: a loop that is let go is freed at once

    def run_forever(self) -> None:
        """Run until ``stop`` is called; as asyncio's."""
        task = running_task()
        assert task is not None
        self._check_begins()
        self.task, task.loop, self.scheduler.marked = task, self, self
        self.scheduler.set_running_loop = events._set_running_loop
        task.loop_hooks = self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook
        self.runner = task.number
        try:
            base_events.BaseEventLoop.run_forever(self)
        except TaskExit:
            self.is_cut = True
            raise
        finally:
            self.task = task.loop = task.loop_hooks = self.scheduler.marked = None

    def _check_begins(self) -> None:
        """Refuse, as asyncio does, to begin where it is closed or a loop runs."""
        if self._closed or self._thread_id is not None or events._get_running_loop() is not None:
            self._check_closed()
            self._check_running()

    def _run_once(self) -> None:
        """Run rounds, in each what is ready when it begins; one of asyncio's own where there is more to do than that.

        With something ready, no timers and no sockets there is nothing to wait for and nothing to ask of the selector.
        """
        scheduler, task, ready = self.scheduler, self.task, self._ready
        while ready and not (self._scheduled or self._debug or self._selector.keys or task is None or task.atomic):
            if scheduler.is_followed:
                self._begin_round(task)
            elif len(scheduler.ready) > 1 or (scheduler.clock.timers and self._has_company()):
                scheduler.point(task)
            left = len(ready)
            while left:
                left -= 1
                handle = ready.popleft()
                if not handle._cancelled:
                    try:  # as Handle._run, without a call
                        handle._context.run(handle._callback, *handle._args)  # type: ignore[attr-defined]  # no stub
                    except (SystemExit, KeyboardInterrupt):
                        raise
                    except BaseException as error:
                        _tell_of_fault(handle, error)
            if self._stopping:
                return
        super()._run_once()  # type: ignore[misc]  # no stub has it

    def _begin_round(self, task: Task) -> None:
        """Let others come in before a round that is followed; what they left comes before what it runs."""
        scheduler = self.scheduler
        self._pass(task, self, "round")
        self._has_news = False
        if scheduler.watch is not None:
            scheduler.watch.acquire(task, self)

    def idle(self, timeout_s: float | None, has_events: bool) -> None:
        """Block the loop's task, if it has nothing to do, until somebody wakes it or the time is over."""
        task = self.task
        if task is None or task.atomic:
            self._hurry(has_events)
            return
        if self._scheduled or has_events or timeout_s == 0:
            self._pass(task, self, "round")
            has_events = has_events or bool(self._ready) or self.has_work()
            if self._scheduled:
                timeout_s = max(0.0, self._scheduled[0].when() - self.scheduler.clock.now_s)
        elif self.scheduler.tracker is not None:
            self.scheduler.tracker.primitive(task, self, "round")
        if not has_events and timeout_s != 0:
            self._wait(task, timeout_s)
        self._has_news = False

    def wake(self) -> None:
        """Let the loop go on, if it waits."""
        if self._is_waiting and self.task is not None:
            self._stop_waiting()
            self.scheduler.make_ready(self.task)

    def _wait(self, task: Task, timeout_s: float | None) -> None:
        scheduler = self.scheduler
        scheduler.unready(task)
        self._is_waiting = True
        if timeout_s is not None:
            self._timer = scheduler.clock.start(task, timeout_s, self.wake)
        try:
            scheduler.block(task, self)
        finally:
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        """Take the timer away at once: what woke the loop came before it, however slow the loop is to go on."""
        self._is_waiting = False
        if self._timer is not None:
            self.scheduler.clock.cancel(self._timer)
            self._timer = None

    def _pass(self, task: Task, primitive: object, operation: str | None) -> None:
        """Come to a scheduling point, if anything else could go on there."""
        scheduler = self.scheduler
        tracker = scheduler.tracker
        if len(scheduler.ready) == 1 and tracker is None and not scheduler.clock.timers:
            return
        if tracker is not None and operation is not None and not task.inside:
            tracker.primitive(task, primitive, operation)
        if self._has_company():
            scheduler.point(task)
        elif tracker is not None and not task.inside:
            tracker.step(task)

    def _has_company(self) -> bool:
        """Return whether anything but the task that runs could go on."""
        scheduler = self.scheduler
        return len(scheduler.ready) > 1 or any(timer.task is not None for timer in scheduler.clock.timers)

    def has_work(self) -> bool:
        """Return whether its next round has something to run, so that it does not wait.

        That leaves out what it runs before.
        """
        return self._has_news or self._stopping or (not self._closed and self._selector.has_events())

    def next_deadline_s(self) -> float | None:
        """Return when its next timer is due, in simulated seconds; ``None`` without timers."""
        return self._scheduled[0].when() if self._scheduled else None

    def is_timed(self) -> bool:
        """Return whether it waits for a timer."""
        return self._timer is not None

    def _hurry(self, has_events: bool) -> None:
        """Go on without waiting, for a while, because the loop's thread is being ended."""
        self.is_cut = True
        self._rounds_left -= 1
        if not (self._ready or has_events) or self._rounds_left < 0:
            raise TaskExit

    def _close_self_pipe(self) -> None:
        """Do nothing: there is none, ``call_soon_threadsafe`` wakes the task itself."""

    def _process_events(self, event_list: Sequence[object]) -> None:
        """Take what the selector gave; what foreign callbacks left comes before the round that runs them."""
        if self.task is not None and self.scheduler.watch is not None:
            self.scheduler.watch.acquire(self.task, self)
        super()._process_events(event_list)  # type: ignore[misc]  # no stub has it

    def time(self) -> float:
        """Return the simulated seconds; for the program, after a scheduling point: the clock may advance before."""
        scheduler = self.scheduler
        if len(scheduler.ready) > 1 or scheduler.clock.timers or scheduler.tracker is not None:
            task = current_task()
            if task is not None and sys._getframe(1).f_code is not _ROUND:
                self._pass(task, scheduler.clock, "read")
        return scheduler.clock.now_s


class _Raising:
    """Stands in for the context of a callback that has raised an error, and raises it again, once."""

    def __init__(self, handle: Any, error: BaseException) -> None:
        self._handle, self._context, self._error = handle, handle._context, error

    def run(self, *_callback: object) -> NoReturn:
        """Raise the error; the exception handler runs in the context itself."""
        self._handle._context = self._context
        raise self._error.with_traceback(self._error.__traceback__ and self._error.__traceback__.tb_next)


def _tell_of_fault(handle: Any, error: BaseException) -> None:
    """Do what asyncio does with what a callback has raised: the callback does not run again."""
    handle._context = _Raising(handle, error)
    handle._run()
