"""The event loop of the controlled world: asyncio's own loop, where waiting is left to the scheduler.

Everything that makes asyncio what it is stays: the ready queue and its order, timers, cancellation, shutdown. What is
ours: who may come in before a callback, hashes and names of tasks, and what only the outside world could do.
"""

from __future__ import annotations

import asyncio
import re
import sys
import threading
import weakref
from asyncio import constants
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from types import BuiltinMethodType, FunctionType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVarTuple, final

from greenlet import getcurrent

from harness.sim.escapes import instead_of
from harness.sim.later import announced
from harness.sim.loops.faults import fault_of
from harness.sim.loops.loop_task import LoopFuture, LoopHandle, LoopTask
from harness.sim.loops.ordered_set import OrderedRefs
from harness.sim.loops.rounds import Rounds
from harness.sim.network.resolving import getaddrinfo
from harness.sim.scheduler import Stop
from harness.sim.task import Task, current_task
from harness.sim.worker import Worker

__all__ = ["EventLoop"]

_Ts = TypeVarTuple("_Ts")

# What needs a signal, a process or a network that is not there.
_REFUSED = (
    *("add_signal_handler", "remove_signal_handler", "connect_read_pipe", "connect_write_pipe"),
    *("subprocess_exec", "subprocess_shell", "create_datagram_endpoint"),
    *("create_unix_connection", "create_unix_server"),
)
_UNNAMED = re.compile(r"Task-\d+|None")  # CPython 3.13.0 calls all tasks of a factory None
_WAKE_UP: type = BuiltinMethodType  # that of tasks
_STEP: type = next((kind for kind in object.__subclasses__() if kind.__name__ == "TaskStepMethWrapper"), _WAKE_UP)
_EAGER = getattr(asyncio, "eager_task_factory", None)
_new = object.__new__
# Namespaces of asyncio, whose functions are known to touch nothing of the program's by themselves.
_ASYNCIO = frozenset(id(vars(module)) for name, module in list(sys.modules.items()) if name.startswith("asyncio"))


@final
class EventLoop(Rounds):
    """An asyncio loop of one execution. Loop-affine, as any; ``call_soon_threadsafe`` is thread-safe."""

    if TYPE_CHECKING:  # what the stubs of asyncio leave out
        _default_executor: object
        _do_shutdown: Callable[[asyncio.Future[None]], None]
        _executor_shutdown_called: bool
        _task_factory: Callable[..., Any] | None

    def __init__(self, maker: Task) -> None:
        Rounds.__init__(self, maker)
        if self.scheduler.recorder is not None:
            self.scheduler.recorder.loop_made(maker, self)
        self._connected: weakref.WeakValueDictionary[int, Any] | None = None
        self._generators: weakref.WeakSet[Any] | None = None

    @property
    def _asyncgens(self) -> weakref.WeakSet[Any]:
        """Async generators that have begun; made when it is asked for, most loops have none."""
        if self._generators is None:
            self._generators = weakref.WeakSet()
            self._generators.data = OrderedRefs()  # type: ignore[attr-defined]  # no stub has it
        return self._generators

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
        if self._closed or sys.is_finalizing():
            return
        if current_task() is None:
            self._closed = True  # left over at the end of its execution: nobody is there to be warned
        else:
            super().__del__()

    # Callbacks, tasks and futures

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Put a callback at the end of the ready queue; another thread's may come in before it."""
        scheduler = self.scheduler
        if scheduler.is_followed or self._closed:
            self._let_in()
        elif len(scheduler.ready) > 1 or (scheduler.clock.timers and self._has_company()):
            worker: Any = getcurrent()  # as current_task, mostly without a call
            task = worker.task if worker.__class__ is Worker else current_task()
            if task is not None and not task.atomic:
                scheduler.point(task)
        kind = type(callback)  # nearly all are of these kinds
        if kind is FunctionType:
            if id(callback.__globals__) not in _ASYNCIO:
                callback = announced(callback)
        elif kind is not _STEP and (kind is not _WAKE_UP or type(callback.__self__) is not LoopTask):  # type: ignore[attr-defined]
            callback = announced(callback)
        if self._closed or self._debug:
            return super().call_soon(callback, *args, context=context)
        handle: LoopHandle = _new(LoopHandle)  # its attributes are set here, this is passed too often for a call
        handle._context = copy_context() if context is None else context
        handle._callback = callback
        handle._args = args
        handle._loop = self
        handle._cancelled = False
        handle._repr = handle._source_traceback = None
        self._ready.append(handle)
        return handle

    def _let_in(self) -> None:
        """Come to a scheduling point before a ``call_soon``."""
        scheduler = self.scheduler
        if not scheduler.is_followed:
            task = current_task()
            if task is not None and self._has_company():
                scheduler.point(task)
            return
        if scheduler.recorder is not None:
            self._note_foreign()
        if len(scheduler.ready) > 1 or scheduler.clock.timers or scheduler.tracker is not None:
            task = current_task()
            if task is not None:  # that of another thread is not allowed, and not declared
                self._pass(task, self, "call_soon" if self.task is None or self.task is task else None)
        self._has_news = True

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
        handle = super().call_soon_threadsafe(announced(callback), *args, context=context)
        if task is not None and self.scheduler.recorder is not None:
            self.scheduler.note(task, "call", f"{self.scheduler.name_of(self)}.call_soon_threadsafe")
        return handle

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call a callback at a moment of the simulated clock; as asyncio's."""
        return super().call_at(when, announced(callback), *args, context=context)

    def _write_to_self(self) -> None:
        self.wake()

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future of this loop."""
        return LoopFuture(loop=self)

    def create_task(  # type: ignore[override]  # the stubs have one version's options
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        """Make a task of this loop; unnamed ones are called by number, from 1 in each execution."""
        scheduler, factory = self.scheduler, self._task_factory
        if factory is not None and factory is not _EAGER:
            return self._note(self._numbered(super().create_task(coro, name=name, context=context)))
        if self._closed:
            self._check_closed()
        if name is None and scheduler.tracker is None:  # as _next_name, without a call
            number = scheduler.loop_names = scheduler.loop_names + 1
            name = f"Task-{number}"
        elif name is None:
            name = self._next_name()
        if factory is None:
            task = LoopTask(coro, loop=self, name=name, context=context)
        else:
            task = LoopTask(coro, loop=self, name=name, context=context, eager_start=True)  # type: ignore[call-arg]
        if not task._number:  # those that begin at once have had theirs
            self.hashes = task._number = self.hashes + 1
        if self._debug:
            del task._source_traceback[-1:]  # type: ignore[attr-defined]  # it is there in debug mode
        return task if scheduler.recorder is None else self._note(task)

    def _numbered(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        """Call a task of a factory of the program's own by number, if nobody named it; asyncio counts on and on."""
        if _UNNAMED.fullmatch(getattr(task, "get_name", str)()):
            task.set_name(self._next_name())
        return task

    def _next_name(self) -> str:
        """Return the name of an unnamed task: they are numbered over all loops."""
        scheduler = self.scheduler
        if scheduler.tracker is not None:
            maker = current_task()
            if maker is not None:
                scheduler.tracker.take_task_number(maker)
        number = scheduler.loop_names = scheduler.loop_names + 1
        return f"Task-{number}"

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
        if self._generators:
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
            return _joined(self) if _LOOKS_AFTER_JOIN else super().shutdown_default_executor()
        return super().shutdown_default_executor(timeout)  # type: ignore[call-arg]  # since 3.12

    def run_until_complete(self, future: Any) -> Any:
        """Run until a future is done, and return its result; as asyncio's."""
        if future is _NOTHING_TO_DO:
            self._check_begins()
            return None
        return super().run_until_complete(future)


def _refusing(name: str) -> Callable[..., NoReturn]:
    def refused(loop: EventLoop, *_args: object, **_options: object) -> NoReturn:
        task = current_task()
        if task is not None:
            what = f"loop.{name}"
            task.scheduler.escape(task, f"calls {what}, which leaves the controlled world", instead_of(what))
        raise NotImplementedError(f"loop.{name} is wanted, {loop!r} cannot do that")

    return refused


for _name in _REFUSED:
    setattr(EventLoop, _name, _refusing(_name))


async def _joined(loop: EventLoop) -> None:
    """Let the default executor's threads end, as every other CPython does it."""
    loop._executor_shutdown_called = True
    future = loop.create_future()
    thread = threading.Thread(target=loop._do_shutdown, args=(future,))
    thread.start()
    try:
        await future
    finally:
        thread.join()


_SHUTDOWN = asyncio.BaseEventLoop.shutdown_default_executor
_LOOKS_AFTER_JOIN = "is_alive" in _SHUTDOWN.__code__.co_names  # 3.12.1: a step more, which tells nothing
_joined.__name__, _joined.__qualname__ = _SHUTDOWN.__name__, _SHUTDOWN.__qualname__  # reports call it so


class _NothingToDo:
    """Awaitable that is done: spares a loop that has nothing to shut down the task to do it."""

    def __await__(self) -> Any:
        return iter(())


_NOTHING_TO_DO = _NothingToDo()
