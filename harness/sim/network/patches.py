"""What stands in for parts of ``socket`` and ``select`` while a world exists."""

from __future__ import annotations

import _socket
import select
import selectors
import socket
from collections.abc import Iterator
from typing import Any

from harness.sim.network.link import link_of
from harness.sim.network.polling import epoll, poll, select_sockets
from harness.sim.network.resolving import getaddrinfo, gethostbyaddr, gethostbyname
from harness.sim.network.sim_socket import SimSocket
from harness.sim.task import current_task

__all__ = ["network_patches"]

_KINDS = (socket.AF_INET, socket.AF_INET6)
_real_socketpair = socket.socketpair


def network_patches() -> Iterator[tuple[object, str, object]]:
    """Yield owner, name and replacement of everything that is replaced."""
    yield socket.socket, "__new__", staticmethod(_new_socket)
    yield socket, "socketpair", _make_pair
    yield socket, "getaddrinfo", getaddrinfo
    yield socket, "gethostbyname", gethostbyname
    yield socket, "gethostbyaddr", gethostbyaddr
    yield select, "select", select_sockets
    if hasattr(select, "poll"):
        yield select, "poll", poll
        yield selectors.PollSelector, "_selector_cls", staticmethod(poll)
    if hasattr(selectors, "EpollSelector"):
        yield selectors.EpollSelector, "_selector_cls", staticmethod(epoll)
    if "_select" in vars(selectors.SelectSelector):
        yield selectors.SelectSelector, "_select", staticmethod(select_sockets)


def _new_socket(cls: type[socket.socket], *args: Any, **options: Any) -> socket.socket:
    """Make a socket in memory where a task wants a plain stream socket of its own; other kinds are refused."""
    task = current_task()
    if cls is SimSocket or task is None:
        return _socket.socket.__new__(cls)
    family, kind, _, fileno = _arguments(*args, **options)
    if fileno is not None and fileno in link_of(task).sockets:
        task.scheduler.escape(task, f"makes a {cls.__name__} of a socket in memory, which wants one of the system's")
    if cls is not socket.socket:
        return _socket.socket.__new__(cls)
    if family not in (-1, *_KINDS) or kind not in (-1, socket.SOCK_STREAM) or fileno is not None:
        what = "makes a socket that is no stream on loopback, which leaves the controlled world"
        task.scheduler.escape(task, what, "use TCP on 127.0.0.1")
    made: SimSocket = _socket.socket.__new__(SimSocket)
    return made


def _make_pair(*args: Any, **options: Any) -> tuple[socket.socket, socket.socket]:
    """Make two sockets that are connected; inside a task over loopback, as where there are no others."""
    task = current_task()
    if task is None:
        return _real_socketpair(*args, **options)
    one = socket.socket(socket.AF_INET, *args[1:2], **{name: options[name] for name in options if name == "type"})
    assert isinstance(one, SimSocket)
    return one, one.join(("127.0.0.1", one.link.free_port()))


def _arguments(family: int = -1, type: int = -1, proto: int = -1, fileno: Any = None) -> tuple[int, int, int, Any]:  # noqa: A002
    return family, type, proto, fileno
