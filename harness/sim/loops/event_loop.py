"""The event loop of the controlled world: asyncio's own loop, where waiting is left to the scheduler.

Everything that makes asyncio what it is stays: the ready queue and its order, timers, cancellation, shutdown. What a
selector would do is done by the task that runs the loop: with nothing to do it blocks until a timer falls due or
another thread's ``call_soon_threadsafe`` wakes it. Its timers fall due while it waits: its own callbacks take no time
by the virtual clock, those of other threads may. Were the clock free to advance before each callback, as it is before
each step of a thread, every loop alone would have choices, ``wait_for`` and ``timeout`` would strike work that never
waits, and their number would differ by version, as asyncio's own callbacks do. What is lost: a timer that falls due
while a callback of the same loop computes for long.

Its selector is one over the network in memory, so that transports, streams and servers are asyncio's own as well. There
is no system's selector and no pair of sockets to set up: making a loop costs a few microseconds.
"""

from __future__ import annotations

import asyncio
import re
import sys
import weakref
from asyncio import base_events, constants, events, selector_events
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from typing import TYPE_CHECKING, Any, NoReturn, TypeVarTuple, final

from harness.sim.clock import Timer
from harness.sim.errors import TaskExit
from harness.sim.loops.faults import fault_of
from harness.sim.loops.loop_task import LoopFuture, LoopTask
from harness.sim.loops.ordered_set import OrderedRefs
from harness.sim.network.resolving import getaddrinfo
from harness.sim.network.selector import Selector
from harness.sim.scheduler import Stop
from harness.sim.task import Task, current_task, running_task

__all__ = ["EventLoop"]

_Ts = TypeVarTuple("_Ts")

_LAST_ROUNDS = 100  # iterations a loop has to end in, once its thread is being ended
# What needs a signal, a process or a network that is not there.
_REFUSED = (
    *("add_signal_handler", "remove_signal_handler", "connect_read_pipe", "connect_write_pipe"),
    *("subprocess_exec", "subprocess_shell", "create_datagram_endpoint"),
    *("create_unix_connection", "create_unix_server"),
)
_ROUND = base_events.BaseEventLoop._run_once.__code__  # type: ignore[attr-defined]  # no stub has it
_UNNAMED = re.compile(r"Task-\d+|None")  # CPython 3.13.0 calls all tasks of a factory None
_EAGER = getattr(asyncio, "eager_task_factory", None)


@final
class EventLoop(selector_events.BaseSelectorEventLoop):
    """An asyncio loop of one execution. Loop-affine, as any; ``call_soon_threadsafe`` is thread-safe.

    Attributes:
        scheduler: That of the execution.
        number: Number of the loop in the execution, from 1.
        task: The task that runs it, ``None`` while it does not run.
        runner: Number of the task that ran it last, 0 before one did.
        is_cut: Whether its thread was ended while it ran, so that what it leaves behind is no fault of the program's.
    """

    if TYPE_CHECKING:  # what the stubs of asyncio leave out
        _asyncgen_finalizer_hook: Callable[[Any], None]
        _asyncgen_firstiter_hook: Callable[[Any], None]
        _check_closed: Callable[[], None]
        _check_running: Callable[[], None]
        _debug: bool
        _default_executor: object
        _asyncgens: weakref.WeakSet[Any]
        _ready: deque[asyncio.Handle]
        _scheduled: list[asyncio.TimerHandle]
        _stopping: bool
        _task_factory: Callable[..., Any] | None

    def __init__(self, maker: Task) -> None:
        base_events.BaseEventLoop.__init__(self)  # the selector's loop makes a selector and sockets
        self.scheduler = maker.scheduler
        reference = weakref.ref(self)
        self.scheduler.loops.append(reference)
        self.number = len(self.scheduler.loops)
        if self.scheduler.recorder is not None:
            self.scheduler.recorder.loop_made(maker, self)
        self.task: Task | None = None
        self.runner = 0
        self.is_cut = False
        self._is_waiting = False
        self._has_news = False  # whether a callback came since the last round began
        self._timer: Timer | None = None  # while it waits for a deadline of its own
        self._rounds_left = _LAST_ROUNDS
        self._selector = Selector(maker, reference)  # no circle: a loop that is let go is freed at once
        self._connected: weakref.WeakValueDictionary[int, Any] | None = None
        self._asyncgens.data = OrderedRefs()  # type: ignore[attr-defined]  # no stub has it

    @property
    def _transports(self) -> weakref.WeakValueDictionary[int, Any]:
        """Transports by file descriptor; made when it is asked for, most loops have none."""
        if self._connected is None:
            self._connected = weakref.WeakValueDictionary()
        return self._connected

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        state = "running" if self.is_running() else "closed" if self.is_closed() else "idle"
        thread = f" in thread {self.task.name!r}" if self.task is not None else ""
        return f"<EventLoop {self.number} {state}{thread}>"

    def __del__(self, _warn: object = None) -> None:
        if self.is_closed() or sys.is_finalizing():
            return
        if current_task() is None:
            self._closed = True  # left over at the end of its execution: nobody is there to be warned
        else:
            super().__del__()

    # Running and waiting

    def run_forever(self) -> None:
        """Run until ``stop`` is called; as asyncio's."""
        task = running_task()
        assert task is not None
        self._check_closed()
        self._check_running()
        self.task, task.loop, self.scheduler.marked = task, self, self
        self.runner = task.number
        try:
            base_events.BaseEventLoop.run_forever(self)
        except TaskExit:
            self.is_cut = True
            raise
        finally:
            self.task = task.loop = self.scheduler.marked = None

    @staticmethod
    def mark(loop: EventLoop | None) -> None:
        """Tell the OS thread which loop runs in the task that goes on in it."""
        events._set_running_loop(loop)
        if loop is None:
            sys.set_asyncgen_hooks(None, None)
        else:
            sys.set_asyncgen_hooks(loop._asyncgen_firstiter_hook, loop._asyncgen_finalizer_hook)

    def _run_once(self) -> None:
        """Run one round: let others come in, then run what was ready; as asyncio's, which is asked where more is to do.

        With something ready, no timers and no sockets there is nothing to wait for and nothing to ask of the selector.
        """
        scheduler, task, ready = self.scheduler, self.task, self._ready
        if not ready or self._scheduled or self._debug or self._selector.keys or task is None or task.atomic:
            super()._run_once()  # type: ignore[misc]  # no stub has it
            return
        if scheduler.is_followed or len(scheduler.ready) > 1 or scheduler.clock.timers:
            self._pass(task, self, "round")
        self._has_news = False
        if scheduler.watch is not None:
            scheduler.watch.acquire(task, self)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

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
        if len(scheduler.ready) > 1 or any(timer.task is not None for timer in scheduler.clock.timers):
            scheduler.point(task)
        elif tracker is not None and not task.inside:
            tracker.step(task)

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

    # Callbacks, tasks and futures

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Put a callback at the end of the ready queue; another thread's may come in before it."""
        scheduler = self.scheduler
        if scheduler.is_followed or len(scheduler.ready) > 1 or scheduler.clock.timers:
            self._let_in()
        self._has_news = True
        if self._closed or self._debug:
            return super().call_soon(callback, *args, context=context)
        handle = events.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def _let_in(self) -> None:
        """Come to a scheduling point before a ``call_soon``."""
        scheduler = self.scheduler
        if scheduler.recorder is not None:
            self._note_foreign()
        if len(scheduler.ready) > 1 or scheduler.clock.timers or scheduler.tracker is not None:
            task = current_task()
            if task is not None:  # that of another thread is not allowed, and not declared
                self._pass(task, self, "call_soon" if self.task is None or self.task is task else None)

    def _note_foreign(self) -> None:
        """Record a ``call_soon`` from another thread than the loop's, which nothing wakes the loop for."""
        running = current_task()
        if running is not None and self.task is not None and running is not self.task:
            self.scheduler.note(running, "call", f"{self.scheduler.name_of(self)}.call_soon")

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Put a callback at the end of the ready queue and wake the loop; an operation, hence one step."""
        task = current_task()
        if task is not None:
            if self.scheduler.tracker is not None and not task.inside:
                self.scheduler.tracker.primitive(task, self, "call_soon")
            self.scheduler.point(task)
            if self.scheduler.watch is not None:
                self.scheduler.watch.publish(task, self)
        self._has_news = True
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        if task is not None and self.scheduler.recorder is not None:
            self.scheduler.note(task, "call", f"{self.scheduler.name_of(self)}.call_soon_threadsafe")
        return handle

    def _write_to_self(self) -> None:
        self.wake()

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future of this loop."""
        return LoopFuture(loop=self)

    def create_task(  # type: ignore[override]  # the stubs have one version's options
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, **options: Any
    ) -> asyncio.Task[Any]:
        """Make a task of this loop; unnamed ones are called by number, from 1 in each execution."""
        scheduler, factory = self.scheduler, self._task_factory
        if factory is not None and factory is not _EAGER:
            return self._note(self._numbered(super().create_task(coro, name=name, **options)))
        self._check_closed()
        if name is None:
            number = scheduler.loop_names = scheduler.loop_names + 1
            name = f"Task-{number}"
        if factory is not None:
            options["eager_start"] = True
        task = LoopTask(coro, loop=self, name=name, **options)
        if not task._number:  # those that begin at once have had theirs
            scheduler.loop_hashes = task._number = scheduler.loop_hashes + 1
        if self._debug:
            del task._source_traceback[-1:]  # type: ignore[attr-defined]  # it is there in debug mode
        return task if scheduler.recorder is None else self._note(task)

    def _numbered(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        """Call a task of a factory of the program's own by number, if nobody named it; asyncio counts on and on."""
        if _UNNAMED.fullmatch(getattr(task, "get_name", str)()):
            self.scheduler.loop_names += 1
            task.set_name(f"Task-{self.scheduler.loop_names}")
        return task

    def current(self) -> asyncio.Task[Any] | None:
        """Return the asyncio task whose step runs, ``None`` between steps."""
        return asyncio.current_task(self)

    def _note(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        recorder = self.scheduler.recorder
        if recorder is not None and not task.done():
            recorder.async_tasks.add(task, self.number, self.current(), recorder.size)
        return task

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """Resolve a loopback name; without the thread that asyncio uses, as nothing is asked of the network."""
        return getaddrinfo(host, port, family, type, proto, flags)

    def forget(self) -> None:
        """Let nothing of it speak up any more: its execution is over."""
        self.is_cut = self._closed = True
        for transport in list(self._connected.values()) if self._connected else ():
            transport._sock, transport._closing = None, True

    # Faults

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Log, as asyncio does, and let the execution fail."""
        task = current_task()
        if task is not None:
            super().default_exception_handler(context)
        fault = None if self.is_cut else fault_of(context)
        if fault is not None and self.scheduler.stop is None:
            self.scheduler.stop = Stop("error", error=fault, task="" if task is None else task.name)

    # Shutdown

    def shutdown_asyncgens(self) -> Any:
        """Close all async generators that are open, in the order in which they were begun."""
        if len(self._asyncgens):
            return super().shutdown_asyncgens()
        self._asyncgens_shutdown_called = True
        return _NOTHING_TO_DO

    def shutdown_default_executor(self, timeout: float | None = None) -> Any:
        """Let the default executor's threads end.

        The five minutes that ``asyncio.run`` grants them are no deadline: who needs more is slow, or stuck for good.
        """
        if self._default_executor is None:
            self._executor_shutdown_called = True
            return _NOTHING_TO_DO
        if timeout is None or timeout == getattr(constants, "THREAD_JOIN_TIMEOUT", None):
            return super().shutdown_default_executor()
        return super().shutdown_default_executor(timeout)  # type: ignore[call-arg]  # since 3.12

    def run_until_complete(self, future: Any) -> Any:
        """Run until a future is done, and return its result; as asyncio's."""
        if future is _NOTHING_TO_DO:
            self._check_closed()
            self._check_running()
            return None
        return super().run_until_complete(future)


def _refusing(name: str) -> Callable[..., NoReturn]:
    def refused(loop: EventLoop, *_args: object, **_options: object) -> NoReturn:
        task = current_task()
        if task is not None:
            task.scheduler.escape(task, f"calls loop.{name}, which leaves the controlled world")
        raise NotImplementedError(f"loop.{name} is wanted, {loop!r} cannot do that")

    return refused


for _name in _REFUSED:
    setattr(EventLoop, _name, _refusing(_name))


class _NothingToDo:
    """Awaitable that is done: spares a loop that has nothing to shut down the task to do it."""

    def __await__(self) -> Any:
        return iter(())


_NOTHING_TO_DO = _NothingToDo()
