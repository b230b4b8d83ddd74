"""What one step of an iterator touches: what it goes through, and what the functions that it applies do to the items.

``map(len, rows)`` reads the rows as well as the list of them, ``iter(d.pop, None)`` writes, a generator of a module
that is not instrumented does what nobody sees. Functions of instrumented modules make their own scheduling points.
"""

from __future__ import annotations

import gc
import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, MethodType, MethodWrapperType
from typing import final

from harness.instrument import CONTAINERS, CallEffect, effect_of
from harness.sim.event import NO_KEY
from harness.sim.kinds import CLASS, CONTAINER, ITERATOR, OWN, KindTable
from harness.sim.reach import BUILTIN_METHODS, behind, reach, sources

__all__ = ["Access", "StepTable"]

Access = tuple[object, object, str]  # object, key or NO_KEY, read or write

# How far these read each item by themselves; the first ones only where they are given no function.
_UNLESS_GIVEN: dict[type, str] = {
    **dict.fromkeys((filter, itertools.filterfalse), "whole"),
    **dict.fromkeys((itertools.accumulate, itertools.groupby), "text"),
}
_ALWAYS: dict[type, str] = {itertools.starmap: "whole", itertools.chain: "whole", itertools.compress: "whole"}
_GETTERS: dict[type, str] = {operator.attrgetter: "deep", operator.itemgetter: "text"}
_BOUND = frozenset({*BUILTIN_METHODS, MethodWrapperType})


@final
class StepTable:
    """Says what steps of iterators touch. Confined to one exploration.

    Args:
        kinds: How objects are treated.
        is_seen: Whether functions that use a namespace make scheduling points, or need none.
        effects: What functions that are not rewritten do, by their ids.
    """

    def __init__(
        self,
        kinds: KindTable,
        is_seen: Callable[[dict[str, object]], bool],
        effects: Mapping[int, tuple[object, CallEffect]],
    ) -> None:
        self._kinds, self._is_seen_in, self._effects = kinds, is_seen, effects

    def accesses(self, iterator: object) -> list[Access] | None:
        """Return what a step touches, each object once, or ``None`` where nobody knows."""
        found = sources(iterator, self._kinds)
        touched = self._read(found)
        containers = [obj for obj in found if self._kinds[type(obj)] == CONTAINER]
        for each in found:
            if self._kinds[type(each)] == ITERATOR:
                functions = self._applied_by(each)
                done = [self._done_by(function, containers) for function in functions]
                if None in done:
                    return None
                own = _ALWAYS.get(type(each)) or (None if functions else _UNLESS_GIVEN.get(type(each)))
                if own is not None and not (type(each) is itertools.chain and _is_of_arguments(each)):
                    touched += self._read(self._inside(containers, own))
                touched += [access for accesses in done for access in accesses or ()]
        return list({(id(obj), operation): (obj, key, operation) for obj, key, operation in touched}.values())

    def applied(self, obj: object, function: object) -> list[Access] | None:
        """Return what a step through an object touches whose item a function is applied to, as `accesses`."""
        is_iterator = self._kinds[type(obj)] == ITERATOR
        touched = self.accesses(obj) if is_iterator else [(behind(obj), NO_KEY, "read")]
        if touched is None:
            return None
        containers = [each for each, _, _ in touched if self._kinds[type(each)] == CONTAINER]
        done = (
            self._read(self._inside(containers, "whole")) if function is None else self._done_by(function, containers)
        )
        return None if done is None else [*touched, *done]

    def is_alone(self, iterator: object) -> bool:
        """Return whether a step touches nothing but the iterator itself."""
        accesses = self.accesses(iterator)
        return accesses is not None and len(accesses) < 2

    def _applied_by(self, iterator: object) -> list[object]:
        """Return what an iterator calls for its items; a generator runs its own code."""
        if hasattr(iterator, "gi_frame"):
            return [iterator]
        parts = [part for part in gc.get_referents(iterator) if part is not type(iterator)]
        return [part for part in parts if callable(part) and self._kinds[type(part)] != ITERATOR]

    def _done_by(self, function: object, containers: Sequence[object]) -> list[Access] | None:
        """Return what a call for each of the items touches, besides what it is told as itself."""
        known = self._effects.get(id(function))
        if known is not None and known[1].reads == "anything":
            return None
        if known is not None and not known[1].writes_first:
            return self._read(self._inside(containers, known[1].reads))
        if type(function) in _GETTERS:
            return self._read(self._inside(containers, _GETTERS[type(function)]))
        if self.is_seen(function):
            return []
        receiver = getattr(function, "__self__", None) if type(function) in _BOUND else None
        if self._kinds[type(receiver)] == CONTAINER:
            return [*self._read(self._inside(containers, "text")), self._access_of_method(receiver, function)]
        leads_on = receiver is not None and self._kinds[type(receiver)] in (ITERATOR, OWN)
        is_plain = not leads_on and (type(function) in _BOUND or self._kinds[type(function)] == CLASS)
        return [] if is_plain and not self._inside(containers, "deep") else None

    def is_seen(self, function: object) -> bool:
        """Return whether a function makes scheduling points of its own, or needs none."""
        if hasattr(function, "gi_frame"):
            return function.gi_frame is None or self._is_seen_in(function.gi_frame.f_globals)
        if type(function) is MethodType:
            function = function.__func__
        if type(function) is FunctionType:
            return self._is_seen_in(function.__globals__)
        if self._kinds[type(function)] == CLASS:
            return self._kinds.is_own_class(function)  # type: ignore[arg-type]  # it is a class
        return self._kinds[type(function)] == OWN

    def _access_of_method(self, receiver: object, method: object) -> Access:
        base = next(base for base in type(receiver).__mro__ if base in CONTAINERS)
        writes = effect_of(base, method.__name__).writes  # type: ignore[attr-defined]  # methods have it
        return receiver, NO_KEY, "write" if writes else "read"

    def _inside(self, containers: Sequence[object], depth: str) -> list[object]:
        """Return what is read in containers, so deep."""
        if depth == "nothing" or not containers:
            return []
        if depth == "whole":
            return [item for container in containers for item in gc.get_referents(container) if self._is_changing(item)]
        known = set(map(id, containers))
        return [obj for obj in reach(containers, self._kinds, instances=depth != "text")[0] if id(obj) not in known]

    def _is_changing(self, obj: object) -> bool:
        return self._kinds[type(obj)] in (CONTAINER, ITERATOR)

    def _read(self, objects: Sequence[object]) -> list[Access]:
        return [(obj, NO_KEY, "write" if self._kinds[type(obj)] == ITERATOR else "read") for obj in objects]


def _is_of_arguments(chain: object) -> bool:
    """Return whether a chain goes through what it was called with, not through the items of something else."""
    return any(type(part) is type(iter(())) for part in gc.get_referents(chain))
