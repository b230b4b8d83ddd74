"""What a library is given now and calls later: each call is announced where no rewritten code sees it.

A function of the program makes scheduling points of its own. A method of a list that a pool, a loop, a timer or a stack
of contexts calls makes none, and no hook comes before: it gets one here, when it is called.
"""

from __future__ import annotations

import builtins
import contextlib
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar

from harness.instrument.hooks import HOOKS_NAME

__all__ = ["announced", "announcements"]

_Callable = Callable[..., Any]
_F = TypeVar("_F", bound=_Callable)


def announced(function: _F) -> _F:
    """Return a function, or what passes a hook and calls it where nothing else would tell of the call."""
    hooks = vars(builtins).get(HOOKS_NAME)
    return function if hooks is None else hooks.later(function)


def announcements() -> Iterator[tuple[object, str, object]]:
    """Yield owner, name and replacement of what keeps a function to call it later."""
    stack: Any = contextlib.ExitStack.__mro__[1]
    yield stack, "_create_cb_wrapper", staticmethod(_of_first(stack._create_cb_wrapper))
    yield threading.Barrier, "__init__", _make_barrier
    yield threading.Timer, "run", _run_timer
    yield weakref.finalize, "__call__", _finalize


def _of_first(real: _Callable) -> _Callable:
    @wraps(real)
    def keep(function: _Callable, /, *args: object, **kwargs: object) -> object:
        return real(announced(function), *args, **kwargs)

    return keep


_real_barrier: _Callable = threading.Barrier.__init__
_real_run: _Callable = threading.Timer.run
_real_finalize: _Callable = weakref.finalize.__call__


@wraps(_real_barrier)
def _make_barrier(
    barrier: threading.Barrier, parties: int, action: _Callable | None = None, timeout: float | None = None
) -> None:
    _real_barrier(barrier, parties, action and announced(action), timeout)


@wraps(_real_run)
def _run_timer(timer: threading.Timer) -> None:
    function, timer.function = timer.function, announced(timer.function)
    try:
        _real_run(timer)
    finally:
        timer.function = function


@wraps(_real_finalize)
def _finalize(finalizer: Any, _: object = None) -> object:
    info = finalizer._registry.get(finalizer)
    if info is None:
        return _real_finalize(finalizer, _)
    function, info.func = info.func, announced(info.func)
    try:
        return _real_finalize(finalizer, _)
    finally:
        info.func = function
