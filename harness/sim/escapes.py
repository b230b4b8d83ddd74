"""Ways out of the controlled world: calls that block or start something which no scheduler of ours can see.

A task that is about to make such a call ends the execution, and the exploration says which call and from what line,
instead of hanging or passing in silence. What is not listed here and waits nevertheless is left to the watchdog.
"""

from __future__ import annotations

import _posixsubprocess
import _thread
import builtins
import fcntl
import io
import os
import platform
import select
import signal
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from harness.sim.task import current_task

__all__ = ["escapes", "guard", "instead_of"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_waitid = getattr(os, "waitid", None)  # not on every system

# (owner, its attributes, how the owner is called in messages)
_CALLS: tuple[tuple[object, str, str], ...] = (
    (_thread, "start_joinable_thread interrupt_main", "_thread"),
    (threading, "_start_joinable_thread", "threading"),
    (os, "fork forkpty system posix_spawn posix_spawnp", "os"),
    (os, "execv execve wait waitid kill killpg", "os"),
    (_posixsubprocess, "fork_exec", "_posixsubprocess"),
    (select, "epoll", "select"),
    (signal, "signal alarm setitimer pause sigwait sigwaitinfo sigtimedwait", "signal"),
    (signal, "raise_signal pthread_kill", "signal"),
    (socket.socket, "connect connect_ex accept recv recvfrom recv_into recvfrom_into recvmsg", "socket"),
    (socket.socket, "send sendall sendto sendmsg sendfile", "socket"),
    (socket, "getnameinfo", "socket"),
)


# What to do instead, where that is not to leave the call out.
_NO_PROCESS = "let a function of the program stand in for the process"
_NO_HANDLER = "leave signals out, or run the server that asks for them in a thread of its own, where it does not"
_OWN_LOOP = "make what belongs to a loop, queues and futures for instance, in the program"
_INSTEAD = {
    "signal.signal": _NO_HANDLER,
    "loop.add_signal_handler": _NO_HANDLER,
    "subprocess.Popen": _NO_PROCESS,
    "loop.subprocess_exec": _NO_PROCESS,
    "loop.subprocess_shell": _NO_PROCESS,
    **dict.fromkeys(("loop.create_unix_connection", "loop.create_unix_server"), "use TCP on 127.0.0.1"),
}


def instead_of(name: str) -> str:
    """Return what to do instead of a call that leads out, empty where there is nothing but to leave it out."""
    return _OWN_LOOP if name.endswith(" of a real event loop") else _INSTEAD.get(name, "")


def escapes() -> Iterator[tuple[object, str, Callable[..., object]]]:
    """Yield owner, name and replacement of everything that leads out."""
    for owner, names, title in _CALLS:
        for name in names.split():
            if hasattr(owner, name):
                yield owner, name, guard(getattr(owner, name), f"{title}.{name.lstrip('_')}")
    yield subprocess.Popen, "__init__", guard(subprocess.Popen.__init__, "subprocess.Popen")
    for name in ("waitpid", "wait3", "wait4"):
        yield os, name, guard(getattr(os, name), f"os.{name}", _hears_of_a_process)
    for name in ("read", "readv", "write"):
        yield os, name, guard(getattr(os, name), f"os.{name}", _may_wait)
    for owner, name, title in ((builtins, "open", "open"), (io, "open", "open"), (os, "open", "os.open")):
        yield owner, name, guard(getattr(owner, name), title, _names_a_pipe)
    # It asks the system what it runs on, and keeps the answer, which is the same in each execution.
    yield platform._Processor, "from_subprocess", staticmethod(_out_of_sight(platform._Processor.from_subprocess))  # type: ignore[attr-defined]
    for name in ("flock", "lockf"):
        yield fcntl, name, _trying_first(getattr(fcntl, name), f"fcntl.{name}")


def guard(real: Callable[_P, _R], name: str, is_escape: Callable[..., bool] | None = None) -> Callable[_P, _R]:
    """Return a function that ends the execution when a task calls it, and is the real one everywhere else.

    Args:
        real: What it stands in for.
        name: How to call it in the message.
        is_escape: Tells by the arguments whether a call leads out; all do if left out.
    """

    @wraps(real)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        task = current_task()
        if task is not None and (is_escape is None or is_escape(*args, **kwargs)):
            task.scheduler.escape(task, f"calls {name}, which leaves the controlled world", instead_of(name))
        return real(*args, **kwargs)

    return guarded


def _out_of_sight(real: Callable[[], _R]) -> Callable[[], _R]:
    """Return a function that runs as if there were no world."""

    @wraps(real)
    def run() -> _R:
        task = current_task()
        if task is None:
            return real()
        task.atomic += 1
        try:
            return real()
        finally:
            task.atomic -= 1

    return run


def _trying_first(real: Callable[..., object], name: str) -> Callable[..., object]:
    """Return a way to lock a file that ends the execution where a task would have to wait."""

    @wraps(real)
    def lock(file: Any, operation: int, *args: Any) -> object:
        task = current_task()
        if task is None or operation & (fcntl.LOCK_NB | fcntl.LOCK_UN):
            return real(file, operation, *args)
        with suppress(BlockingIOError):
            return real(file, operation | fcntl.LOCK_NB, *args)
        task.scheduler.escape(task, f"waits in {name} for a file that is locked")
        return None

    return lock


def _hears_of_a_process(*args: int) -> bool:
    """Return whether a call, its options last, may wait for a child or be told of one that has ended."""
    if not args[-1] & os.WNOHANG or _waitid is None:
        return True
    with suppress(ChildProcessError):
        return _waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return False


def _may_wait(descriptor: int, *_: object) -> bool:
    """Return whether reading or writing may wait for another process or a person."""
    with suppress(OSError):
        mode = os.fstat(descriptor).st_mode
        is_terminal = stat.S_ISCHR(mode) and os.isatty(descriptor)
        return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or is_terminal
    return False


def _names_a_pipe(file: Any, *_: object, **__: object) -> bool:
    """Return whether opening a file may wait for its other end."""
    with suppress(OSError, TypeError, ValueError):
        return stat.S_ISFIFO(os.stat(file).st_mode)
    return False
