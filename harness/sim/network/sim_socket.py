"""A stream socket over the network in memory, with the face of ``socket.socket``.

Blocking operations block the task, others raise ``BlockingIOError`` as the real ones do. Each is one scheduling point.
What differs from TCP: buffers have one size, out-of-band data and options do nothing.
"""

from __future__ import annotations

import errno
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NoReturn, final

from harness.sim.errors import TaskExit
from harness.sim.network.link import CAPACITY, Link, link_of_running
from harness.sim.network.resolving import require_loopback
from harness.sim.task import Task

__all__ = ["SimSocket"]


@final
class SimSocket(socket.socket):
    """One end of a connection, or a listener. Thread-safe as sockets are."""

    # Of the real ones these are read from the system.
    family: Any = socket.AF_INET
    type: Any = socket.SOCK_STREAM
    proto: Any = 0

    def __init__(
        self,
        family: int = -1,
        type: int = -1,  # noqa: A002 - the name it has there
        proto: int = -1,
        fileno: int | None = None,  # noqa: ARG002 - refused before
        *,
        link: Link | None = None,
    ) -> None:
        self.family = socket.AF_INET if family == -1 else socket.AddressFamily(family)
        self.type = socket.SOCK_STREAM if type == -1 else socket.SocketKind(type)
        self._io_refs, self._closed = 0, False  # what closing asks of the real ones
        self.proto = max(proto, 0) or socket.IPPROTO_TCP
        self.link = link_of_running() if link is None else link
        self.fd = self.link.attach(self)
        self.watchers: list[Callable[[], None]] = []  # called when it has become readable or writable
        self.changed = 0  # when, by the count of the link
        self.peer: SimSocket | None = None
        self.backlog: deque[SimSocket] | None = None  # of a listener: connections to be accepted
        self.local: tuple[Any, ...] = ("0.0.0.0", 0)  # noqa: S104 - as unbound sockets say
        self.remote: tuple[Any, ...] | None = None
        self.received = bytearray()
        self.underway = 0  # bytes sent to it that have not arrived
        self.is_at_end = False  # the other side sends no more
        self.is_connecting = self.is_shut = self.is_gone = False
        self.error: OSError | None = None  # to be raised by the next operation
        self._timeout_s: float | None = None
        self._sent = 0
        self._last_s = 0.0  # when what was sent last arrives

    # What selectors ask

    @property
    def is_readable(self) -> bool:
        """Whether ``recv`` or ``accept`` would not wait."""
        return bool(self.received or self.backlog) or self.is_at_end or self.error is not None

    @property
    def is_writable(self) -> bool:
        """Whether ``send`` would not wait, or a connection has been made or refused."""
        if self.error is not None:
            return True
        return self.remote is not None and (self.peer is None or self._space() > 0)

    def changes(self) -> None:
        """Tell whoever watches that the socket has become readable or writable."""
        self.link.changes += 1
        self.changed = self.link.changes
        for watcher in list(self.watchers):
            watcher()

    # Setting up

    def bind(self, address: Any, /) -> None:
        """Take a loopback address; port 0 stands for any free one."""
        port = require_loopback(address, "binds")
        self.link.operate(self, "bind")
        if port in self.link.listeners:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        self.local = (address[0] or "0.0.0.0", port or self.link.free_port(), *address[2:])  # noqa: S104

    def listen(self, backlog: int = 128, /) -> None:  # noqa: ARG002 - nobody is turned away
        """Let others connect."""
        self.link.operate(self, "listen")
        if not self.local[1]:
            self.bind(self.local)
        self.backlog = self.backlog if self.backlog is not None else deque()
        self.link.listeners[self.local[1]] = self

    def accept(self) -> tuple[socket.socket, Any]:
        """Return a connection and where it comes from."""
        self._operate("accept", lambda: bool(self.backlog))
        if not self.backlog:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        taken = self.backlog.popleft()
        return taken, taken.remote

    def connect(self, address: Any, /) -> None:
        """Connect to a listener on loopback."""
        port = require_loopback(address, "connects to")
        task = self.link.operate(self, "connect")
        if self.remote is not None:
            raise OSError(errno.EISCONN, os.strerror(errno.EISCONN))
        if not self.is_connecting:
            self.is_connecting = True
            self._last_s = self.link.arrange(0.0, lambda: self._reach(address, port))
        if self._timeout_s == 0:
            raise BlockingIOError(errno.EINPROGRESS, os.strerror(errno.EINPROGRESS))
        self._wait(task, "connect", lambda: not self.is_connecting)
        self._raise_error()

    def connect_ex(self, address: Any, /) -> int:
        """Connect, and return the error's number, 0 for none."""
        try:
            self.connect(address)
        except OSError as error:
            if error.errno is None:
                raise
            return error.errno
        return 0

    def _reach(self, address: Any, port: int) -> None:
        """Arrive at the listener."""
        self.is_connecting = False
        if self.is_gone:
            return
        listener = self.link.listeners.get(port)
        if listener is None or listener.backlog is None or port in self.link.shape.refused_ports:
            self.error = ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        else:
            listener.backlog.append(self.join((address[0] if address[0] != "localhost" else "127.0.0.1", *address[1:])))
            listener.changes()
        self.changes()

    def join(self, address: tuple[Any, ...]) -> SimSocket:
        """Return the other end, at an address, of a connection made with this one."""
        other = SimSocket(self.family, self.type, self.proto, link=self.link)
        self.remote = address
        if not self.local[1]:
            self.local = (address[0], self.link.free_port(), *address[2:])
        self.peer, other.peer = other, self
        other.local, other.remote = self.remote, self.local
        return other

    # Sending

    def send(self, data: Any, flags: int = 0, /) -> int:  # noqa: ARG002 - there is nothing to flag
        """Send what fits, at least a byte; return how much that was."""
        self._operate("send", lambda: self._space() > 0 or self.is_shut or self.peer is None or self.peer.is_gone)
        if self.remote is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        if self.is_shut or self.peer is None:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        with memoryview(data) as given, given.cast("B") as view:  # an error's traceback must not hold the buffer
            piece = bytes(view[: max(self._space(), 1)])
        self._dispatch(piece)
        return len(piece)

    def sendall(self, data: Any, flags: int = 0, /) -> None:  # noqa: ARG002
        """Send everything."""
        with memoryview(data) as given, given.cast("B") as view:
            sent = 0
            while sent < len(view):
                with view[sent:] as rest:
                    sent += self.send(rest)

    def sendmsg(self, buffers: Iterable[Any], *ancillary: Any) -> int:  # noqa: ARG002
        """Send what fits of several buffers."""
        return self.send(b"".join(map(bytes, buffers)))

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send what is in a file; return how many bytes."""
        file.seek(offset)
        sent: int = self._sendfile_use_send(file, offset, count)  # type: ignore[attr-defined]  # for what has no descriptor
        return sent

    def _dispatch(self, data: bytes) -> None:
        shape, peer = self.link.shape, self.peer
        assert peer is not None
        for start in range(0, len(data), shape.largest_piece):
            piece = data[start : start + shape.largest_piece]
            self._sent += len(piece)
            if shape.reset_after is not None and self._sent > shape.reset_after:
                self._last_s = self.link.arrange(self._last_s, self._break)
                return
            peer.underway += len(piece)
            self._last_s = self.link.arrange(self._last_s, partial(peer._arrive, piece))

    def _arrive(self, piece: bytes) -> None:
        self.underway -= len(piece)
        if self.is_gone:
            if self.peer is not None:
                self.peer.reset()
            return
        self.received += piece
        self.changes()

    def _break(self) -> None:
        for side in (self.peer, self):
            if side is not None:
                side.reset()

    def reset(self) -> None:
        """Let the connection be reset, as seen from this side."""
        self.error = ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        self.is_at_end = True
        self.peer = None
        self.changes()

    def _space(self) -> int:
        return 0 if self.peer is None else CAPACITY - self.peer.underway - len(self.peer.received)

    # Receiving

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Return what has arrived, at most so many bytes; nothing at the end."""
        self._operate("recv", lambda: bool(self.received) or self.is_at_end)
        if self.remote is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        data = bytes(self.received[:size])
        if not flags & socket.MSG_PEEK:
            was_full = self.peer is not None and self.peer._space() <= 0
            del self.received[:size]
            if was_full and self.peer is not None:
                self.peer.changes()
        return data

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        """Receive into a buffer; return how many bytes."""
        with memoryview(buffer) as given, given.cast("B") as view:
            data = self.recv(size or len(view), flags)
            view[: len(data)] = data
        return len(data)

    def recvfrom(self, size: int, flags: int = 0, /) -> tuple[bytes, Any]:
        """Return what has arrived, and where it comes from."""
        return self.recv(size, flags), self.remote

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """Receive into a buffer; return how many bytes, and where they come from."""
        return self.recv_into(buffer, nbytes, flags), self.remote

    def recvmsg(self, size: int, ancillary_size: int = 0, flags: int = 0, /) -> tuple[bytes, list[Any], int, Any]:  # noqa: ARG002
        """Return what has arrived, which nothing ancillary comes with, and where it comes from."""
        return self.recv(size, flags), [], 0, self.remote

    # Closing

    def shutdown(self, how: int, /) -> None:
        """Send no more."""
        self.link.operate(self, "shutdown")
        if self.remote is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        if how != socket.SHUT_RD:
            self._finish()

    def _finish(self) -> None:
        if not self.is_shut and self.peer is not None:
            self._last_s = self.link.arrange(self._last_s, self.peer._end)
        self.is_shut = True

    def _end(self) -> None:
        self.is_at_end = True
        self.changes()

    def _real_close(self, *_: object) -> None:
        if self.is_gone or self.link.is_over:
            return
        if self._timeout_s != 0:  # a loop closes its own between callbacks
            self.link.operate(self, "close")
        self.is_gone = True
        self.link.sockets.pop(self.fd, None)
        if self.link.listeners.get(self.local[1]) is self:
            del self.link.listeners[self.local[1]]
        for waiting in self.backlog or ():
            waiting.close()
        if self.received and self.peer is not None:
            self.link.arrange(self._last_s, self.peer.reset)  # as TCP does when data are thrown away unread
        else:
            self._finish()
        self.changes()

    def detach(self) -> int:
        """Refuse: there is no descriptor of the system's behind it."""
        self._refuse("detach")

    def dup(self) -> NoReturn:
        """Refuse: there is no descriptor of the system's behind it."""
        self._refuse("dup")

    # What it says of itself

    def fileno(self) -> int:
        """Return its number, which the system does not know."""
        return -1 if self.is_gone else self.fd

    def getsockname(self) -> Any:
        """Return its own address."""
        return self.local

    def getpeername(self) -> Any:
        """Return the address of the other side."""
        if self.remote is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self.remote

    def getsockopt(self, level: int, option: int, *size: int) -> Any:
        """Return the error of a connection, once, the kind of the socket, and 0 for all other options."""
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR):
            error, self.error = self.error, None
            return 0 if error is None else error.errno
        if (level, option) == (socket.SOL_SOCKET, socket.SO_TYPE):
            return int(self.type)
        return bytes(*size) if size else 0

    def setsockopt(self, *_: Any) -> None:
        """Do nothing."""

    def settimeout(self, timeout: float | None, /) -> None:
        """Set after how many simulated seconds operations give up; ``None`` for never, 0 for at once."""
        if timeout is not None and timeout < 0:
            raise ValueError("Timeout value out of range")
        self._timeout_s = None if timeout is None else float(timeout)

    def gettimeout(self) -> float | None:
        """Return after how many simulated seconds operations give up."""
        return self._timeout_s

    @property
    def timeout(self) -> float | None:
        """After how many simulated seconds operations give up."""
        return self._timeout_s

    def setblocking(self, flag: bool, /) -> None:
        """Let operations wait, or not."""
        self._timeout_s = None if flag else 0.0

    def getblocking(self) -> bool:
        """Return whether operations wait."""
        return self._timeout_s != 0

    def __repr__(self) -> str:
        return f"<socket {self.fd - 1_000_000} in memory, {self.local} to {self.remote}>"

    # Waiting

    def _operate(self, name: str, is_possible: Callable[[], bool]) -> None:
        task = self.link.operate(self, name)
        self._raise_error()
        if is_possible():
            return
        if self._timeout_s == 0:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        self._wait(task, name, is_possible)
        self._raise_error()

    def _wait(self, task: Task | None, name: str, is_possible: Callable[[], bool]) -> None:
        if task is None:
            raise TaskExit
        scheduler = self.link.scheduler
        deadline_s = None if self._timeout_s is None else scheduler.clock.now_s + self._timeout_s

        def wake() -> None:
            scheduler.make_ready(task)

        self.watchers.append(wake)
        try:
            while not (is_possible() or self.error is not None or self.is_gone):
                left_s = None if deadline_s is None else deadline_s - scheduler.clock.now_s
                scheduler.unready(task)
                is_in_time = scheduler.wait(task, f"{name} on {self!r}", left_s, wake)
                if not (is_in_time or is_possible() or self.error is not None):  # what came first counts
                    raise TimeoutError("timed out")
        finally:
            self.watchers.remove(wake)

    def _raise_error(self) -> None:
        if self.is_gone:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        error, self.error = self.error, None
        if error is not None:
            raise error

    def _refuse(self, name: str) -> NoReturn:
        task = self.link.scheduler.tasks[0]
        self.link.scheduler.escape(task, f"calls socket.{name}, which leaves the controlled world")
        raise AssertionError("an escape ends the execution")
