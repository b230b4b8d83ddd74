"""Names replaced while a world exists, and put back exactly as they were."""

from __future__ import annotations

import _thread
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, _base
from itertools import count
from types import BuiltinMethodType, FunctionType, ModuleType
from typing import Any, final

from harness.sim import threads
from harness.sim.captured_defaults import captured_defaults
from harness.sim.clock import DATE_READINGS, clock_replacements, date_reading
from harness.sim.ending import register_at_exit
from harness.sim.escapes import escapes
from harness.sim.future_hash import hash_of_future
from harness.sim.later import announcements
from harness.sim.lock_holders import lock_holders
from harness.sim.locks import lock_replacement, rlock_factory
from harness.sim.operations import operations
from harness.sim.pool_worker import pool_patches
from harness.sim.randomness import Randomness
from harness.sim.started import thread_maker
from harness.sim.task import current_task
from harness.sim.tracing import tracing_replacements
from harness.sim.tracker import Tracker

__all__ = ["Patches"]

_MISSING = object()
_SET_BY_PROGRAMS = ("_counter", "_profile_hook", "_trace_hook", "excepthook")  # names of threading


@final
class Patches:
    """Replacements of module and class attributes. Confined: put in and taken out once per exploration.

    Attributes:
        stand_ins: What is in the place of functions and classes, by the id of the real one, which its module keeps.
    """

    def __init__(self) -> None:
        self._replaced: list[tuple[object, str, object]] = []
        self._defaults: list[tuple[FunctionType, tuple[Any, ...] | None]] = []  # as they were
        self._pools: Callable[[], int] = count().__next__  # numbers of thread pools, in the names of their threads
        self._before: dict[str, object] = {}  # names of threading that programs set, as they were
        self.stand_ins: dict[int, object] = {}

    def put_in(self, further: Iterable[tuple[object, str, object]] = ()) -> None:
        """Replace everything, and what else is given as owner, name and replacement."""
        from harness.sim.loops import loop_patches, ordered_sets  # loads asyncio
        from harness.sim.network import network_patches

        for owner, name, function in (*escapes(), *lock_holders(), *announcements(), *further):
            self._replace(owner, name, function)
        lock = lock_replacement()
        for owner in (threading, _thread):
            for name in ("Lock", "allocate_lock", "_allocate_lock"):
                if hasattr(owner, name):
                    self._replace(owner, name, lock)
            for name in ("RLock", "_CRLock"):
                if hasattr(owner, name):
                    self._replace(owner, name, rlock_factory)
            self._replace(owner, "get_ident", threads.get_ident)
            self._replace(owner, "get_native_id", threads.get_native_id)
        self._replace_imported("get_ident", threads.get_ident)
        for owner, name in ((_thread, "start_new_thread"), (_thread, "start_new"), (threading, "_start_new_thread")):
            if hasattr(owner, name):
                self._replace(owner, name, threads.start_new_thread)
        for method in (threads.start, threads.join, threads.is_alive):
            self._replace(threading.Thread, method.__name__, method)
        self._replace(threading, "_register_atexit", register_at_exit)
        self._replace(threading, "enumerate", threads.enumerate_threads)
        for name in ("active_count", "main_thread"):
            self._replace(threading, name, getattr(threads, name))
        for owner, name, function in tracing_replacements():
            self._replace(owner, name, function)
        for owner, name, function in operations():
            self._replace(owner, name, function)
        for owner, name, replacement in (*loop_patches(), *network_patches(), *pool_patches()):
            self._replace(owner, name, replacement)
        self._ordered_sets = ordered_sets
        self.follow_imports()
        self._replace(threading.Thread, "__hash__", threads.hash_by_creation)
        self._replace(Future, "__hash__", hash_of_future)
        self._replace(_base, "id", hash)
        self._replace(threading, "_dangling", threads.DanglingThreads(threading._dangling))  # type: ignore[attr-defined]
        self._replace(threading.Thread, "__init__", thread_maker())
        self._replace(queue, "SimpleQueue", queue._PySimpleQueue)  # type: ignore[attr-defined]  # its locks are ours
        for name, reading in clock_replacements().items():
            self._replace(time, name, reading)
        self._randomness = Randomness()
        for owner, name, replacement in self._randomness.replacements():
            self._replace(owner, name, replacement)
        self._replace(threading, "_time", time.monotonic)
        self._replace(queue, "time", time.monotonic)
        for name in _SET_BY_PROGRAMS:
            self._before[name] = getattr(threading, name)
            self._replace(threading, name, self._before[name])
        self._replace(ThreadPoolExecutor, "_counter", staticmethod(lambda: self._pools()))
        for function, defaults in list(captured_defaults(self.stand_in)):
            self._defaults.append((function, function.__defaults__))
            function.__defaults__ = defaults

    def follow_imports(self) -> None:
        """Replace what modules have that were imported since."""
        for owner, name, replacement in self._ordered_sets():
            self._replace(owner, name, replacement)

    def stand_in(self, function: object) -> object:
        """Return what stands in for a function that was bound to a name before it was replaced, or the function."""
        if type(function) is BuiltinMethodType and function.__name__ in DATE_READINGS:
            return date_reading(function)
        return self.stand_ins.get(id(function), function)

    def reset(self, tracker: Tracker | None = None) -> None:
        """Put back what programs set, and make names of threads and pools count from the start again."""
        vars(threading).update(self._before)
        pools = count().__next__
        self._pools = pools if tracker is None else _telling(pools, tracker)
        self._randomness.reset()
        numbers = count(1).__next__
        threading._counter = numbers if tracker is None else _telling(numbers, tracker)  # type: ignore[attr-defined]

    def take_out(self) -> None:
        """Put every name back, last replaced first."""
        if self._replaced:
            self._randomness.stop()
        while self._defaults:
            function, defaults = self._defaults.pop()
            function.__defaults__ = defaults
        while self._replaced:
            owner, name, value = self._replaced.pop()
            if value is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)

    def _replace_imported(self, name: str, replacement: object) -> None:
        """Replace a function of the system where modules imported it by name: not all that ask it are rewritten."""
        real = next(real for owner, replaced, real in self._replaced if (owner, replaced) == (_thread, name))
        for module in list(sys.modules.values()):
            if isinstance(module, ModuleType) and vars(module).get(name) is real:
                self._replace(module, name, replacement)

    def _replace(self, owner: object, name: str, replacement: object) -> None:
        real = vars(owner).get(name, _MISSING)
        self._replaced.append((owner, name, real))
        if isinstance(owner, ModuleType) and callable(real):
            self.stand_ins[id(real)] = replacement
        setattr(owner, name, replacement)


def _telling(numbers: Callable[[], int], tracker: Tracker) -> Callable[[], int]:
    """Return what gives the numbers that threads are named by, and tells a tracker of each."""

    def next_number() -> int:
        task = current_task()
        if task is not None and not task.atomic:
            tracker.take_number(task)
        return numbers()

    return next_number
