"""The event loop of the controlled world: asyncio's own loop, where waiting is left to the scheduler.

Everything that makes asyncio what it is stays: the ready queue and its order, timers, cancellation, shutdown. What a
selector would do is done by the task that runs the loop: with nothing to do it blocks until a timer falls due or
another thread's ``call_soon_threadsafe`` wakes it. Its timers fall due while it waits: its own callbacks take no time
by the virtual clock, those of other threads may.

There is no selector, no pair of sockets and no resolver to set up, so that making a loop costs a few microseconds.
"""

from __future__ import annotations

import asyncio
import sys
import weakref
from asyncio import base_events, constants, events
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from typing import TYPE_CHECKING, Any, NoReturn, TypeVarTuple, final

from harness.sim.errors import TaskExit
from harness.sim.loops.loop_task import LoopFuture, LoopTask
from harness.sim.loops.ordered_set import OrderedWeakSet
from harness.sim.task import Task, current_task, running_task

__all__ = ["EventLoop"]

_Ts = TypeVarTuple("_Ts")

_LAST_ROUNDS = 100  # iterations a loop has to end in, once its thread is being ended
# What needs a selector, a signal or a process.
_REFUSED = (
    *("add_reader", "add_writer", "remove_reader", "remove_writer", "add_signal_handler", "remove_signal_handler"),
    *("sock_accept", "sock_connect", "sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into"),
    *("sock_sendall", "sock_sendto", "sock_sendfile", "sendfile", "connect_read_pipe", "connect_write_pipe"),
    *("subprocess_exec", "subprocess_shell", "create_datagram_endpoint", "create_unix_connection"),
    *("create_unix_server", "connect_accepted_socket", "start_tls"),
)
_EAGER = getattr(asyncio, "eager_task_factory", None)


class _Selector:
    """What asyncio's loop asks for events, with the seconds it may take. There are none but the passing of time."""

    __slots__ = ("_loop",)

    def __init__(self, loop: EventLoop) -> None:
        self._loop = weakref.ref(loop)  # no circle: a loop that is let go is freed at once

    def select(self, timeout_s: float | None = None) -> Sequence[object]:
        loop = self._loop()
        assert loop is not None
        task = loop.task
        if task is None or task.atomic:
            loop.hurry()
        elif timeout_s is None or timeout_s > 0:
            loop.wait(task, timeout_s)
        return ()


@final
class EventLoop(base_events.BaseEventLoop):
    """An asyncio loop of one execution. Loop-affine, as any; ``call_soon_threadsafe`` is thread-safe.

    Attributes:
        scheduler: That of the execution.
        number: Number of the loop in the execution, from 1.
        task: The task that runs it, ``None`` while it does not run.
        is_cut: Whether its thread was ended while it ran, so that what it leaves behind is no fault of the program's.
    """

    if TYPE_CHECKING:  # what the stubs of asyncio leave out
        _asyncgen_finalizer_hook: Callable[[Any], None]
        _asyncgen_firstiter_hook: Callable[[Any], None]
        _check_closed: Callable[[], None]
        _check_running: Callable[[], None]
        _default_executor: object
        _ready: deque[asyncio.Handle]

    def __init__(self, maker: Task) -> None:
        super().__init__()
        self.scheduler = maker.scheduler
        self.scheduler.loops += 1
        self.number = self.scheduler.loops
        self.task: Task | None = None
        self.is_cut = False
        self._is_waiting = False
        self._rounds_left = _LAST_ROUNDS
        self._selector = _Selector(self)
        self._asyncgens: weakref.WeakSet[Any] = OrderedWeakSet()

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
        try:
            super().run_forever()
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

    def wait(self, task: Task, timeout_s: float | None) -> None:
        """Block the loop's task until a callback comes in from outside, or the time is over."""
        scheduler = self.scheduler
        self._is_waiting = True
        scheduler.unready(task)
        try:
            scheduler.wait(task, self, timeout_s, self._wake)
        finally:
            self._is_waiting = False

    def hurry(self) -> None:
        """Go on without waiting, for a while, because the loop's thread is being ended."""
        self.is_cut = True
        self._rounds_left -= 1
        if not self._ready or self._rounds_left < 0:
            raise TaskExit

    def _wake(self) -> None:
        if self._is_waiting and self.task is not None:
            self._is_waiting = False
            self.scheduler.make_ready(self.task)

    def _process_events(self, events: Sequence[object]) -> None:
        """Take what the selector gave: nothing."""

    def time(self) -> float:
        """Return the simulated seconds."""
        return self.scheduler.clock.now_s

    # Callbacks, tasks and futures

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Put a callback at the end of the ready queue; another thread's may come in before it."""
        task = self.task
        if task is not None and not task.atomic and len(self.scheduler.ready) > 1:
            running = current_task()
            if running is not None:
                self.scheduler.point(running)
        return super().call_soon(callback, *args, context=context)

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Put a callback at the end of the ready queue and wake the loop; an operation, hence one step."""
        task = current_task()
        if task is not None:
            self.scheduler.point(task)
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        if task is not None and self.scheduler.recorder is not None:
            self.scheduler.note(task, "call", f"{self.scheduler.name_of(self)}.call_soon_threadsafe")
        return handle

    def _write_to_self(self) -> None:
        self._wake()

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future of this loop."""
        return LoopFuture(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:  # type: ignore[override]
        """Make a task of this loop; unnamed ones are called by number, from 1 in each execution."""
        factory = self.get_task_factory()
        if factory is not None and factory is not _EAGER:
            return super().create_task(coro, **options)
        self._check_closed()
        if options.get("name") is None:
            self.scheduler.loop_names += 1
            options["name"] = f"Task-{self.scheduler.loop_names}"
        if factory is not None:
            options["eager_start"] = True
        task = LoopTask(coro, loop=self, **options)
        if self.get_debug():
            del task._source_traceback[-1:]  # type: ignore[attr-defined]  # it is there in debug mode
        return task

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
        raise NotImplementedError(f"loop.{name} is wanted, {loop!r} has no selector")

    return refused


for _name in _REFUSED:
    setattr(EventLoop, _name, _refusing(_name))


class _NothingToDo:
    """Awaitable that is done: spares a loop that has nothing to shut down the task to do it."""

    def __await__(self) -> Any:
        return iter(())


_NOTHING_TO_DO = _NothingToDo()
