"""What the program's own code gives to functions written in C, which look into it: items, keys, results.

``sorted(shelves, key=lambda shelf: shelf.books)`` compares lists that no argument leads to, some steps after it got
them. Where such a value may change, it is told as touched by the call in a way that nobody knows.
"""

from __future__ import annotations

import functools
import gc
import heapq
import itertools
from collections.abc import Callable, Sequence
from functools import partial
from types import FunctionType, MethodType
from typing import Any, final

from harness.sim.kinds import CONTAINER, ITERATOR, KindTable
from harness.sim.reach import is_stepped, leads_to_mutable

__all__ = ["GivenTable"]

# By id of a function that looks into items: the position of what it goes through.
_POSITIONS: dict[int, int] = {
    **{
        id(function): 0 for function in (all, any, sum, max, min, sorted, dict, itertools.groupby, itertools.accumulate)
    },
    **{id(function): 1 for function in (functools.reduce, heapq.nlargest, heapq.nsmallest)},
    **{id(function): 1 for function in (filter, itertools.filterfalse)},
}
_METHODS = {"update": 0, "sort": 1}  # of containers, the same; what sort takes has names
_CHOOSERS = frozenset({id(max), id(min)})  # of several arguments they go through none
_DEEPEST = 5  # iterators that go through others

Note = Callable[[object], None]


@final
class GivenTable:
    """Stands between own code and functions that look into what it gives. Confined to one exploration.

    Args:
        kinds: How objects are treated.
        own: Ids of the namespaces of the instrumented modules.
    """

    def __init__(self, kinds: KindTable, own: frozenset[int]) -> None:
        self._kinds, self._own = kinds, own

    def looking(self, function: object, arguments: Sequence[object], note: Note) -> object:
        """Return a function, or what makes the same call and notes what own code gives it that may change."""
        position = _POSITIONS.get(id(function), -1)
        if position < 0:
            position = _METHODS.get(getattr(function, "__name__", ""), -1)
            if position < 0 or self._kinds[type(getattr(function, "__self__", None))] != CONTAINER:
                return function
        if id(function) in _CHOOSERS and sum(not callable(argument) for argument in arguments) > 1:
            position = len(arguments)
        is_fed = position < len(arguments) and self._is_fed(arguments[position])
        is_given_itself = any(argument is function for argument in arguments)  # by `==` the program's methods would run
        if not is_fed and not any(map(self._is_own, arguments)) and not is_given_itself:
            return function

        def look(*args: Any, **keywords: Any) -> object:
            given = [self._noting(arg, note, is_gone_through=at == position) for at, arg in enumerate(args)]
            named = {name: self._noting(arg, note, is_gone_through=False) for name, arg in keywords.items()}
            return function(*given, **named)  # type: ignore[operator]  # it was to be called

        return look

    def items(self, obj: object, note: Note) -> object:
        """Return an iterable, noting what own code gives it that may change."""
        return self._noting(obj, note, is_gone_through=True)

    def feeds(self, iterables: Sequence[object]) -> bool:
        """Return whether code of the program makes the items of one of some iterables."""
        return any(map(self._is_fed, iterables))

    def _noting(self, argument: object, note: Note, *, is_gone_through: bool) -> object:
        pass_on = partial(self._pass_on, note)
        if self._is_own(argument):
            return lambda *args: pass_on(argument(*args))  # type: ignore[operator]  # it is a function
        return map(pass_on, argument) if is_gone_through and self._is_fed(argument) else argument  # type: ignore[call-overload]

    def _pass_on(self, note: Note, given: object) -> object:
        if leads_to_mutable([given], self._kinds, instances=False):
            note(given)
        return given

    def _is_own(self, obj: object) -> bool:
        """Return whether an object is a function of the program."""
        function = obj.__func__ if type(obj) is MethodType else obj
        return type(function) is FunctionType and id(function.__globals__) in self._own

    def _is_fed(self, obj: object, depth: int = 0) -> bool:
        """Return whether an iterator runs code of the program."""
        if self._kinds[type(obj)] != ITERATOR or is_stepped(obj) or depth > _DEEPEST:
            return False
        frame = getattr(obj, "gi_frame", None)
        if hasattr(obj, "gi_frame"):
            return frame is not None and id(frame.f_globals) in self._own
        parts = gc.get_referents(obj)
        parts += [part for held in parts if type(held) is tuple for part in held]
        return any(self._is_own(part) or self._is_fed(part, depth + 1) for part in parts)
