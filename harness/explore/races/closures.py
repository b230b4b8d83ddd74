"""Variables that functions share: which of them an access means.

A function called twice has its variables twice, and code that uses a captured one does not say whose. So we note the
call of the function that a variable belongs to, wherever it is on the stack of an access; once two calls were seen in
an execution, nothing is claimed of that variable any more.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import NamedTuple, final

from harness.instrument import Site

__all__ = ["Closures", "Variable"]


class Variable(NamedTuple):
    """A captured variable, by its name and the outermost function around."""

    name: str
    function: str


@final
class Closures:
    """Tells the variables of functions apart, within one execution. Confined."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, Variable], tuple[int, int]] = {}  # task and id of the frame that a variable is of
        self._shared: set[tuple[str, Variable]] = set()  # variables of several calls

    def variable(self, task: int, site: Site) -> str | Variable:
        """Return what a site on the stack touches: the name of a global, or a variable of a function."""
        frame = _program_frame(site)
        name = site.name or ""
        if frame is None or name not in (*frame.f_code.co_cellvars, *frame.f_code.co_freevars):
            return name
        found = tuple.__new__(Variable, (name, site.qualname.partition(".<locals>")[0]))
        owner = _owner(frame, name)
        if owner is not None and self._calls.setdefault((site.digest, found), (task, id(owner))) != (task, id(owner)):
            self._shared.add((site.digest, found))
        return found

    def is_of_several(self, site: Site, variable: Variable) -> bool:
        """Return whether several calls were seen of the function that a variable belongs to."""
        return (site.digest, variable) in self._shared


def _program_frame(site: Site) -> FrameType | None:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename != site.file:
        frame = frame.f_back
    return frame


def _owner(frame: FrameType, name: str) -> FrameType | None:
    """Return the call on the stack that a captured variable belongs to."""
    file, inner = frame.f_code.co_filename, frame.f_code.co_qualname
    found: FrameType | None = frame
    while found is not None:
        code = found.f_code
        if code.co_filename == file and name in code.co_cellvars and inner.startswith(code.co_qualname):
            return found
        found = found.f_back
    return None
