"""The wire of one execution: ports, connections on their way, and when what was sent arrives.

Everything sent arrives after the latency, in order, as one piece or in several. An arrival is a deadline of the virtual
clock: it may come at any scheduling point after it was sent, before or after those of other connections only as the
latencies say. With several latencies to choose from, the exploration draws one for each piece.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final
from weakref import WeakValueDictionary

from harness.sim.task import Task, current_task, running_task

if TYPE_CHECKING:
    from harness.sim.network.sim_socket import SimSocket
    from harness.sim.scheduler import Scheduler

__all__ = ["CAPACITY", "Link", "link_of", "link_of_running", "shape_network"]

CAPACITY = 65_536  # bytes that one side of a connection holds before its sender has to wait
_FIRST_FD = 1_000_000  # beyond what the system gives
_FIRST_PORT = 49_152


@dataclass(frozen=True, slots=True)
class Shape:
    """How the network behaves. Immutable; `shape_network` says what each field means."""

    latencies_s: tuple[float, ...] = (0.001,)
    largest_piece: int = CAPACITY
    refused_ports: frozenset[int] = frozenset()
    reset_after: int | None = None


@final
class Link:
    """The network of one execution. Confined to its world."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.shape = Shape()
        self.listeners: dict[int, SimSocket] = {}  # by port
        self.sockets: WeakValueDictionary[int, SimSocket] = WeakValueDictionary()  # by file descriptor
        self.is_over = False  # whether the execution is: what is closed later is closed for nobody
        self.changes = 0  # how often a socket has become readable or writable
        self._fd, self._port = _FIRST_FD, _FIRST_PORT

    def attach(self, socket: SimSocket) -> int:
        """Return a file descriptor for a new socket."""
        self._fd += 1
        self.sockets[self._fd] = socket
        return self._fd

    def free_port(self) -> int:
        """Return a port that nobody uses."""
        self._port += 1
        return self._port

    def arrange(self, sent_s: float, act: Callable[[], None]) -> float:
        """Let something arrive after a latency, not before ``sent_s``; return when, in simulated seconds."""
        clock, latencies_s = self.scheduler.clock, self.shape.latencies_s
        task = current_task()
        drawn = 0 if task is None else self.scheduler.draw(task, latencies_s)
        due_s = max(clock.now_s + latencies_s[drawn], sent_s)
        clock.start(None, due_s - clock.now_s, act)
        return due_s

    def operate(self, socket: SimSocket, name: str) -> Task | None:
        """Pass the scheduling point before an operation on a socket; return the task, ``None`` if it is being ended."""
        task = running_task()
        if task is None or task.atomic:
            return None
        if self.scheduler.tracker is not None and not task.inside:
            self.scheduler.tracker.primitive(task, self, name)
        self.scheduler.point(task)
        if self.scheduler.recorder is not None:
            self.scheduler.note(task, "call", f"{self.scheduler.name_of(socket)}.{name}")
        return task


def link_of(task: Task) -> Link:
    """Return the network of the execution that a task belongs to."""
    scheduler = task.scheduler
    if scheduler.network is None:
        scheduler.network = Link(scheduler)
    link: Link = scheduler.network
    return link


def link_of_running() -> Link:
    """Return the network of the execution that runs."""
    task = running_task()
    assert task is not None
    return link_of(task)


def shape_network(
    *,
    latency_s: float | Sequence[float] = 0.001,
    largest_piece: int = CAPACITY,
    refused_ports: Collection[int] = (),
    reset_after: int | None = None,
) -> None:
    """Set how the network of the running execution behaves; without effect outside a world.

    Args:
        latency_s: Simulated seconds until what was sent arrives; of several the exploration draws one for each piece.
        largest_piece: Most bytes that arrive at once, at least 1; more is split, as a network may at any byte.
        refused_ports: Ports that refuse connections even if somebody listens.
        reset_after: Bytes sent on a connection in one direction after which it is reset; ``None`` for never.

    Raises:
        ValueError: a latency is negative, there is none, pieces are empty, or bytes are fewer than none.
        TypeError: a latency is no number, or ports are no collection of numbers.

    Example:
        >>> def program():
        ...     shape_network(largest_piece=1, latency_s=(0.001, 0.1))
    """
    latencies_s = (latency_s,) if isinstance(latency_s, (int, float)) else tuple(latency_s)
    if not all(isinstance(latency, (int, float)) for latency in latencies_s):
        raise TypeError(f"{latency_s=} is no number; pass seconds, or several to choose from")
    if not isinstance(refused_ports, Collection):
        raise TypeError(f"{refused_ports=} is no collection; pass [{refused_ports!r}]")
    if reset_after is not None and reset_after < 0:
        raise ValueError(f"{reset_after=} is below 0; pass a number of bytes, or None for never")
    if not latencies_s or min(latencies_s) < 0:
        raise ValueError(f"{latency_s=} is empty or negative; pass seconds, or several to choose from")
    if largest_piece < 1:
        raise ValueError(f"{largest_piece=} is below 1; pass a number of bytes")
    task = current_task()
    if task is not None:
        link_of(task).shape = Shape(latencies_s, largest_piece, frozenset(refused_ports), reset_after)
