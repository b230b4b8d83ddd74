"""Threads of the controlled world: what stands in for the methods of ``threading.Thread`` while a world exists.

The methods of the class are replaced, not the class, so that subclasses and names imported earlier work as they are.
Outside a task each is the original.
"""

from __future__ import annotations

import _thread
import builtins
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakSet

from harness.instrument.hooks import HOOKS_NAME
from harness.sim.task import Task, current_task
from harness.sim.tracing import begin_tracing, tracing_hooks

if TYPE_CHECKING:
    from harness.sim.scheduler import Scheduler

__all__ = [
    "DanglingThreads",
    "active_count",
    "enumerate_threads",
    "forget_dummy_thread",
    "get_ident",
    "get_native_id",
    "hash_by_creation",
    "is_alive",
    "is_running_outside",
    "join",
    "main_thread",
    "start",
    "start_new_thread",
    "task_of",
]

_HASH, _TASK = "harness hash", "harness task"  # no identifiers, so that no subclass can have them

_real_start = threading.Thread.start
_real_join = threading.Thread.join
_real_is_alive = threading.Thread.is_alive
_real_get_ident = threading.get_ident
_real_get_native_id = threading.get_native_id
_real_start_new_thread = _thread.start_new_thread
_real_enumerate = threading.enumerate
_real_main_thread = threading.main_thread


def get_ident() -> int:
    """Return the task's number as a thread, or the real identifier outside a task."""
    task = current_task()
    return _real_get_ident() if task is None else task.ident


def get_native_id() -> int:
    """Return the task's number as a thread, but for the task that runs the program, as `get_ident` does."""
    task = current_task()
    return _real_get_native_id() if task is None or task.number == 1 else task.ident


def main_thread() -> threading.Thread:
    """Return the thread that runs the program, whichever OS thread explores it."""
    task = current_task()
    main = None if task is None else _thread_of(task.scheduler.tasks[0])
    return _real_main_thread() if main is None else main


def enumerate_threads() -> list[threading.Thread]:
    """Return the live threads of the program, in order of creation; none of the process around it."""
    task = current_task()
    if task is None:
        return _real_enumerate()
    task.scheduler.point(task)
    found = (_thread_of(each) for each in task.scheduler.tasks if not each.is_done)
    return [thread for thread in found if thread is not None]


def active_count() -> int:
    """Return the number of live threads of the program."""
    return len(enumerate_threads())


def _thread_of(task: Task) -> threading.Thread | None:
    """Return the task's ``Thread``; one started without has none before it asks for it."""
    thread: threading.Thread | None = threading._active.get(task.ident)  # type: ignore[attr-defined]
    return thread


def hash_by_creation(thread: threading.Thread) -> int:
    """Return a number by creation, so that sets of threads iterate in the same order in every run.

    The standard library joins the threads of a pool in the order of a set.
    """
    task = current_task()
    if task is None:
        known: int | None = thread.__dict__.get(_HASH)
        return object.__hash__(thread) if known is None else known
    number: int = thread.__dict__.setdefault(_HASH, task.scheduler.thread_hashes)
    task.scheduler.thread_hashes = max(task.scheduler.thread_hashes, number + 1)
    return number


class DanglingThreads:
    """Stands in for the weak set of all threads, which only CPython's own tests read: tasks are not put in."""

    def __init__(self, real: WeakSet[threading.Thread]) -> None:
        self._real = real

    def add(self, thread: threading.Thread) -> None:
        """Note a thread that no task made."""
        if current_task() is None:
            self._real.add(thread)

    def __len__(self) -> int:
        return len(self._real)

    def __iter__(self) -> Iterator[threading.Thread]:
        return iter(self._real)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def start_new_thread(
    function: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object] | None = None
) -> int:
    """Make a task for a thread without a ``Thread``; as ``_thread.start_new_thread``."""
    task = current_task()
    if task is None:
        return _real_start_new_thread(function, args, dict(kwargs or {}))
    child = task.scheduler.spawn(getattr(function, "__qualname__", "thread"), _plain_body(function, args, kwargs))
    child.is_daemon = True  # the interpreter does not wait for such threads
    task.scheduler.note(task, "start", child.name)
    _tell_start(task, child, function, (*args, *(kwargs or {}).values()))
    return child.ident


def _plain_body(
    function: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object] | None
) -> Callable[[], None]:
    def body() -> None:
        with suppress(SystemExit):
            function(*args, **(kwargs or {}))

    return body


def start(thread: threading.Thread) -> None:
    """Make a task for a thread."""
    task = current_task()
    if task is None:
        return _real_start(thread)
    if not thread._initialized:  # type: ignore[attr-defined]  # as Thread.start itself does
        raise RuntimeError("thread.__init__() not called")
    if thread._started._flag:  # type: ignore[attr-defined]  # is_set is an operation of the program's events
        raise RuntimeError("threads can only be started once")
    scheduler = task.scheduler
    name = thread.name
    if scheduler.recorder is not None:
        scheduler.note(task, "start", name)
    child = scheduler.spawn(name, _body(thread, task))
    child.is_daemon = thread.daemon
    object.__setattr__(thread, _TASK, child)  # to ask a new object for its dict would make it slower from then on
    if scheduler.is_followed:
        _tell_start(task, child, *_first_call(thread))
    thread._ident = thread._native_id = child.ident  # type: ignore[attr-defined]
    thread._started._flag = True  # type: ignore[attr-defined]  # nobody waits for it, the child is not an OS thread
    threading._active[child.ident] = thread  # type: ignore[attr-defined]
    return None


def task_of(thread: threading.Thread, scheduler: Scheduler) -> Task | None:
    """Return the task that an execution made for a thread, which holds it."""
    try:
        child: Task | None = object.__getattribute__(thread, _TASK)
    except AttributeError:
        return None
    return child if child is not None and child.scheduler is scheduler else None


def _first_call(thread: threading.Thread) -> tuple[object, Sequence[object]]:
    """Return what a thread calls at once, and with what; ``None`` where its class has a `run` of its own."""
    target = getattr(thread, "_target", None) if type(thread).run is threading.Thread.run else None
    return target, () if target is None else (*thread._args, *thread._kwargs.values())  # type: ignore[attr-defined]


def _tell_start(task: Task, child: Task, function: object, arguments: Sequence[object]) -> None:
    tracker, watch = task.scheduler.tracker, task.scheduler.watch
    if tracker is not None:
        tracker.start(task, child)
        tracker.edge(task, child)
        if function is not None and not task.inside:  # no rewritten code calls it, so no hook tells what it touches
            vars(builtins)[HOOKS_NAME].foresee(child, tracker, function, arguments)
    if watch is not None:
        watch.start(task, child)


def _body(thread: threading.Thread, task: Task) -> Callable[[], None]:
    def body() -> None:
        try:
            if tracing_hooks() != task.scheduler.tracing_hooks:
                begin_tracing(task.scheduler)
            thread.run()
        except SystemExit:
            pass
        except Exception:
            if threading.excepthook is task.scheduler.excepthook:
                raise
            # The program has a hook of its own for such errors, so they are no failures.
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), thread)))
        finally:
            threading._active.pop(thread._ident, None)  # type: ignore[attr-defined]
            _mark_stopped(thread)

    return body


def _mark_stopped(thread: threading.Thread) -> None:
    """Let the real methods see an ended thread, should it outlive its world."""
    if sys.version_info >= (3, 13):
        handle = _thread._make_thread_handle(thread._ident)
        handle._set_done()
        thread._handle = handle
    else:
        thread._is_stopped = True  # type: ignore[attr-defined]


def join(thread: threading.Thread, timeout: float | None = None) -> None:
    """Wait for a thread's task to end, at most so many simulated seconds."""
    task = current_task()
    child = task_of(thread, task.scheduler) if task is not None else None
    if task is None or child is None:
        return _real_join(thread, timeout)
    if child is task:
        raise RuntimeError("cannot join current thread")
    child.is_joined = True
    _wait_for_end(task, child, timeout)
    if task.scheduler.watch is not None:
        task.scheduler.watch.acquire(task, child)
    if task.scheduler.recorder is not None:
        task.scheduler.note(task, "join", thread.name)
    return None


def _wait_for_end(task: Task, child: Task, timeout: float | None) -> None:
    scheduler = task.scheduler
    timeout_s = None if timeout is None else max(timeout, 0.0)
    if timeout_s is not None and scheduler.tracker is not None and not task.inside:
        scheduler.tracker.primitive(task, child, "join", (timeout_s,))
    if child.is_done or timeout_s is not None:
        _pass(task, child, is_edge=timeout_s is None)
    if child.is_done:
        return
    child.joiners.append(task)
    scheduler.unready(task)
    what = f"the end of task {child.name!r}"
    if timeout_s is None:
        scheduler.block(task, what)
    else:
        scheduler.wait(task, what, timeout_s, partial(_give_up, task, child))


def _give_up(task: Task, child: Task) -> None:
    child.joiners.remove(task)
    task.scheduler.clock.run_late()
    task.scheduler.make_ready(task)


def _pass(task: Task, child: Task, *, is_edge: bool) -> None:
    """Begin a step, so that what the task did before does not count as done after the child's end.

    A join with a time-out could have come before that end, so it is in conflict with it.
    """
    scheduler = task.scheduler
    if scheduler.tracker is not None and is_edge and child.is_done:
        scheduler.tracker.edge(child, task)
    scheduler.point(task)


def forget_dummy_thread(ident: int) -> None:
    """Forget the dummy that ``current_thread`` makes for a task without a ``Thread``; nothing else would."""
    if threading._active.pop(ident, None) is not None:  # type: ignore[attr-defined]
        info = getattr(threading, "_thread_local_info", None)  # 3.12 and later keep a reference in the OS thread
        if info is not None:
            vars(info).pop("_track_dummy_thread_ref", None)


def is_running_outside(thread: threading.Thread) -> bool:
    """Return whether a thread is a running OS thread, which no task is."""
    return _real_is_alive(thread)


def is_alive(thread: threading.Thread) -> bool:
    """Return whether a thread's task has been started and has not ended."""
    task = current_task()
    if task is None:
        return _real_is_alive(thread)
    scheduler = task.scheduler
    if scheduler.tracker is not None and not task.inside:
        child = task_of(thread, scheduler)  # false once it has ended, as greenlets are
        scheduler.tracker.primitive(task, thread if child is None else child, "is_alive")
    scheduler.point(task)
    child = task_of(thread, scheduler)
    if scheduler.watch is not None and child is not None:
        scheduler.watch.acquire(task, child)
    return _real_is_alive(thread) if child is None else not child.is_done
