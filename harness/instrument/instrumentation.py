"""Scheduling points in live code: rewritten code objects swapped in for the time of an exploration, then put back.

Functions are found through the garbage collector, so that methods, closures and decorated functions need no search
path of their own; a function belongs to a module when it uses the module's namespace. Nothing else about a function
changes, and afterwards each holds the very code object it held before, functions born in the meantime included.
"""

from __future__ import annotations

import gc
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, FunctionType, GeneratorType, ModuleType
from typing import final

from harness.instrument.matching import CodeMap
from harness.instrument.rewrite import rewrite
from harness.instrument.scopes import StoredNames, stored_names
from harness.instrument.site import SiteTable
from harness.instrument.source import SourceFile, read_source

__all__ = ["Instrumentation"]

_Suspended = GeneratorType | CoroutineType | AsyncGeneratorType  # type: ignore[type-arg] - only their code matters


@final
class Instrumentation:
    """Rewritten code of some modules. Confined: made, swapped in and out by one thread.

    Attributes:
        sites: All scheduling points, by number.
        limits: Functions that could not be rewritten, and why; in a fixed order.
        modules: The modules instrumented, in the order given.
    """

    def __init__(self, modules: Sequence[ModuleType]) -> None:
        self.modules = tuple(modules)
        self.sites = SiteTable()
        self.limits: tuple[str, ...] = ()
        self._originals: dict[CodeType, CodeType] = {}  # rewritten -> original
        self._swapped: list[tuple[FunctionType, CodeType]] = []
        self._maps: dict[str, CodeMap] = {}
        self._foreign: set[str] = set()

    def swap_in(self) -> None:
        """Rewrite and give every function of the modules its rewritten code."""
        self._swap_in(self.modules)

    def add(self, module: ModuleType) -> None:
        """Rewrite a module that was imported after the others."""
        self.modules = (*self.modules, module)
        self._swap_in([module])

    def swap_out(self) -> None:
        """Give every function its original code object back, those born since then included."""
        gc.unfreeze()
        for function, original in self._swapped:
            function.__code__ = original
        self._swapped.clear()
        if self._originals:
            for function in _live(FunctionType):
                original_code = self._originals.get(function.__code__)
                if original_code is not None:
                    function.__code__ = original_code

    def is_running(self) -> bool:
        """Return whether some frame or suspended generator still runs rewritten code."""
        return any(frame.f_code in self._originals for frame in _all_frames())

    def _swap_in(self, modules: Sequence[ModuleType]) -> None:
        gc.unfreeze()
        by_file = _functions_by_file(modules)
        sources = {file: read_source(members[0][0].__code__, members[0][1]) for file, members in by_file.items()}
        self._prepare([source for source in sources.values() if source is not None])
        limits = [limit for file, members in by_file.items() for limit in self._swap(file, [f for f, _ in members])]
        limits += [f"{name} was suspended before the exploration began" for name in self._suspended()]
        self.limits = tuple(dict.fromkeys([*self.limits, *limits]))

    def _prepare(self, sources: Sequence[SourceFile]) -> None:
        """Compile original and rewritten code of the sources; names stored anywhere count everywhere."""
        trees = [(source, _parse(source)) for source in sources]
        parsed = [(source, tree) for source, tree in trees if tree is not None]
        stored = reduce(or_, (stored_names(tree) for _, tree in parsed), StoredNames(frozenset()))
        for source, tree in parsed:
            original = source.compile(tree)
            rewritten = rewrite(tree, file=source.file, digest=source.digest, stored=stored, sites=self.sites)
            self._maps[source.file] = codes = CodeMap(original, source.compile(rewritten))
            self._originals.update((after, before) for before, after in codes.pairs())

    def _swap(self, file: str, functions: list[FunctionType]) -> Iterator[str]:
        """Swap the functions of one file; yield what could not be."""
        codes = self._maps.get(file)
        for function in functions:
            name = f"{function.__module__}.{function.__qualname__}"
            new = codes.rewritten(function.__code__) if codes is not None else None
            if new is not None:
                self._swapped.append((function, function.__code__))
                function.__code__ = new
            elif codes is not None:
                yield f"{name} is not what its source says; reload {file}"
            elif not file.startswith("<"):  # code made at run time, of data classes and the like, is atomic
                yield f"{name} has no source"

    def _suspended(self) -> list[str]:
        originals = {original for codes in self._maps.values() for original, _ in codes.pairs()}
        return sorted(code.co_qualname for code in _suspended_codes() if code in originals)


def _parse(source: SourceFile):  # type: ignore[no-untyped-def] - ast.Module | None
    try:
        return source.parse()
    except SyntaxError:
        return None


def _functions_by_file(modules: Iterable[ModuleType]) -> dict[str, list[tuple[FunctionType, ModuleType]]]:
    owners = {id(module.__dict__): module for module in modules}
    found: defaultdict[str, list[tuple[FunctionType, ModuleType]]] = defaultdict(list)
    for function in _live(FunctionType):
        module = owners.get(id(function.__globals__))
        if module is not None:
            found[function.__code__.co_filename].append((function, module))
    for members in found.values():
        members.sort(key=lambda member: (member[0].__code__.co_firstlineno, member[0].__qualname__))
    return dict(sorted(found.items()))


def _live(kind: type[FunctionType]) -> list[FunctionType]:
    return [obj for obj in gc.get_objects() if type(obj) is kind]


def _suspended_codes() -> Iterator[CodeType]:
    for obj in gc.get_objects():
        frame = _frame_of(obj) if isinstance(obj, _Suspended) else None
        if frame is not None:
            yield frame.f_code


def _frame_of(suspended: object) -> FrameType | None:
    for attribute in ("gi_frame", "cr_frame", "ag_frame"):
        frame = getattr(suspended, attribute, None)
        if frame is not None:
            assert isinstance(frame, FrameType)
            return frame
    return None


def _all_frames() -> Iterator[FrameType]:
    for top in sys._current_frames().values():
        frame: FrameType | None = top
        while frame is not None:
            yield frame
            frame = frame.f_back
    for obj in gc.get_objects():
        frame = _frame_of(obj) if isinstance(obj, _Suspended) else None
        if frame is not None:
            yield frame
