"""The selector that asyncio's loop asks for events: over sockets in memory, waiting is left to the scheduler."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Mapping
from typing import Any, Protocol, final

from harness.sim.network.link import Link, link_of
from harness.sim.network.sim_socket import SimSocket
from harness.sim.task import Task, current_task

__all__ = ["Selector", "events_of"]


class Waiting(Protocol):
    """Whoever waits for events."""

    def idle(self, timeout_s: float | None, has_events: bool, /) -> None:
        """Wait for events, or go on at once if there are some."""

    def wake(self) -> None:
        """Go on, if it waits."""


def events_of(socket: SimSocket, wanted: int) -> int:
    """Return which of the wanted events a socket has."""
    readable = selectors.EVENT_READ if wanted & selectors.EVENT_READ and socket.is_readable else 0
    writable = selectors.EVENT_WRITE if wanted & selectors.EVENT_WRITE and socket.is_writable else 0
    return readable | writable


@final
class Selector(selectors.BaseSelector):
    """Events of the sockets of one loop, first come first. Confined to the loop.

    Args:
        maker: Task that makes it.
        owner: Gives who waits and is woken, ``None`` once that is no more.

    Attributes:
        keys: What is watched, by file descriptor.
    """

    def __init__(self, maker: Task, owner: Callable[[], Waiting | None]) -> None:
        self._maker, self._owner = maker, owner
        self.keys: dict[int, selectors.SelectorKey] = {}
        self._sockets: dict[int, SimSocket] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch a socket."""
        fd = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        if fd in self.keys:
            raise KeyError(f"{fileobj!r} is already registered")
        socket = self._link.sockets.get(fd)
        if socket is None:
            task = current_task()
            if task is not None:
                task.scheduler.escape(task, f"watches file descriptor {fd}, which leaves the controlled world")
            raise ValueError(f"a socket of the world is wanted, {fileobj!r} is none")
        socket.watchers.append(self._wake)
        self._sockets[fd] = socket
        key = self.keys[fd] = selectors.SelectorKey(fileobj, fd, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Watch a socket no longer."""
        fd = self._fd(fileobj)
        self._sockets.pop(fd).watchers.remove(self._wake)
        return self.keys.pop(fd)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch a socket for other events."""
        key = self.keys[self._fd(fileobj)]._replace(events=events, data=data)
        self.keys[key.fd] = key
        return key

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        """Return what is known of a socket."""
        return self.keys[self._fd(fileobj)]

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return what is watched, by file descriptor."""
        return self.keys

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the events there are; without any, wait for so many simulated seconds."""
        found = self._events() if self.keys else []
        owner = self._owner()
        assert owner is not None
        owner.idle(timeout, bool(found))
        return found or (self._events() if self.keys else [])

    def has_events(self) -> bool:
        """Return whether there are events."""
        return bool(self.keys) and bool(self._events())

    def close(self) -> None:
        """Watch nothing."""
        for fd in list(self.keys):
            self.unregister(fd)

    def _wake(self) -> None:
        owner = self._owner()
        if owner is not None and self._events():
            owner.wake()

    def _events(self) -> list[tuple[selectors.SelectorKey, int]]:
        found = [(key, events_of(self._sockets[fd], key.events)) for fd, key in self.keys.items()]
        ready = [(key, mask) for key, mask in found if mask]
        return sorted(ready, key=lambda event: self._sockets[event[0].fd].changed) if len(ready) > 1 else ready

    def _fd(self, fileobj: Any) -> int:
        if isinstance(fileobj, int):
            return fileobj
        fd: int = fileobj.fileno()
        if fd >= 0:
            return fd
        return next((known for known, key in self.keys.items() if key.fileobj is fileobj), fd)

    @property
    def _link(self) -> Link:
        return link_of(self._maker)
