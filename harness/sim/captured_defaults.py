"""Functions of the standard library that keep what a world replaces as the default of an argument.

What instrumented code takes from a default is replaced when it is called. The functions here call it themselves, from
code that is not rewritten: a scheduler of events its clock, a connection between processes the system's read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

__all__ = ["captured_defaults"]

_MODULES = ("multiprocessing.connection", "sched", "subprocess", "timeit")  # the only ones


def captured_defaults(stand_in: Callable[[object], object]) -> Iterator[tuple[FunctionType, tuple[Any, ...]]]:
    """Yield each such function that is loaded, with its defaults as they are to be.

    Args:
        stand_in: Gives what stands in for a function, or the function.
    """
    for name in _MODULES:
        module = sys.modules.get(name)
        for function in _functions(vars(module), name) if module is not None else ():
            defaults = function.__defaults__ or ()
            replaced = tuple(map(stand_in, defaults))
            if any(new is not old for new, old in zip(replaced, defaults, strict=True)):
                yield function, replaced


def _functions(namespace: Any, module: str) -> Iterator[FunctionType]:
    for value in list(namespace.values()):
        if type(value) is FunctionType and value.__module__ == module:
            yield value
        elif isinstance(value, type) and value.__module__ == module:
            yield from (function for function in vars(value).values() if type(function) is FunctionType)
