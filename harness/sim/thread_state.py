"""What the interpreter keeps per OS thread, kept per task.

That is the contents of every ``threading.local``, the guard of ``repr``, and trace and profile functions. Tasks share
an OS thread, and the interpreter finds these things through fields of that thread's state. The fields are
found by the values they hold, once per process, and a trial tells whether they are the right ones; a switch then
writes one pointer (three from CPython 3.13 on), whatever and however many the objects behind it are. What a task binds
besides, such as a trace function, is put in place at a switch only after some task has bound something.

Tasks on OS threads of their own need none of this; only the one that runs the program itself takes over the state of
the thread it stands for.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, final
from weakref import getweakrefcount, ref

__all__ = ["HAS_KEYS", "StateSwitch", "ThreadState", "TraceFunction", "Tracing", "is_supported"]

TraceFunction = Callable[[Any, str, Any], Any]
Tracing = tuple[TraceFunction | None, TraceFunction | None]  # trace function, profile function
HAS_KEYS = sys.version_info >= (3, 13)  # a local's contents are found by a key of the thread, not in its dict
_WORDS = 128  # of the interpreter's structure that are searched; the fields are among the first 40
_LOCAL_KEY = "thread.local."  # 3.11 and 3.12 keep a local's contents under this and the local's address

_api = ctypes.PyDLL(None)
_api.PyThreadState_Get.restype = ctypes.c_size_t
_api.PyThreadState_GetDict.restype = ctypes.c_void_p  # a borrowed reference, which ctypes would take for its own
_set_trace, _set_profile = sys.settrace, sys.setprofile
_get_trace: Callable[[], Any] = sys.gettrace
_get_profile: Callable[[], Any] = sys.getprofile


class _Token:
    """A thread's key, or what the interpreter watches to learn that the thread has ended."""

    __slots__ = ("__weakref__",)


@final
class StateSwitch:
    """Puts the state of one task or another in place. Confined to the OS thread that made it, and to one world.

    Attributes:
        native: The state of the OS thread itself, which is that of the program's own task as well.
        current: The state in place.
        field: What leads to the dict of the state in place; nowhere, where the fields were not found.
        is_bound: Whether some task has bound what no pointer leads to.
    """

    def __init__(self) -> None:
        base = _api.PyThreadState_Get()
        offsets = _offsets() or ()
        self.fields = tuple(ctypes.c_size_t.from_address(base + offset) for offset in offsets)
        self.field = self.fields[0] if offsets else ctypes.c_size_t()
        self.native = ThreadState(self, _dict_in_place() if offsets else {})
        if offsets:
            self.native.values = self.placed()
        self.reset()

    def reset(self) -> None:
        """Take the native state as it is now for the one in place; called before an execution."""
        self.current = self.native
        self._tracing = self.native.tracing = _get_trace(), _get_profile()
        self.is_bound = False

    def leave(self) -> None:
        """Put the native state back as it was at the reset; called after an execution."""
        self.native.tracing = self._tracing
        self.native.enter()
        if self.is_bound:
            self.native.bind()

    def make(self) -> ThreadState:
        """Return the state of a thread that begins; a debugger and what measures coverage see it too."""
        return ThreadState(self, {}, self.native.tracing)

    def placed(self) -> tuple[int, ...]:
        """Return what the fields hold."""
        return tuple(field.value for field in self.fields)

    def place(self, values: tuple[int, ...]) -> None:
        """Write the fields."""
        for field, value in zip(self.fields, values, strict=False):
            field.value = value

    @contextmanager
    def adopting(self, other: StateSwitch) -> Iterator[None]:
        """Run with the native state of another OS thread, which waits meanwhile."""
        own = self.placed()
        self.place(other.native.values)
        try:
            yield
        finally:
            self.place(own)


@final
class ThreadState:
    """State of one task. Confined.

    Attributes:
        values: What the fields hold while it is in place.
        own: What the thread keeps, its locals' contents among it.
        known: Entries of it that have been looked at.
        tracing: Trace and profile function to be in place while the task runs.
    """

    __slots__ = ("_switch", "_tokens", "_watched", "known", "own", "tracing", "values")

    def __init__(self, switch: StateSwitch, own: dict[object, object], tracing: Tracing = (None, None)) -> None:
        self._switch, self.own = switch, own
        self._tokens = (_Token(), _Token()) if HAS_KEYS else ()  # key and sentinel
        self._watched: dict[object, ref[object]] = {}  # locals with contents in the dict, by key
        self.known = 0
        self.values: tuple[int, ...] = (id(own), *map(id, self._tokens)) if HAS_KEYS else (id(own),)
        self.tracing = tracing

    def enter(self) -> None:
        """Put this state in place of the current one; called right before control goes to its task."""
        switch = self._switch
        left = switch.current
        if left is not self:
            if len(left.own) != left.known:
                left.watch()
            switch.current = self
            switch.field.value = self.values[0]
            if HAS_KEYS:
                self.put_keys()

    def put_keys(self) -> None:
        """Put in place what the interpreter finds this state's locals by, from CPython 3.13 on."""
        fields = self._switch.fields
        if fields:
            fields[1].value, fields[2].value = self.values[1:]

    def holds(self) -> bool:
        """Return whether the thread keeps anything for itself, or the interpreter waits for its end."""
        return bool(self.own or (self._tokens and getweakrefcount(self._tokens[-1])))

    def end(self) -> None:
        """Let go of what the end of a thread frees; called in the task."""
        self.own.clear()
        self.known = 0
        self._watched.clear()
        if self._tokens and getweakrefcount(self._tokens[-1]):
            ended, self._tokens = self._tokens, (_Token(), _Token())
            self.values = id(self.own), *map(id, self._tokens)
            self._switch.place(self.values)
            del ended

    def bind(self) -> None:
        """Put in place what no pointer leads to; called in the task, whose running frames are to be traced."""
        trace, profile = self.tracing
        self._switch.is_bound = True
        if _get_profile() is not profile:
            _set_profile(profile)
        if _get_trace() is not trace:
            _set_trace(trace)

    def watch(self) -> None:
        """See to it that contents go when their local goes.

        The interpreter looks for them in states that are in place. Were they left in others, a later local at the same
        address would find them.
        """
        if not HAS_KEYS:
            for key in tuple(self.own):
                if isinstance(key, str) and key.startswith(_LOCAL_KEY) and key not in self._watched:
                    local = ctypes.cast(int(key[len(_LOCAL_KEY) :], 16), ctypes.py_object).value
                    self._watched[key] = ref(local, partial(self._forget, key))
        self.known = len(self.own)

    def _forget(self, key: object, _: object) -> None:
        self.own.pop(key, None)
        if self._watched.pop(key, None) is not None:
            self.known -= 1


@cache
def is_supported() -> bool:
    """Return whether the fields were found on this interpreter."""
    return _offsets() is not None


@cache
def _offsets() -> tuple[int, ...] | None:
    """Return where the fields are in a thread's state, or ``None`` where a trial does not bear it out."""
    values = [_api.PyThreadState_GetDict(), *(_tokens_of_thread() if HAS_KEYS else ())]
    base = _api.PyThreadState_Get()
    found = [_offset(base, value) for value in values]
    offsets = tuple(offset for offset in found if offset is not None)
    return offsets if len(offsets) == len(values) and _is_borne_out(base, offsets) else None


def _dict_in_place() -> dict[object, object]:
    own: dict[object, object] = ctypes.cast(_api.PyThreadState_GetDict(), ctypes.py_object).value
    return own


def _offset(base: int, value: int) -> int | None:
    offsets = (word * ctypes.sizeof(ctypes.c_size_t) for word in range(_WORDS))
    return next((offset for offset in offsets if ctypes.c_size_t.from_address(base + offset).value == value), None)


def _tokens_of_thread() -> tuple[int, int]:
    """Return the addresses of this thread's key and sentinel, from CPython 3.13 on."""
    local = threading.local()
    local.__dict__  # noqa: B018 - makes them, if need be
    parts = gc.get_referents(local)
    (key,) = next(part for part in parts if type(part) is dict)
    (watchdog,) = next(part for part in parts if type(part) is set)
    return id(key), id(watchdog())


def _is_borne_out(base: int, offsets: tuple[int, ...]) -> bool:
    """Return whether a local has other contents while the fields hold something else."""
    own: dict[object, object] = {}
    local, tokens = threading.local(), (_Token(), _Token())
    local.mark = "native"
    fields = [ctypes.c_size_t.from_address(base + offset) for offset in offsets]
    native = [field.value for field in fields]
    for field, value in zip(fields, (id(own), *map(id, tokens)), strict=False):
        field.value = value
    is_apart = not hasattr(local, "mark")
    for field, number in zip(fields, native, strict=True):
        field.value = number
    return is_apart and getattr(local, "mark", None) == "native"
