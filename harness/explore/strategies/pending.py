"""What each task is about to do, for strategies that decide by it.

Objects are compared by ``id``: those of pending operations are alive, their tasks hold them. Who keeps more than what
is pending has them numbered. What a step is about to touch is kept coarsely: operations of one primitive always
conflict, and a call that nobody knows the effect of writes all it can reach. Taking too much for a conflict costs these
strategies a random draw, never a missed failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from harness.instrument import Site
from harness.sim import NO_KEY, Clock, Numbering, Task

__all__ = ["Pending", "Touch", "is_conflict"]

_SIMPLE_KEYS = frozenset({str, int, bytes, bool, type(None)})


class Touch(NamedTuple):
    """One thing that a step touches.

    Attributes:
        where: Object (by ``id``, or its number), or digest of the module and name of a variable.
        key: Attribute or plain key; ``None`` for the whole object.
        writes: Whether it may change it.
        label: What tells this place in the program from others, the same in every execution.
    """

    where: object
    key: object
    writes: bool
    label: object


def is_conflict(some: Sequence[Touch], others: Sequence[Touch]) -> bool:
    """Return whether two steps touch the same thing and one of them may change it."""
    return any(
        one.where == other.where
        and (one.writes or other.writes)
        and (one.key is None or other.key is None or one.key == other.key)
        for one in some
        for other in others
    )


class Pending:
    """A tracker that keeps what the next step of each task touches. Confined; `forget` before each execution.

    Args:
        numbers: What numbers objects, for who keeps more than what is pending.

    Attributes:
        touches: By number of the task; the clock's timers, and tasks that have not begun, touch nothing.
    """

    def __init__(self, numbers: Numbering | None = None) -> None:
        self.touches: dict[int, list[Touch]] = {}
        self._last: Sequence[Touch] = ()  # of the step that is being made
        self._numbers = numbers
        self._place: Callable[[object], int] = id if numbers is None else numbers.number

    def forget(self) -> None:
        """Forget the last execution."""
        self.touches.clear()
        self._last = ()
        if self._numbers is not None:
            self._numbers.clear()

    def access(self, task: Task, obj: object, site: Site, key: object, operation: str) -> None:
        """See `Tracker.access`."""
        where: object = (site.digest, site.name) if obj is None else self._place(obj)
        name = site.name if key is NO_KEY else key if type(key) in _SIMPLE_KEYS else None
        self._add(task, Touch(where, name, operation != "read", id(site)))

    def primitive(
        self,
        task: Task,
        obj: object,
        name: str,
        args: Sequence[object] = (),  # noqa: ARG002 - interface
        kwargs: Mapping[str, object] | None = None,  # noqa: ARG002 - interface
    ) -> None:
        """See `Tracker.primitive`."""
        self._add(task, Touch(self._place(obj), None, writes=True, label=(type(obj).__name__, name)))

    def opaque(self, task: Task, function: object, reached: Sequence[object], site: Site) -> None:  # noqa: ARG002
        """See `Tracker.opaque`."""
        for obj in reached:
            self._add(task, Touch(self._place(obj), None, writes=True, label=id(site)))

    def _add(self, task: Task, touch: Touch) -> None:
        self.touches.setdefault(task.number, []).append(touch)

    def step(self, candidate: Task | Clock) -> None:
        """See `Tracker.step`."""
        self._last = self.touches.pop(candidate.number, ())

    def block(self, task: Task) -> None:
        """See `Tracker.block`: the next step goes on with what this one began."""
        self.touches[task.number] = list(self._last)

    def wake(self, task: Task) -> None:
        """See `Tracker.wake`."""

    def edge(self, source: Task | Clock, target: Task) -> None:
        """See `Tracker.edge`."""

    def start(self, task: Task, child: Task) -> None:
        """See `Tracker.start`."""

    def take_number(self, task: Task) -> None:
        """See `Tracker.take_number`."""

    def take_task_number(self, task: Task) -> None:
        """See `Tracker.take_task_number`."""

    def tell_task_name(self) -> None:
        """See `Tracker.tell_task_name`."""

    def end(self, task: Task) -> None:
        """See `Tracker.end`."""
