"""``breakpoint()`` inside a replay: the debugger stops in the execution that is replayed, on the real terminal.

The world runs the program once before, to warm it up, and keeps what it prints; a debugger would stop there first and
nobody would see its prompt. A hook of the user's own (``PYTHONBREAKPOINT``, a test runner's) is left in its place.
"""

from __future__ import annotations

import pdb
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["debugger", "no_debugger"]


@contextmanager
def no_debugger() -> Iterator[None]:
    """Let ``breakpoint()`` do nothing."""
    with _hook(lambda *_args, **_kwargs: None):
        yield


@contextmanager
def debugger() -> Iterator[None]:
    """Let ``breakpoint()`` open the debugger on the streams that are in place now, unless the user has a hook.

    Programs that run inside must find these streams through `sys` no longer: the world has put others there.
    """
    streams = sys.stdin, sys.stdout

    def stop(*_args: object, **_kwargs: object) -> None:
        pdb.Pdb(stdin=streams[0], stdout=streams[1]).set_trace(sys._getframe(1))

    if sys.breakpointhook is not sys.__breakpointhook__:
        yield
    else:
        with _hook(stop):
            yield


@contextmanager
def _hook(hook: Callable[..., None]) -> Iterator[None]:
    before = sys.breakpointhook
    sys.breakpointhook = hook
    try:
        yield
    finally:
        sys.breakpointhook = before
