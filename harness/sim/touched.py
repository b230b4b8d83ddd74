"""What exactly a call touches: the objects among its arguments, and what they lead to, as deep as its effect says."""

from __future__ import annotations

import gc
import re
import types
from collections.abc import Iterable, Sequence
from types import FunctionType, MethodType
from typing import final

from harness.instrument import CONTAINERS, CallEffect
from harness.instrument.function_effects import ALONE
from harness.sim.authors import Authors
from harness.sim.call import Call
from harness.sim.event import NO_KEY
from harness.sim.kinds import CONTAINER, FOREIGN, FROZEN, ITERATOR, OWN, KindTable
from harness.sim.reach import ANYTHING, FILES, KEPT, behind, is_stepped, leads_to_mutable, reach, sources
from harness.sim.stepping import Access, StepTable

__all__ = ["Touched"]

_COPYING = ("__copy__", "__getstate__", "__reduce__", "__reduce_ex__")
_CHANGING = frozenset({CONTAINER, ITERATOR, FOREIGN})
_WORD = re.compile(r"\b[A-Za-z_]\w*")
_OPERATORS = frozenset({"True", "False", "None", "and", "or", "not", "in", "is", "if", "else"})
_CHOOSERS = frozenset({"max", "min"})
_BEYOND = {"kept": KEPT, "outside": FILES, "anything": ANYTHING}  # what cannot be reached, by effect
_MOST_ITEMS = 1_000  # looked at for code of the program


@final
class Touched:
    """Says what calls touch whose effect is known. Confined to one exploration.

    Args:
        kinds: How objects are treated.
        own: Ids of the namespaces of the instrumented modules.
        authors: Who wrote the methods of classes.
        steps: What steps of iterators touch.
    """

    def __init__(self, kinds: KindTable, own: frozenset[int], authors: Authors, steps: StepTable) -> None:
        self._kinds, self._own, self._authors, self._steps = kinds, own, authors, steps

    def is_any(self, effect: CallEffect, arguments: Sequence[object]) -> bool:
        """Return whether a call of that effect touches anything that may change."""
        depth, kinds = effect.reads, self._kinds
        if depth == "nothing" or not arguments:
            return False
        if depth == "shallow":
            return any(kinds[type(argument)] in _CHANGING or self._is_copied(argument) for argument in arguments)
        if depth == "pairs" and any(kinds[type(item)] == CONTAINER for arg in arguments for item in _items(arg)):
            return True
        if depth in ("whole", "pairs"):
            return not _CHANGING.isdisjoint([kinds[type(argument)] for argument in arguments])
        if depth == "text":
            return any(map(self._shows, arguments))
        if depth == "anything" and _mentions_names(arguments[0]):
            return True
        return leads_to_mutable(arguments, kinds)

    def _is_copied(self, obj: object) -> bool:
        """Return whether a copy reads the attributes of an instance itself, not by methods of the program's."""
        methods = (getattr(type(obj), name, None) for name in _COPYING)
        return self._kinds[type(obj)] == OWN and not any(type(method) is FunctionType for method in methods)

    def _shows(self, obj: object) -> bool:
        """Return whether the text of an object, or a comparison with it, reads what may change."""
        if self._kinds[type(obj)] == OWN:
            return self._authors.of(type(obj)) in ("generated", "foreign")
        return leads_to_mutable([obj], self._kinds, instances=False)

    def accesses(self, call: Call) -> list[Access] | None:
        """Return what a call touches, each object once, or ``None`` where that is not known for sure."""
        effect = call.effect
        if effect.reads in ("alone", "reach", "kept", "outside", "anything") or (
            effect.calls_back and self._may_call_back(call)
        ):
            return None
        if effect.reads in ("whole", "pairs") and any(
            self._kinds[type(behind(obj))] == FOREIGN for obj in call.arguments
        ):
            return None  # its ``__len__`` or ``__iter__`` may do anything
        found = [] if call.touches_receiver is None else [call.touches_receiver]
        if effect.writes_first and call.arguments:
            found.append((behind(call.arguments[0]), NO_KEY, "write"))
        if effect.reads != "nothing":
            for obj in self._read(effect, call.arguments):
                is_iterator = self._kinds[type(obj)] == ITERATOR
                found.append((obj, NO_KEY, "write" if is_iterator else "read"))
            for iterator in [obj for obj in call.arguments if self._kinds[type(obj)] == ITERATOR]:
                touched = self._steps.accesses(iterator)
                if touched is None:
                    return None
                found += touched
        return _strongest(found)

    def direct(self, call: Call) -> list[object]:
        """Return those of the arguments that may change."""
        return [behind(obj) for obj in call.arguments if self._kinds[type(obj)] in (CONTAINER, ITERATOR, OWN, FOREIGN)]

    def reached(self, call: Call) -> tuple[list[object], bool]:
        """Return all that an opaque call may touch, and whether that is all of it."""
        if call.effect is ALONE:
            return [call.receiver], True
        roots = [*call.arguments] if call.receiver is None else [call.receiver, *call.arguments]
        found, is_all = reach(roots, self._kinds)
        beyond = _BEYOND.get(call.effect.reads)
        return (found, is_all) if beyond is None else ([*found, beyond], False)

    def _read(self, effect: CallEffect, arguments: Sequence[object]) -> list[object]:
        if effect.reads in ("whole", "pairs", "shallow"):
            found: list[object] = []
            for argument in arguments:
                kind = self._kinds[type(argument)]
                if kind in (CONTAINER, FOREIGN) or (effect.reads == "shallow" and self._is_copied(argument)):
                    found.append(behind(argument))
                if effect.reads == "pairs" and not hasattr(type(argument), "keys"):
                    found += [item for item in _items(argument) if self._kinds[type(item)] == CONTAINER]
            return found
        shown = [argument for argument in arguments if effect.reads != "text" or self._shows(argument)]
        return reach(shown, self._kinds)[0]

    def _may_call_back(self, call: Call) -> bool:
        """Return whether code of the program may run within the call: a function given, or methods of items."""
        roots = [*call.arguments] if call.receiver is None else [call.receiver, *call.arguments]
        gone_through = [obj for obj in roots if self._kinds[type(obj)] in (CONTAINER, ITERATOR)]
        if call.name in _CHOOSERS and gone_through and all(map(is_stepped, gone_through)):
            return False  # one item at a time, and what is compared are keys
        return any(map(self._runs_own_code, roots)) or any(self._steps_through_own_code(obj, call) for obj in roots)

    def _steps_through_own_code(self, obj: object, call: Call) -> bool:
        """Return whether items that are gone through have methods of the program, or come from its functions."""
        kind = self._kinds[type(obj)]
        if kind == ITERATOR:
            # What a function takes from a generator is its own; a container that is filled from one changes in between.
            if hasattr(obj, "gi_frame"):
                return call.touches_receiver is not None
            is_own = any(map(self._runs_own_code, gc.get_referents(obj)))
            return is_own and any(self._kinds[type(source)] == CONTAINER for source in sources(obj, self._kinds))
        if kind == CONTAINER or issubclass(type(obj), tuple):
            items = list(dict.__iter__(obj) if isinstance(obj, dict) else _items(obj))
            return any(map(self._runs_own_code, items[:_MOST_ITEMS]))
        return False

    def _runs_own_code(self, obj: object) -> bool:
        kind = self._kinds[type(obj)]
        if type(obj) is FunctionType:
            return id(obj.__globals__) in self._own
        if type(obj) is MethodType:
            return self._runs_own_code(obj.__func__)
        return kind in (OWN, FROZEN) and self._authors.of(type(obj)) == "own"


def _mentions_names(text: object) -> bool:
    """Return whether text, or code compiled from it, may touch anything but constants."""
    if type(text) is types.CodeType:
        return bool(text.co_names) or any(type(part) is types.CodeType for part in text.co_consts)
    return type(text) is not str or not text.isascii() or not _OPERATORS.issuperset(_WORD.findall(text))


def _items(obj: object) -> Iterable[object]:
    plain: tuple[type, ...] = (list, tuple, set, frozenset)
    base = next((base for base in plain if isinstance(obj, base)), None)
    if base is not None:
        items: Iterable[object] = base.__iter__(obj)  # type: ignore[attr-defined]  # past a method of the program's own
        return items
    return list(obj) if type(obj) in CONTAINERS else ()  # type: ignore[call-overload]  # containers are iterable


def _strongest(accesses: Sequence[Access]) -> list[Access]:
    """Return the accesses with those left out that another one covers, writes last."""
    written = {id(obj) for obj, key, operation in accesses if operation == "write" and key is NO_KEY}
    read = {id(obj) for obj, key, operation in accesses if key is NO_KEY}
    kept: dict[object, Access] = {}
    for obj, key, operation in accesses:
        is_covered = id(obj) in written and (operation == "read" or key is not NO_KEY)
        is_covered = is_covered or (key is not NO_KEY and operation == "read" and id(obj) in read)
        if not is_covered:
            kept.setdefault((id(obj), operation, key is NO_KEY), (obj, key, operation))
    return sorted(kept.values(), key=lambda access: access[2] != "read")  # what is written is looked at after the step
