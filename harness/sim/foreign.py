"""OS threads that are no tasks: what they share with the program, the world does not control."""

from __future__ import annotations

import gc
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType, FunctionType, ModuleType

from harness.sim.task import TASKS_ON_THREADS

__all__ = ["foreign_thread_reaching"]

_MOST_OBJECTS = 20_000  # looked at per thread
_DEAD_ENDS = frozenset({type, ModuleType, FunctionType, threading.Thread, str, bytes, int, float})
_OWN = str(Path(__file__).parent)


def foreign_thread_reaching(objects: Iterable[object]) -> str | None:
    """Return the name of a foreign thread from whose stack one of the objects can be reached, or ``None``."""
    wanted = {id(obj) for obj in objects if obj is not None}
    names: dict[int | None, str] = {thread.ident: thread.name for thread in threading._enumerate()}  # type: ignore[attr-defined]  # all of them
    here = threading.get_ident()
    for ident, frame in sys._current_frames().items():
        is_foreign = ident != here and ident not in TASKS_ON_THREADS and not _is_ours(frame)
        if is_foreign and _reaches(frame, wanted):
            return names.get(ident, f"number {ident}")
    return None


def _is_ours(frame: FrameType | None) -> bool:
    """Return whether a thread runs code of the world, such as its watchdog."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_OWN):
            return True
        frame = frame.f_back
    return False


def _reaches(frame: FrameType, wanted: set[int]) -> bool:
    pending = deque(_locals_of(frame))
    seen: set[int] = set()
    while pending and len(seen) < _MOST_OBJECTS:
        obj = pending.popleft()
        if id(obj) in wanted:
            return True
        if id(obj) not in seen and type(obj) not in _DEAD_ENDS:
            seen.add(id(obj))
            pending.extend(gc.get_referents(obj))
    return False


def _locals_of(frame: FrameType | None) -> Iterator[object]:
    while frame is not None:
        yield from frame.f_locals.values()
        frame = frame.f_back
