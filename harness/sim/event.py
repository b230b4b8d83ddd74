"""What happened in an execution, event by event, and how the objects in it are named.

Objects are numbered by type in the order of their first appearance, never by ``id``, so that equal executions have
equal event lists in any process.
"""

from __future__ import annotations

import linecache
import sys
import sysconfig
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Literal, final

from harness.instrument import CONTAINERS, Site, effect_of
from harness.sim.place import shown_file

if TYPE_CHECKING:
    from harness.sim.task import Task

__all__ = ["NO_KEY", "Event", "EventKind", "Recorder", "call_site", "short_value"]

EventKind = Literal[
    "read", "write", "call", "acquire", "release", "wait", "start", "join", "sleep", "clock", "draw", "end", "error"
]
NO_KEY: object = object()
_OWN = str(Path(__file__).parent)
_STDLIB = sysconfig.get_path("stdlib")
_LARGEST_KEY = 2**32  # a larger number is likely to be an object's id, which differs from run to run
_INSTALLED = ("/site-packages/", "/dist-packages/")


@dataclass(frozen=True, slots=True)
class Event:
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

    @property
    def file(self) -> str:
        """Name of the file as people read it, the same on every machine."""
        return shown_file(self.path)

    @property
    def source(self) -> str:
        """Text of the line, stripped; empty where the source is gone."""
        return linecache.getline(self.path, self.line).strip()


@final
class Recorder:
    """Collects the events of one execution. Confined."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, str, EventKind, str, str, int, str]] = []
        self._preempted: set[int] = set()  # positions in _rows
        self._numbers: dict[
            int, tuple[str, object]
        ] = {}  # id -> name; the object is kept, so that its id stays its own
        self._counts: Counter[str] = Counter()

    def access(self, task: Task, obj: object, site: Site, key: object, operation: str) -> None:
        """Note a read or write at a site; ``obj`` is the object touched, or ``None`` for a variable."""
        kind: EventKind = "write" if operation in {"write", "update"} else "read" if operation == "read" else "call"
        self._rows.append(
            (task.number, task.name, kind, self._location(obj, site, key), site.file, site.line, site.qualname)
        )

    def primitive(self, task: Task, kind: EventKind, target: str) -> None:
        """Note an operation of a thread, a lock or the clock at the program's line that called it."""
        file, line, function = call_site()
        self._rows.append((task.number, task.name, kind, target, file, line, function))

    def clock(self, now_s: float) -> None:
        """Note that the clock advanced."""
        self._rows.append((0, "clock", "clock", f"{now_s:g} s", "", 0, ""))

    def end(self, task: Task, error: BaseException | None) -> None:
        """Note that a task ended, and by which exception."""
        kind: EventKind = "end" if error is None else "error"
        text = task.name if error is None else type(error).__name__
        file, line, function = _origin(error)
        self._rows.append((task.number, task.name, kind, text, file, line, function))

    def preempt(self, task: Task) -> None:
        """Note that control leaves a task that could go on."""
        for position in range(len(self._rows) - 1, -1, -1):
            if self._rows[position][0] == task.number:
                self._preempted.add(position)
                return

    def name_of(self, obj: object) -> str:
        """Return the name of an object: its type and its number among the objects of that type met so far."""
        if isinstance(obj, type):
            return obj.__qualname__
        if isinstance(obj, ModuleType):
            return obj.__name__
        known = self._numbers.get(id(obj))
        if known is None:
            kind = type(obj).__name__
            self._counts[kind] += 1
            known = self._numbers[id(obj)] = (f"{kind}#{self._counts[kind]}", obj)
        return known[0]

    def events(self) -> tuple[Event, ...]:
        """Return what was noted so far."""
        rows = enumerate(self._rows)
        return tuple(Event(step, *row, preempted=step in self._preempted) for step, row in rows)

    def _location(self, obj: object, site: Site, key: object) -> str:
        if obj is None:
            return site.name or "?"
        name = self.name_of(obj)
        if key is not NO_KEY:
            return f"{name}[{short_value(key)}]"
        if site.name is None or type(obj) in CONTAINERS:
            return name
        return f"{name}.{site.name}"


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
        if not library[0] and not file.startswith(_OWN):
            library = file, frame.f_lineno, frame.f_code.co_qualname
        frame = frame.f_back
    return library


def _is_inside(file: str) -> bool:
    """Return whether a file is ours, or of the standard library."""
    is_library = file.startswith((_STDLIB, "<frozen ")) and not any(part in file for part in _INSTALLED)
    return is_library or file.startswith(_OWN)


def _origin(error: BaseException | None) -> tuple[str, int, str]:
    """Return file, line and function where an exception was raised, below our own frames."""
    found = "", 0, ""
    traceback = error.__traceback__ if error is not None else None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith(_OWN):
            found = code.co_filename, traceback.tb_lineno, code.co_qualname
        traceback = traceback.tb_next
    return found


def short_value(key: object) -> str:
    """Return a value's text if it is a plain one; others may hold addresses and are named by type."""
    is_identity = isinstance(key, int) and abs(key) > _LARGEST_KEY
    if isinstance(key, (str, int, float, bool, bytes, type(None))) and not is_identity:
        text = repr(key)
        return text if len(text) <= 40 else text[:37] + "..."
    return type(key).__name__


def operation_on(kind: type, site: Site) -> str:
    """Return what a site does to an object: for a container's method the table knows, else the site says."""
    if kind in CONTAINERS and site.name is not None and site.operation in {"read", "call"}:
        return "write" if effect_of(kind, site.name).writes else "read"
    return site.operation
