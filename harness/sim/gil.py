"""Where an interpreter with a GIL can switch threads by itself, watched while a task runs.

CPython looks whether it should switch at the entry of every Python function and the resumption of a generator, after a
call of a C function unless that is specialised, and at backward jumps; not between an instruction that reads and one
that writes. So between two accesses of a task another thread can come in only if one of these lies between them. What
cannot be seen for certain counts as no such place: what is found at these places can happen, what is not may still.

Source: the places of ``CHECK_EVAL_BREAKER`` in ``Python/bytecodes.c`` (3.12) and ``Python/ceval.c`` (3.11).
"""

from __future__ import annotations

import dis
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import BuiltinFunctionType, FrameType, FunctionType
from typing import TYPE_CHECKING, final

from harness.instrument import CONTAINERS, Site
from harness.sim.locks import Lock
from harness.sim.task import Task, running_task
from harness.sim.values import NO_KEY

if TYPE_CHECKING:
    from harness.sim.clock import Clock
    from harness.sim.scheduler import Candidate, Choose
    from harness.sim.world import Outcome, World

__all__ = ["GilWatch", "execute_under_gil"]

_OWN = tuple(str(Path(__file__).parents[1] / package) for package in ("explore", "instrument", "sim"))
_SPECIALISED = frozenset({len, isinstance})
_OURS = frozenset({"_operator", "itertools", "functools"})  # of the C functions that rewritten code calls
# A function run by one of these is part of an access that has its own scheduling point, which comes before it.
_ACCESSES = frozenset(dis.opmap[name] for name in ("BINARY_SUBSCR", "STORE_SUBSCR", "DELETE_SUBSCR", "CONTAINS_OP"))


def execute_under_gil(world: World, choose: Choose, *, record: bool = False) -> Outcome:
    """Run the program once, as `World.execute`, where a task that could go on is left only at such a place."""
    watch = GilWatch()
    with watch.profiling():
        return world.execute(watch.restricted(choose), record=record, tracker=watch)


@final
class GilWatch:
    """A tracker that knows of each task whether it could be left right before its next step. Confined.

    Use one per execution: ``with watch.profiling(): world.execute(watch.restricted(choose), tracker=watch)``.
    """

    def __init__(self) -> None:
        self._could: set[int] = set()  # tasks that passed such a place since their last step
        self._can: set[int] = set()  # tasks that can be left before the step they declared
        self._last: dict[int, tuple[int, int]] = {}  # frame and instruction of the last access
        self._inside: Counter[int] = Counter()  # how deep a task is in functions of ours that it called

    def restricted(self, choose: Choose) -> Choose:
        """Return choices that leave a task which could go on only at these places."""

        def chosen(candidates: Sequence[Candidate], current: Task | None) -> Candidate:
            if current is not None and current in candidates and current.number not in self._can:
                return current
            return choose(candidates, current)

        return chosen

    @contextmanager
    def profiling(self) -> Iterator[None]:
        """See the calls of this OS thread, in place of a profiler that may be set."""
        before = sys.getprofile()
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(before)

    def _profile(self, frame: FrameType, event: str, argument: object) -> None:
        task, caller = running_task(), frame.f_back
        if task is None or caller is None:
            return
        if _is_ours(frame):
            if event in ("call", "return") and not _is_ours(caller):
                self._inside[task.number] += 1 if event == "call" else -1
        elif task.atomic or self._inside[task.number] > 0:
            return
        elif event == "call":
            if caller.f_code.co_code[caller.f_lasti] not in _ACCESSES:
                self._could.add(task.number)
        elif event == "c_return" and _gives_way(argument):
            self._could.add(task.number)

    # Tracker

    def access(self, task: Task, obj: object, site: Site, key: object, operation: str) -> None:  # noqa: ARG002
        """Declare an access: reached by a way on which the interpreter could switch, or running a function itself."""
        frame = _frame_of(site.file)
        place = (id(frame), frame.f_lasti) if frame is not None else (0, 0)
        frame_before, instruction_before = self._last.get(task.number, (0, 0))
        jumped = place[0] == frame_before and place[1] <= instruction_before
        self._last[task.number] = place
        self._declare(task, jumped or _runs_python(obj, key))

    def primitive(
        self,
        task: Task,
        obj: object,
        name: str,
        args: Sequence[object] = (),  # noqa: ARG002 - the interface
        kwargs: Mapping[str, object] | None = None,  # noqa: ARG002 - the interface
    ) -> None:
        """Declare an operation: those of real locks are C functions, all others begin with a Python frame."""
        is_lock = isinstance(obj, Lock)
        self._declare(task, not is_lock)
        if not is_lock or name == "release":
            self._could.add(task.number)

    def opaque(self, task: Task, function: object, reached: Sequence[object], site: Site) -> None:  # noqa: ARG002
        """Declare a call of foreign code: a Python function begins with a frame."""
        self._declare(task, isinstance(function, FunctionType))

    def _declare(self, task: Task, itself: bool) -> None:
        """Note one of the declarations that add up to a step."""
        if itself or task.number in self._could:
            self._can.add(task.number)

    def step(self, candidate: Task | Clock) -> None:
        """Note that a step begins: what was passed before it says nothing of the next one."""
        self._can.discard(candidate.number)
        self._could.discard(candidate.number)

    def block(self, task: Task) -> None:
        """Note that the task waits: whoever waits has given way."""
        self._could.add(task.number)

    def wake(self, task: Task) -> None:
        """Nothing to note: the woken task has given way while it waited."""

    def edge(self, source: Task | Clock, target: Task) -> None:
        """Nothing to note."""

    def start(self, task: Task, child: Task) -> None:  # noqa: ARG002 - the interface
        """Note that a thread was started: who starts one waits until it runs."""
        self._could.add(task.number)

    def take_number(self, task: Task) -> None:
        """See `Tracker.take_number`."""

    def take_task_number(self, task: Task) -> None:
        """See `Tracker.take_task_number`."""

    def tell_task_name(self) -> None:
        """See `Tracker.tell_task_name`."""

    def end(self, task: Task) -> None:
        """Nothing to note."""


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_OWN)


def _gives_way(function: object) -> bool:
    """Return whether the interpreter looks for a switch after a call of a C function."""
    if not isinstance(function, BuiltinFunctionType) or function in _SPECIALISED:
        return False
    is_append = function.__name__ == "append" and type(function.__self__) is list
    return not is_append and function.__module__ not in _OURS


def _frame_of(file: str) -> FrameType | None:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename != file:
        frame = frame.f_back
    return frame


def _runs_python(obj: object, key: object) -> bool:
    """Return whether a look-up in a built-in container calls a hash function written in Python, before it looks."""
    if key is NO_KEY or type(obj) not in CONTAINERS:
        return False
    return isinstance(getattr(type(key), "__hash__", None), FunctionType)
