"""Ways out of the controlled world: calls that block or start something which no scheduler of ours can see.

A task that is about to make such a call ends the execution, and the exploration says which call and from what line,
instead of hanging or passing in silence.
"""

from __future__ import annotations

import _thread
import os
import select
import socket
import subprocess
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from harness.sim.task import current_task

__all__ = ["ESCAPES", "guard"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

# (owner, attribute, how it is called in messages)
_CANDIDATES: tuple[tuple[object, str, str], ...] = (
    (_thread, "start_joinable_thread", "_thread.start_joinable_thread"),
    (threading, "_start_joinable_thread", "_thread.start_joinable_thread"),
    (os, "fork", "os.fork"),
    (os, "forkpty", "os.forkpty"),
    (os, "system", "os.system"),
    (select, "epoll", "select.epoll"),
    (socket.socket, "connect", "socket.connect"),
    (socket.socket, "accept", "socket.accept"),
    (socket.socket, "recv", "socket.recv"),
    (socket.socket, "recvfrom", "socket.recvfrom"),
    (socket.socket, "recv_into", "socket.recv_into"),
    (socket.socket, "sendall", "socket.sendall"),
    (socket.socket, "send", "socket.send"),
    (socket, "socketpair", "socket.socketpair"),
    (socket, "getnameinfo", "socket.getnameinfo"),
    (socket, "gethostbyaddr", "socket.gethostbyaddr"),
    (subprocess.Popen, "__init__", "subprocess.Popen"),
)
ESCAPES = tuple(candidate for candidate in _CANDIDATES if hasattr(candidate[0], candidate[1]))


def guard(real: Callable[_P, _R], name: str) -> Callable[_P, _R]:
    """Return a function that ends the execution when a task calls it, and is the real one everywhere else."""

    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        task = current_task()
        if task is not None:
            task.scheduler.escape(task, f"calls {name}, which leaves the controlled world")
        return real(*args, **kwargs)

    return guarded
