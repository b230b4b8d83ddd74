"""What a pitfall is: one race, as a broken and a mended program."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Pitfall"]


@dataclass(frozen=True, slots=True)
class Pitfall:
    """One race in two forms: the same program, with one function replaced. Immutable.

    Attributes:
        id: Short name.
        title: What goes wrong, in a line.
        origin: Where it was met: the public system, and its case or rule in our notes.
        family: What kind of mistake it is.
        broken: The program with the race; fails under some schedules.
        mended: The same program over `harness.registry`; holds under all.
        program: What both run, given the function in which they differ.
        replaced: That function, broken and mended.
        instrument: Modules to instrument beside the program's own.
        lesson: What to do instead.
    """

    id: str
    title: str
    origin: str
    family: str
    broken: Callable[[], None]
    mended: Callable[[], None]
    program: Callable[..., None]
    replaced: tuple[Callable[..., object], Callable[..., object]]
    instrument: tuple[str, ...]
    lesson: str

    def sources(self) -> tuple[str, str]:
        """Return the source text of the broken and of the mended form: the function replaced, then the program."""
        program = inspect.getsource(self.program)
        broken, mended = (f"{inspect.getsource(function)}\n\n{program}" for function in self.replaced)
        return broken, mended

    def diff(self) -> str:
        """Return what mends it, as a unified diff without context."""
        broken, mended = (source.splitlines(keepends=True) for source in self.sources())
        return "".join(difflib.unified_diff(broken, mended, f"{self.id} (broken)", f"{self.id} (mended)", n=0))
