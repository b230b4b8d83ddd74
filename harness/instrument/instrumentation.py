"""Scheduling points in live code: rewritten code objects swapped in for the time of an exploration, then put back.

Functions are found through the garbage collector, so that methods, closures and decorated functions need no search
path of their own; a function belongs to a module when it uses the module's namespace. Nothing else about a function
changes, and afterwards each holds the very code object it held before, functions born in the meantime included: these
are searched for where the references of rewritten code tell that somebody has it.

Code objects are told apart by identity: two functions of equal code in different files are equal code objects.
"""

from __future__ import annotations

import gc
import inspect
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, FunctionType, GeneratorType, ModuleType
from typing import final

from harness.instrument.matching import CodeMap, corresponding_codes
from harness.instrument.rewritten import rewrite_sources
from harness.instrument.site import SiteTable
from harness.instrument.source import read_source
from harness.instrument.stores import StoredNames

__all__ = ["Instrumentation"]

# What code with a flag makes when it is called, and where that keeps its frame.
_SUSPENDED: tuple[tuple[int, type, str], ...] = (
    (inspect.CO_GENERATOR, GeneratorType, "gi_frame"),
    (inspect.CO_COROUTINE, CoroutineType, "cr_frame"),
    (inspect.CO_ASYNC_GENERATOR, AsyncGeneratorType, "ag_frame"),
)


@final
class Instrumentation:
    """Rewritten code of some modules. Confined: made, swapped in and out by one thread.

    Attributes:
        sites: All scheduling points, by number.
        limits: Functions that could not be rewritten, and why; in a fixed order.
        modules: The modules instrumented, in the order given.
        stored: Names that their code stores into.
    """

    def __init__(self, modules: Sequence[ModuleType]) -> None:
        self.modules = tuple(modules)
        self.sites = SiteTable()
        self.limits: tuple[str, ...] = ()
        self.stored = StoredNames(frozenset())
        self._originals: dict[int, CodeType] = {}  # by id of the rewritten, which the maps keep
        self._swapped: list[tuple[FunctionType, CodeType]] = []
        self._maps: dict[str, CodeMap] = {}
        self._is_suspended = False  # some generator was inside rewritten code when it was swapped out

    def swap_in(self) -> None:
        """Rewrite and give every function of the modules its rewritten code."""
        objects = _objects()
        by_file = _functions_by_file(objects, self.modules)
        sources = {file: read_source(members[0][0].__code__, members[0][1]) for file, members in by_file.items()}
        rewritten = rewrite_sources([source for source in sources.values() if source is not None], self.sites)
        self.stored, self._maps, failures = rewritten.stored, rewritten.codes, rewritten.failures
        for codes in self._maps.values():
            self._originals.update((id(after), before) for before, after in codes.pairs())
        limits = [f"{file} cannot be rewritten: {reason}" for file, reason in failures.items()]
        for file, members in by_file.items():
            if file not in failures:
                limits += self._swap(file, [function for function, _ in members])
        suspended = self._suspended(objects)
        if suspended:
            objects.clear()
            gc.collect()  # those that nobody can resume say nothing
            suspended = self._suspended(_objects())
        limits += [f"{name} was suspended before the exploration began" for name in suspended]
        self.limits = tuple(dict.fromkeys(limits))

    def swap_out(self) -> None:
        """Give every function its original code object back, those born since then included."""
        try:
            self._swap_out()
        except KeyboardInterrupt:  # whatever it interrupted is done again from the start
            self._swap_out()
            raise

    def is_running(self) -> bool:
        """Return whether some frame still ran rewritten code, or some generator was suspended in it, at the swap."""
        return self._is_suspended or any(id(frame.f_code) in self._originals for frame in _running_frames())

    def _swap_out(self) -> None:
        for function, original in self._swapped:
            function.__code__ = original
        if any(codes.is_held() for codes in self._maps.values()):
            objects = _objects()
            for function in [obj for obj in objects if type(obj) is FunctionType]:
                original_code = self._originals.get(id(function.__code__))
                if original_code is not None:
                    function.__code__ = original_code
            self._is_suspended = any(id(code) in self._originals for code in self._suspended_codes(objects))
        self._swapped.clear()

    def _swap(self, file: str, functions: list[FunctionType]) -> Iterator[str]:
        """Swap the functions of one file; yield what could not be."""
        codes = self._maps.get(file)
        for function in functions:
            live = function.__code__
            new = codes.rewritten(live) if codes is not None else None
            if new is not None and new != live:  # equal code touches nothing shared
                self._swapped.append((function, live))
                self._note(live, new)
                function.__code__ = new
            elif new is not None:
                continue
            elif codes is not None:
                yield f"{_name_of(function)} is not what its source says; reload {file}"
            elif not _is_generated(function):
                yield f"{_name_of(function)} has no source"

    def _note(self, live: CodeType, new: CodeType) -> None:
        """Note what functions get back that are born from the rewritten code: the live code, not our compilation."""
        self._originals[id(new)] = live
        for before, after in corresponding_codes(live, new):
            self._originals[id(after)] = before

    def _suspended(self, objects: Iterable[object]) -> list[str]:
        found = ((code, self._maps.get(code.co_filename)) for code in self._suspended_codes(objects))
        return sorted(code.co_qualname for code, codes in found if codes and codes.rewritten(code) is not None)

    def _suspended_codes(self, objects: Iterable[object]) -> Iterator[CodeType]:
        """Yield the code of generators and coroutines that are suspended, of the kinds that the sources can make."""
        flags = reduce(or_, (codes.flags for codes in self._maps.values()), 0)
        for flag, kind, frame_of in _SUSPENDED:
            if flags & flag:
                frames = [getattr(obj, frame_of) for obj in objects if type(obj) is kind]
                yield from (frame.f_code for frame in frames if frame is not None)


def _name_of(function: FunctionType) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _is_generated(function: FunctionType) -> bool:
    """Return whether the function is a method that ``dataclasses`` and the like made at run time: those are atomic."""
    name = function.__name__
    return function.__code__.co_filename.startswith("<") and name.startswith("__") and name.endswith("__")


def _functions_by_file(
    objects: Iterable[object], modules: Iterable[ModuleType]
) -> dict[str, list[tuple[FunctionType, ModuleType]]]:
    owners = {id(module.__dict__): module for module in modules}
    found: defaultdict[str, list[tuple[FunctionType, ModuleType]]] = defaultdict(list)
    # By exact type: asking an object for its class may call into the program.
    for function in [obj for obj in objects if type(obj) is FunctionType and id(obj.__globals__) in owners]:
        if function.__code__.co_name != "<module>":  # running module code, a cell's included
            found[function.__code__.co_filename].append((function, owners[id(function.__globals__)]))
    for members in found.values():
        members.sort(key=lambda member: (member[0].__code__.co_firstlineno, member[0].__qualname__))
    return dict(sorted(found.items()))


def _objects() -> list[object]:
    """Return all objects that the garbage collector knows."""
    gc.unfreeze()
    return gc.get_objects()


def _running_frames() -> Iterator[FrameType]:
    for top in sys._current_frames().values():
        frame: FrameType | None = top
        while frame is not None:
            yield frame
            frame = frame.f_back
