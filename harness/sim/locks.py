"""Locks of the controlled world: shadows that hold a real lock while a task holds them.

Who gets a free lock is a choice of the scheduler, from the very first acquire: a task that arrives becomes a contender
and may be overtaken before it takes the lock. While the lock is held, contenders are not runnable. Holding the real
lock as well keeps foreign OS threads out and lets code that runs with hooks off see the truth. Where the real lock is
held by none of our tasks, the wait could not be controlled, and the execution stops and says so.
"""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, TypeVar

from harness.sim.event import call_site
from harness.sim.task import Task, current_task, running_task

__all__ = ["REAL_LOCK_TYPES", "Lock", "RLock", "RealLock", "lock_replacement", "rlock_factory"]

_L = TypeVar("_L", bound="Lock")
_allocate_lock = _thread.allocate_lock
_allocate_rlock = _thread.RLock
REAL_LOCK_TYPES: tuple[type, ...] = (type(_allocate_lock()), type(_allocate_rlock()))


class RealLock(Protocol):
    """What a shadow needs of the lock behind it."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock."""

    def release(self) -> None:
        """Let the lock go."""


class Lock:
    """Shadow of a ``threading.Lock``. Thread-safe; outside a world it is the real lock."""

    __slots__ = ("__weakref__", "_contenders", "_real", "made", "owner")

    def __init__(self, real: RealLock) -> None:
        self._real = real
        self._contenders: list[Task] = []  # tasks about to acquire, in order of arrival
        self.owner: Task | None = None
        self.made = ("", 0)  # file and line that made it, when events are kept

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; as ``threading.Lock.acquire``."""
        task = running_task()
        if task is None:
            return self._real.acquire(blocking, timeout)
        if task.atomic:
            return self._acquire_atomically(task, blocking)
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        if timeout > threading.TIMEOUT_MAX:
            raise OverflowError("timeout value is too large")
        return self._acquire(task, blocking, None if timeout == -1 else timeout)

    def _acquire(self, task: Task, blocking: bool, timeout_s: float | None) -> bool:
        if not blocking or timeout_s is not None:
            self._declare(task, "timed" if blocking else "try", timeout_s)
            task.scheduler.point(task)
            if self.owner is None:
                return self._take(task)
            return self._wait(task, timeout_s) if blocking else self._fail(task)
        if task.inside and self.owner is None:
            return self._take(task)
        self._declare(task, "acquire")
        if self.owner is not None:
            return self._wait(task, None)
        self._contenders.append(task)
        task.waits_for = self  # should it be overtaken here
        task.scheduler.point(task)
        task.waits_for = None
        self._contenders.remove(task)
        return self._take(task)

    def _wait(self, task: Task, timeout_s: float | None) -> bool:
        scheduler = task.scheduler
        self._contenders.append(task)
        scheduler.unready(task)
        if scheduler.recorder is not None:
            scheduler.note(task, "wait", scheduler.name_of(self))
        if not scheduler.wait(task, self, timeout_s, lambda: self._give_up(task)):
            return self._fail(task)
        self._contenders.remove(task)
        return self._take(task)

    def _declare(self, task: Task, operation: str, timeout_s: float | None = None) -> None:
        tracker = task.scheduler.tracker
        if tracker is not None and not task.inside:
            tracker.primitive(task, self, operation, (timeout_s,))

    def _give_up(self, task: Task) -> None:
        self._contenders.remove(task)
        task.scheduler.clock.run_late()
        task.scheduler.make_ready(task)

    def _take(self, task: Task) -> bool:
        scheduler = task.scheduler
        if not self._real.acquire(False):
            scheduler.escape(task, f"waits for a real {type(self).__name__} held outside the exploration")
        self.owner = task
        for contender in self._contenders:
            scheduler.unready(contender)
        if not task.inside:  # a lock inside a primitive is nobody's business
            task.held.append(self)
        if scheduler.recorder is not None:
            scheduler.note(task, "acquire", scheduler.name_of(self))
        if scheduler.watch is not None:
            scheduler.watch.acquire(task, self)
        return True

    def _fail(self, task: Task) -> bool:
        task.scheduler.note(task, "read", task.scheduler.name_of(self))
        return False

    def _acquire_atomically(self, task: Task, blocking: bool) -> bool:
        if self._real.acquire(False):
            self.owner = task
            return True
        if blocking and task.scheduler.stop is None:
            task.scheduler.escape(task, f"waits for a {type(self).__name__} where it cannot let others go on")
        return blocking  # a task that is being ended takes what it wants, so that it ends

    def release(self) -> None:
        """Let the lock go; as ``threading.Lock.release``."""
        task = running_task()
        if task is None and self.owner is not None and self.owner.scheduler.is_intruded(self):
            self._real.release()
            return
        if task is not None and not task.atomic and self.owner is not None:
            scheduler = task.scheduler
            self._declare(task, "release")
            scheduler.point(task)
            if scheduler.recorder is not None:
                scheduler.note(task, "release", scheduler.name_of(self))
        self._let_go()

    def _let_go(self) -> None:
        owner, self.owner = self.owner, None
        if owner is not None:
            if self in owner.held:
                owner.held.remove(self)
            if owner.scheduler.watch is not None:
                owner.scheduler.watch.publish(owner, self)
        self._real.release()
        for contender in self._contenders:
            contender.scheduler.make_ready(contender)

    def locked(self) -> bool:
        """Return whether some task or thread holds the lock."""
        task = running_task()
        if task is not None and not task.atomic:
            self._declare(task, "locked")
            task.scheduler.point(task)
            task.scheduler.note(task, "read", task.scheduler.name_of(self))
        return self._is_really_locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        state = "unlocked" if self.owner is None and not self._is_really_locked() else "locked"
        return f"<{state} {type(self).__module__}.{type(self).__qualname__} object at {id(self):#x}>"

    def _is_really_locked(self) -> bool:
        if self._real.acquire(False):
            self._real.release()
            return False
        return True

    # What threading.Condition asks of a lock: it could do without, but pays three exceptions to learn that

    def _release_save(self) -> object:
        self.release()
        return None

    def _acquire_restore(self, saved: Any) -> None:  # noqa: ARG002 - what the method above gave
        self.acquire()

    def _is_owned(self) -> bool:
        return self._is_really_locked()

    def _at_fork_reinit(self) -> None:
        self._real = _allocate_lock()
        self.owner = None


class RLock(Lock):
    """Shadow of a ``threading.RLock``. Thread-safe; outside a world it is the real lock."""

    __slots__ = ("_count",)

    def __init__(self, real: RealLock) -> None:
        super().__init__(real)
        self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock, or once more if the task holds it; as ``threading.RLock.acquire``."""
        task = running_task()
        if task is not None and self.owner is task:
            self._count += 1
            return True
        if not super().acquire(blocking, timeout):
            return False
        self._count = 1
        return True

    def release(self) -> None:
        """Let the lock go once; as ``threading.RLock.release``."""
        task = running_task()
        if task is None:
            self._real.release()
            return
        if self.owner is not task and not task.atomic:
            raise RuntimeError("cannot release un-acquired lock")
        if self._count > 1:
            self._count -= 1
            return
        super().release()
        self._count = 0

    __enter__ = acquire

    # What threading.Condition asks of a re-entrant lock

    def _is_owned(self) -> bool:
        task = running_task()
        if task is not None:
            return self.owner is task
        return bool(self._real._is_owned())  # type: ignore[attr-defined]  # the real RLock has it

    def _recursion_count(self) -> int:
        return self._count if self._is_owned() else 0

    def _release_save(self) -> int:
        count, self._count = self._count, 1
        self.release()
        return count

    def _acquire_restore(self, count: int) -> None:
        self.acquire()
        self._count = count


def lock_factory() -> Lock | RealLock:
    """Stand in for ``threading.Lock``: a shadow of a new real lock inside a task, the real lock elsewhere."""
    task = current_task()
    if task is None:
        return _allocate_lock()
    lock = Lock(_allocate_lock())
    return lock if task.scheduler.recorder is None else _made(lock)


def rlock_factory() -> RLock | RealLock:
    """Stand in for ``threading.RLock``."""
    task = current_task()
    if task is None:
        return _allocate_rlock()
    lock = RLock(_allocate_rlock())
    return lock if task.scheduler.recorder is None else _made(lock)


class _LockClass(type):
    """Makes a class of the factory, for Pythons where ``threading.Lock`` is one (3.13 and later)."""

    def __call__(cls) -> Lock | RealLock:
        return lock_factory()

    def __instancecheck__(cls, instance: object) -> bool:
        return type(instance) in (Lock, REAL_LOCK_TYPES[0])


class LockClass(metaclass=_LockClass):
    """Stands in for ``threading.Lock`` where it is a class; like that, it has no subclasses."""

    def __init_subclass__(cls) -> None:
        raise TypeError("type '_thread.lock' is not an acceptable base type")


def lock_replacement() -> Callable[[], Lock | RealLock]:
    """Return what stands in for ``threading.Lock``: a class where the real one is a class."""
    is_class = isinstance(threading.Lock, type)
    return LockClass if is_class else lock_factory  # type: ignore[return-value]  # calling the class makes locks


def _made(lock: _L) -> _L:
    lock.made = call_site()[:2]
    return lock
