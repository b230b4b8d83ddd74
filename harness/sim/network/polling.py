"""``select.select``, ``select.poll`` and the selectors made of them, over sockets in memory, inside a task."""

from __future__ import annotations

import select
import selectors
from collections.abc import Callable, Iterable
from typing import Any, final

from harness.sim.network.link import link_of
from harness.sim.network.selector import events_of
from harness.sim.network.sim_socket import SimSocket
from harness.sim.task import Task, current_task

__all__ = ["epoll", "poll", "select_sockets"]

_real_select = select.select
_real_poll = select.poll
_real_epoll: Any = getattr(select, "epoll", None)


def select_sockets(
    readers: Iterable[Any], writers: Iterable[Any], others: Iterable[Any], timeout: float | None = None, /
) -> tuple[list[Any], list[Any], list[Any]]:
    """Wait for sockets; as ``select.select``."""
    task = current_task()
    if task is None:
        return _real_select(readers, writers, others, timeout)
    wanted = [(item, selectors.EVENT_READ) for item in readers] + [(item, selectors.EVENT_WRITE) for item in writers]
    watched = [(_socket(task, item, "select.select"), item, events) for item, events in wanted]
    _wait(task, [(socket, events) for socket, _, events in watched], timeout)
    found = [(item, events) for socket, item, events in watched if events_of(socket, events)]
    return [i for i, e in found if e == selectors.EVENT_READ], [i for i, e in found if e == selectors.EVENT_WRITE], []


def poll() -> Any:
    """Make what ``select.poll`` makes; over sockets in memory inside a task."""
    task = current_task()
    return _real_poll() if task is None else _Poll(task)


def epoll() -> Any:
    """Make what an ``EpollSelector`` asks; over sockets in memory inside a task."""
    task = current_task()
    return _real_epoll() if task is None else _Epoll(task)


class _Poll:
    """Stands in for a poll object. Confined."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._watched: dict[int, tuple[SimSocket, int]] = {}

    def register(self, item: Any, events: int = select.POLLIN | select.POLLOUT) -> None:
        socket = _socket(self._task, item, "select.poll")
        reading = selectors.EVENT_READ if events & select.POLLIN else 0
        writing = selectors.EVENT_WRITE if events & select.POLLOUT else 0
        self._watched[socket.fd] = socket, reading | writing

    modify = register

    def unregister(self, item: Any) -> None:
        del self._watched[item if isinstance(item, int) else item.fileno()]

    def poll(self, timeout_ms: float | None = None) -> list[tuple[int, int]]:
        forever = timeout_ms is None or timeout_ms < 0
        _wait(self._task, list(self._watched.values()), None if forever else timeout_ms / 1000)  # type: ignore[operator]
        found = [(fd, events_of(socket, wanted)) for fd, (socket, wanted) in self._watched.items()]
        flags = {0: 0, 1: select.POLLIN, 2: select.POLLOUT, 3: select.POLLIN | select.POLLOUT}
        return [(fd, flags[events]) for fd, events in found if events]


@final
class _Epoll(_Poll):
    """Stands in for an epoll object: in seconds, and to be closed. Confined."""

    def poll(self, timeout_s: float | None = None, most: int = -1) -> list[tuple[int, int]]:
        found = super().poll(None if timeout_s is None else timeout_s * 1000)
        return found if most < 0 else found[:most]

    def close(self) -> None:
        self._watched.clear()


def _socket(task: Task, item: Any, call: str) -> SimSocket:
    fd = item if isinstance(item, int) else item.fileno()
    found = link_of(task).sockets.get(fd)
    if found is None:
        task.scheduler.escape(task, f"calls {call}, which leaves the controlled world")
        raise AssertionError("an escape ends the execution")
    return found


def _wait(task: Task, watched: list[tuple[SimSocket, int]], timeout_s: float | None) -> None:
    """Block the task until one of the sockets has a wanted event, for at most so many simulated seconds."""
    scheduler = task.scheduler
    if scheduler.tracker is not None:
        scheduler.tracker.primitive(task, link_of(task), "select")
    scheduler.point(task)

    def is_over() -> bool:
        return any(events_of(socket, events) for socket, events in watched)

    wake: Callable[[], None] = lambda: scheduler.make_ready(task)  # noqa: E731 - short
    deadline_s = None if timeout_s is None else scheduler.clock.now_s + timeout_s
    for socket, _ in watched:
        socket.watchers.append(wake)
    try:
        while not is_over():
            left_s = None if deadline_s is None else deadline_s - scheduler.clock.now_s
            if left_s is not None and left_s <= 0:
                return
            scheduler.unready(task)
            if not scheduler.wait(task, "events of sockets", left_s, wake):
                return
    finally:
        for socket, _ in watched:
            socket.watchers.remove(wake)
