"""Hooks that let everything pass, and rewritten code run under them."""

from __future__ import annotations

import itertools
import linecache
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from harness.instrument import Instrumentation, SiteTable, install_hooks, remove_hooks
from harness.sim import ENGINES
from harness.sim.hooks import make_hooks
from harness.sim.kinds import KindTable

_numbers = itertools.count(1)


def passing_hooks(sites: SiteTable) -> type:
    """Return a world's hooks; where no task runs they let everything pass."""
    return make_hooks(sites, KindTable([]), ENGINES["greenlet"], lambda function: function)


class Touches:
    """Hooks that note what passes them: name of the hook, and name or key of what is touched."""

    def __init__(self, sites: SiteTable) -> None:
        self.sites = sites
        self.seen: list[str] = []

    def hooks(self) -> type:
        passing = passing_hooks(self.sites)
        names = [name for name in vars(passing) if not name.startswith("__")]
        noting = {name: self._noting(name, getattr(passing, name)) for name in names if name not in _OPERATIONS}
        return type("NotingHooks", (passing,), noting)

    def _noting(self, hook: str, passing: Callable[..., object]) -> staticmethod:
        def note(*args: object) -> object:
            site = args[1] if hook in ("args", "called", "called_with") else args[-1]
            self.seen.append(f"{hook} {self.sites[site].name}" if self.sites[site].name else hook)
            return passing(*args)

        return staticmethod(note)


_OPERATIONS = ()


@contextmanager
def instrumented(*modules: ModuleType) -> Iterator[Instrumentation]:
    """Give the functions of the modules their scheduling points, with hooks that let everything pass."""
    instrumentation = Instrumentation(modules)
    try:
        instrumentation.swap_in()
        install_hooks(passing_hooks(instrumentation.sites))
        yield instrumentation
    finally:
        instrumentation.swap_out()
        remove_hooks()


@contextmanager
def touching(*modules: ModuleType) -> Iterator[list[str]]:
    """As `instrumented`, with hooks that note what passes them."""
    instrumentation = Instrumentation(modules)
    touches = Touches(instrumentation.sites)
    try:
        instrumentation.swap_in()
        install_hooks(touches.hooks())
        yield touches.seen
    finally:
        instrumentation.swap_out()
        remove_hooks()


def make_module(source: str, name: str = "sample", *, file: str | None = None) -> ModuleType:
    """Return a new module with this source, which the interpreter can find again."""
    module = ModuleType(f"{name}_{next(_numbers)}")
    module.__file__ = file or f"/nowhere/{module.__name__}.py"
    run_cell(module, source, module.__file__)
    return module


def run_cell(module: ModuleType, source: str, file: str) -> None:
    """Run a cell of source in the namespace of a module, as a notebook does."""
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    sys.modules[module.__name__] = module
    exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)


@dataclass(frozen=True)
class Observation:
    """What can be seen of one call: its result or its exception, frames of the traceback, and the log."""

    result: str
    error: str
    frames: tuple[tuple[str, int], ...]
    log: tuple[str, ...]


def observe(function: Callable[[list[object]], object]) -> Observation:
    """Call a function with a log and return what can be seen of it."""
    log: list[object] = []
    result, error, frames = "", "", ()
    try:
        result = repr(function(log))
    except Exception as raised:
        error = "".join(_chain(raised))
        frames = frames_of(raised)
    return Observation(_plain(result), _plain(error), frames, tuple(_plain(repr(entry)) for entry in log))


def _plain(text: str) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def _chain(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield f"{type(error).__name__}: {error} {getattr(error, 'name', '')};"
        error = error.__cause__ or error.__context__


def frames_of(error: BaseException) -> tuple[tuple[str, int], ...]:
    """Return function and line of the traceback's frames, outermost first, without the caller's."""
    walked = list(traceback.walk_tb(error.__traceback__))[1:]
    return tuple((frame.f_code.co_qualname, line) for frame, line in walked)


def functions_of(module: ModuleType) -> Sequence[Callable[[list[object]], object]]:
    """Return the functions of a module that take a log alone, in the order written."""
    own = [f for f in vars(module).values() if getattr(f, "__module__", "") == module.__name__]
    return [f for f in own if hasattr(f, "__code__") and f.__code__.co_varnames[: f.__code__.co_argcount] == ("log",)]
