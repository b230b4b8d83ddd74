"""What happened in an execution, event by event, and how the objects in it are named.

Objects are numbered by type in the order of their first appearance, never by ``id``, so that equal executions have
equal event lists in any process.
"""

from __future__ import annotations

import linecache
import sys
import sysconfig
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Literal, final

from harness.instrument import CONTAINERS, Site, effect_of
from harness.sim.async_tasks import AsyncTask, AsyncTasks
from harness.sim.living import Living, Reference
from harness.sim.place import shown_file
from harness.sim.values import LARGEST_KEY, NO_KEY, NO_VALUE, PLAIN, peek, shown_value, variable

if TYPE_CHECKING:
    from harness.sim.task import Task

__all__ = [
    "NO_KEY",
    "NO_VALUE",
    "Event",
    "EventKind",
    "LoopMade",
    "Recorder",
    "call_site",
    "call_stack",
    "calling_site",
    "is_library",
    "operation_on",
    "origin_of",
    "plain_key",
    "short_value",
    "shown_key",
]

EventKind = Literal[
    "read", "write", "call", "acquire", "release", "wait", "start", "join", "sleep", "clock", "draw", "end", "error"
]
_ON_PRIMITIVES = frozenset({"read", "call", "acquire", "release", "wait"})
_OURS = tuple(str(Path(__file__).parents[1] / name) for name in ("sim", "explore", "instrument"))
_STDLIB = sysconfig.get_path("stdlib")
_INSTALLED = ("/site-packages/", "/dist-packages/")


class _AtLine:
    """What stands at a line of a file, to be shown to people."""

    __slots__ = ()
    path: str
    line: int

    @property
    def file(self) -> str:
        """Name of the file as people read it, the same on every machine."""
        return shown_file(self.path)

    @property
    def source(self) -> str:
        """Text of the line, stripped; empty where the source is gone."""
        return linecache.getline(self.path, self.line).strip()


@dataclass(frozen=True, slots=True)
class Event(_AtLine):
    """One event of an execution.

    Attributes:
        step: Position in the execution, from 0.
        task: Number of the task; 1 runs the program, 0 is the clock.
        task_name: Its name.
        kind: What was done.
        target: What it was done to, such as ``Counter#1.n`` or ``dict#2['mail']``.
        path: File of the line that did it.
        line: That line, from 1; 0 where no line did it.
        function: Qualified name of the function around it.
        preempted: Whether control left the task right after this event although it could go on.
        owner: What is touched as a whole, such as ``Counter#1``; empty where nothing shared is.
        part: The attribute or key of it, such as ``n``; empty for the whole.
        value: What was read or written, if it is a plain value or a container, whose length it tells; else empty.
        via: Line of the program's own file that led to it, 0 where none did.
        depth: Frames between that line and the event's: 0 where it is the same.
        async_task: The asyncio task whose event it is, ``None`` where no coroutine did it.
        left_at: File and line of the await at which that task stood when the next one of its loop came in, if this is
            its last event before.
    """

    step: int
    task: int
    task_name: str
    kind: EventKind
    target: str
    path: str
    line: int
    function: str
    preempted: bool
    owner: str = ""
    part: str = ""
    value: str = ""
    via: int = 0
    depth: int = 0
    async_task: AsyncTask | None = None
    left_at: tuple[str, int] | None = None

    @property
    def actor(self) -> tuple[int, int]:
        """Who did it: number of the task, and of the asyncio task in it, 0 for none."""
        return self.task, 0 if self.async_task is None else self.async_task.number

    @property
    def actor_name(self) -> str:
        """Name of who did it: an asyncio task's with its coroutine, else the task's."""
        return self.task_name if self.async_task is None else str(self.async_task)


@dataclass(frozen=True, slots=True)
class LoopMade(_AtLine):
    """An event loop of an execution. Immutable.

    Attributes:
        number: Number of the loop, from 1.
        thread: Name of the thread that made it.
        path: File of the line that made it.
        line: That line, from 1.
    """

    number: int
    thread: str
    path: str
    line: int


@final
class Recorder:
    """Collects the events of one execution. Confined.

    Args:
        home: File of the program.

    Attributes:
        counts: Events so far, by number of the task.
        async_tasks: The asyncio tasks, as they come.
        loops: The event loops, in the order in which they were made.
    """

    def __init__(self, home: str = "") -> None:
        self._home = home
        self._vias: dict[int, tuple[int, int]] = {}  # by position in _rows: line of the program, frames to it
        self._rows: list[tuple[int, str, EventKind, str, str, int, str]] = []
        self._touched: dict[int, tuple[str, str]] = {}  # by position in _rows: owner and part
        self._values: dict[int, str] = {}  # by position in _rows
        self._written: tuple[int, object, str | None, object] | None = None  # position, and where to look
        self._preempted: set[int] = set()  # positions in _rows
        self._names: dict[int, str] = {}  # by id of the object
        self._living = Living(self._forget)
        self._counts: Counter[str] = Counter()
        self.counts: Counter[int] = Counter()
        self.async_tasks = AsyncTasks(_is_inside, home)
        self.loops: list[LoopMade] = []

    def access(
        self, task: Task, obj: object, site: Site, key: object, operation: str, value: object = NO_VALUE
    ) -> None:
        """Note a read or write at a site.

        Args:
            task: Who does it.
            obj: What is touched, or ``None`` for a variable.
            site: Where.
            key: Key of a container, or ``NO_KEY``.
            operation: What is done.
            value: What is about to be stored in a variable, if known.
        """
        self._look_at_written(task)
        kind: EventKind = "write" if operation in {"write", "update"} else "read" if operation == "read" else "call"
        position, name = len(self._rows), None if type(obj) in CONTAINERS else site.name
        if value is not NO_VALUE:
            self._values[position] = _unseen(task, shown_value, site.name or "", value)
        elif obj is None:
            self._values[position] = "" if kind == "write" else _unseen(task, variable, site)
        elif kind == "write":
            self._written = position, self._living.hold(obj), name, key
        else:
            self._values[position] = _unseen(task, peek, obj, name, key)
        self._touched[position] = self._owner(obj, site, key)
        self._add(task, kind, self._location(obj, site, key), site.file, site.line, site.qualname)

    def opaque(self, task: Task, function: str, objects: Sequence[object], site: Site) -> None:
        """Note a call of a function nobody knows the effect of, and the arguments that may change."""
        self._look_at_written(task)
        target = f"{function}({', '.join(map(self.name_of, objects))})"
        self._add(task, "call", target, site.file, site.line, site.qualname)

    def primitive(self, task: Task, kind: EventKind, target: str) -> None:
        """Note an operation of a thread, a lock or the clock at the program's line that called it."""
        self._look_at_written(task)
        if kind in _ON_PRIMITIVES:
            self._touched[len(self._rows)] = target.partition(".")[0], ""
        self._add(task, kind, target, *call_site())

    def clock(self, now_s: float) -> None:
        """Note that the clock advanced."""
        self._add(None, "clock", f"{now_s:g} s", "", 0, "")

    def end(self, task: Task, error: BaseException | None) -> None:
        """Note that a task ended, and by which exception."""
        self._look_at_written(task)
        kind: EventKind = "end" if error is None else "error"
        text = task.name if error is None else type(error).__name__
        self._add(task, kind, text, *origin_of(error))

    def preempt(self, task: Task) -> None:
        """Note that control leaves a task that could go on."""
        self._look_at_written(task)
        for position in range(len(self._rows) - 1, -1, -1):
            if self._rows[position][0] == task.number:
                self._preempted.add(position)
                return

    @property
    def size(self) -> int:
        """Number of events so far."""
        return len(self._rows)

    def loop_made(self, maker: Task, loop: object) -> None:
        """Note that a task made an event loop; it is named by the number of its making."""
        self.name_of(loop)
        path, line, _ = call_site()
        self.loops.append(LoopMade(len(self.loops) + 1, maker.name, path, line))

    def _add(self, task: Task | None, kind: EventKind, target: str, path: str, line: int, function: str) -> None:
        number, name = (0, "clock") if task is None else (task.number, task.name)
        self._vias[len(self._rows)] = (line, 0) if path == self._home else _way_from(self._home, path)
        if task is not None:
            self.async_tasks.note(len(self._rows), task)
        self._rows.append((number, name, kind, target, path, line, function))
        self.counts[number] += 1

    def _look_at_written(self, task: Task) -> None:
        """Note what the last write left; nothing that is seen has happened since."""
        if self._written is not None:
            position, held, name, key = self._written
            self._written = None
            obj = held() if isinstance(held, Reference) else held
            if obj is not None:  # else it is gone
                self._values[position] = _unseen(task, peek, obj, name, key)

    def name_of(self, obj: object) -> str:
        """Return the name of an object: its type and its number among the objects of that type met so far."""
        # By type, here and below: one asked for its class may answer with the program's code.
        if issubclass(type(obj), type):
            return str(obj.__qualname__)  # type: ignore[attr-defined]  # a class has it
        if issubclass(type(obj), ModuleType):
            return str(obj.__name__)  # type: ignore[attr-defined]  # a module has it
        known = self._names.get(id(obj))
        if known is None:
            kind = type(obj).__name__
            self._counts[kind] += 1
            known = self._names[id(obj)] = f"{kind}#{self._counts[kind]}"
            self._living.hold(obj)
        return known

    def _forget(self, known_by: int) -> None:
        self._names.pop(known_by, None)  # not there for one that was only written to, as classes are

    def events(self) -> tuple[Event, ...]:
        """Return what was noted so far."""
        return tuple(
            Event(
                step,
                *row,
                step in self._preempted,
                *self._touched.get(step, ("", "")),
                self._values.get(step, ""),
                *self._vias[step],
                self.async_tasks.of(step),
                self.async_tasks.left_at.get(step),
            )
            for step, row in enumerate(self._rows)
        )

    def _owner(self, obj: object, site: Site, key: object) -> tuple[str, str]:
        """Return what is touched and which part of it; the whole where the part is not known."""
        if obj is None:
            return f"variable {site.name}", ""
        if key is not NO_KEY:
            return self.name_of(obj), short_value(key)
        return self.name_of(obj), "" if type(obj) in CONTAINERS else site.name or ""

    def _location(self, obj: object, site: Site, key: object) -> str:
        if obj is None:
            return site.name or "?"
        name = self.name_of(obj)
        if key is not NO_KEY:
            return f"{name}[{short_value(key)}]"
        if site.name is None or type(obj) in CONTAINERS:
            return name
        return f"{name}.{site.name}"


def _way_from(home: str, path: str) -> tuple[int, int]:
    """Return the line of a file that is on its way on the stack, and how many frames of the program's are above it."""
    frame: FrameType | None = sys._getframe(2)
    depth = 0
    while frame is not None:
        file = frame.f_code.co_filename
        if file == home:
            return frame.f_lineno, depth
        depth += depth > 0 or file == path
        frame = frame.f_back
    return 0, depth


def _unseen(task: Task, look: Callable[..., str], *args: object) -> str:
    """Look at something without scheduling points: what looks may itself be instrumented."""
    task.atomic += 1
    try:
        return look(*args)
    finally:
        task.atomic -= 1


def call_site(frame: FrameType | None = None) -> tuple[str, int, str]:
    """Return file, line and function of the innermost frame that is neither ours nor the standard library's.

    Args:
        frame: Where to start, the caller if left out.
    """
    frame = sys._getframe(1) if frame is None else frame
    library = "", 0, ""  # for programs that have no frame of their own, such as a pool's threads
    while frame is not None:
        file = frame.f_code.co_filename
        if not _is_inside(file):
            return file, frame.f_lineno, frame.f_code.co_qualname
        if not library[0] and not file.startswith(_OURS):
            library = file, frame.f_lineno, frame.f_code.co_qualname
        frame = frame.f_back
    return library


def calling_site(frame: FrameType | None = None) -> tuple[str, int, str]:
    """Return the same of the innermost frame that is no installed package's either; empty where there is none."""
    frame = sys._getframe(1) if frame is None else frame
    while frame is not None:
        file = frame.f_code.co_filename
        if not is_library(file):
            return file, frame.f_lineno, frame.f_code.co_qualname
        frame = frame.f_back
    return "", 0, ""


def call_stack() -> tuple[str, ...]:
    """Return the frames that are neither ours nor the standard library's, innermost first."""
    frame: FrameType | None = sys._getframe(1)
    found = []
    while frame is not None:
        code = frame.f_code
        if not _is_inside(code.co_filename) and not code.co_filename.startswith(_OURS):
            found.append(f"{shown_file(code.co_filename)}:{frame.f_lineno} in {code.co_qualname}")
        frame = frame.f_back
    return tuple(found)


def _is_inside(file: str) -> bool:
    """Return whether a file is ours, or of the standard library."""
    is_library = file.startswith((_STDLIB, "<frozen ")) and not any(part in file for part in _INSTALLED)
    return is_library or file.startswith(_OURS)


def is_library(file: str) -> bool:
    """Return whether a file is ours, of the standard library, or of an installed package."""
    return _is_inside(file) or any(part in file for part in _INSTALLED)


def origin_of(error: BaseException | None) -> tuple[str, int, str]:
    """Return the program's innermost file, line and function on the way of an exception, else a library's."""
    found = library = "", 0, ""
    traceback = error.__traceback__ if error is not None else None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        here = code.co_filename, traceback.tb_lineno, code.co_qualname
        if not is_library(code.co_filename):
            found = here
        elif not code.co_filename.startswith(_OURS):
            library = here
        traceback = traceback.tb_next
    return found if found[0] else library


def short_value(key: object) -> str:
    """Return a value's text if it is a plain one; others may hold addresses and are named by type."""
    is_identity = issubclass(type(key), int) and abs(key) > LARGEST_KEY  # type: ignore[arg-type]  # a number
    if issubclass(type(key), (str, int, float, bool, bytes, type(None))) and not is_identity:
        text = repr(key)
        return text if len(text) <= 40 else text[:37] + "..."
    return type(key).__name__


def operation_on(kind: type, site: Site) -> str:
    """Return what a site does to an object: for a container's method the table knows, else the site says."""
    if kind in CONTAINERS:
        if site.name is not None and site.operation == "call":
            return "write" if effect_of(kind, site.name).writes else "read"
        if kind is defaultdict and site.operation == "read" and site.name is None:
            return "update"
    return site.operation


def plain_key(obj: object, key: object) -> object:
    """Return a key that can be compared without code of the program, or `NO_KEY` for an access to the whole object.

    What a negative index or a slice means depends on the length.
    """
    kind = type(key)
    if kind is int or kind is bool:
        return NO_KEY if key < 0 and not isinstance(obj, dict) else key  # type: ignore[operator]  # it is a number
    if kind is tuple:
        return key if all(type(part) in PLAIN for part in key) else NO_KEY  # type: ignore[attr-defined]  # a tuple
    return key if kind in PLAIN else NO_KEY


def shown_key(obj: object, key: object) -> object:
    """Return the key for an event: an index counts from the start, a slice is the whole object."""
    if type(key) is slice:
        return NO_KEY
    if type(key) is int and key < 0 and isinstance(obj, (list, deque, bytearray, array)):
        return key + len(obj)
    return key
