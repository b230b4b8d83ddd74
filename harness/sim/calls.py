"""What a call of a function that is not rewritten touches.

The table of `harness.instrument.function_effects` and that of the containers' methods say what is known; any other such
call is opaque. Functions that are rewritten, and those that make scheduling points of their own, are no such calls.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
import types
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextvars import Context
from functools import partial
from pathlib import PurePath
from types import BuiltinMethodType, FunctionType, MethodType
from typing import final

from harness.instrument import CONTAINERS, OPAQUE, CallEffect, call_effects, effect_of
from harness.instrument.function_effects import (
    ALONE,
    DEEP,
    EVALUATES,
    HARMLESS_MODULES,
    KEEPS,
    LOGS,
    NOTHING,
    OF_PATHS,
    OUTER_MODULES,
    OUTSIDE,
    PAIRS,
    SCANS,
    TEXT,
    WHOLE,
)
from harness.sim.authors import Authors
from harness.sim.call import Call
from harness.sim.event import NO_KEY
from harness.sim.indirect import accessor_call, confined_call, dispatch_call, slot_call
from harness.sim.kept_state import KeptState
from harness.sim.kinds import CLASS, CONTAINER, FOREIGN, FROZEN, ITERATOR, LOCK, MAP_TYPES, OWN, KindTable
from harness.sim.reach import (
    BUILTIN_METHODS,
    behind,
    leads_to_mutable,
)
from harness.sim.stepping import StepTable
from harness.sim.touched import Touched

__all__ = ["CallTable"]

_STORING = frozenset(
    {"append", "appendleft", "insert", "add", "discard", "setdefault", "get", "pop", "move_to_end"}
    | {"__getitem__", "__setitem__", "__delitem__"}
)
_COMPARISONS = frozenset(["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"])
_LOOKING = _COMPARISONS | {"index", "count", "remove", "sort", "__contains__"}
_CALLING_BACK = frozenset({*_LOOKING, "__reversed__"})
_FORMATS = frozenset({"format", "format_map"})
_TESTING = ("unittest", "_pytest", "pytest", "hypothesis")  # these look at what they are given, and raise
_GETTERS = {operator.attrgetter: DEEP, operator.itemgetter: WHOLE, operator.methodcaller: OPAQUE}


@final
class CallTable:
    """Says what calls touch. Confined to one exploration.

    Args:
        kinds: How objects are treated.
        own: Ids of the namespaces of the instrumented modules.

    Attributes:
        effects: What functions do of which that is known, by their ids.
        steps: What steps of iterators touch.
        touched: What calls touch, once their effect is known.
    """

    def __init__(self, kinds: KindTable, own: Iterable[int]) -> None:
        self._kinds, self._own = kinds, frozenset(own)
        self.effects = call_effects()
        self.steps = StepTable(kinds, self._is_seen, self.effects)
        self._authors = Authors(self._own)
        self.touched = Touched(kinds, self._own, self._authors, self.steps)
        self._kept = KeptState(kinds, self._is_seen)
        self._of_modules: dict[int, CallEffect] = {}  # by id of the namespace, of functions without a known effect
        self._of_classes: dict[type, CallEffect] = {}
        self._of_names: dict[object, CallEffect] = {}  # by name of the module
        # Of methods of containers: whether they write, whether they take a key, and what they read besides.
        self._of_methods: dict[tuple[type, str], tuple[bool, bool, CallEffect]] = {}
        # What is known to touch nothing, for the hook to ask first.
        self.silent_namespaces: set[int] = set()
        self.silent_classes: set[type] = set()
        self._by_type: dict[type, Callable[..., Call | None]] = {
            FunctionType: self._of_function,
            MethodType: self._of_method,
            **dict.fromkeys(BUILTIN_METHODS, self._of_builtin),
            types.MethodWrapperType: self._of_builtin,
            types.MethodDescriptorType: self._of_descriptor,
            types.WrapperDescriptorType: self._of_descriptor,
            types.ClassMethodDescriptorType: self._of_descriptor,
            partial: self._of_partial,
            functools._lru_cache_wrapper: self._of_cache,
            weakref.ref: self._of_reference,
        }

    def resolve(self, function: object, arguments: Sequence[object]) -> Call | None:
        """Return what a call is about to touch, or ``None`` where it touches nothing that may change."""
        known = self.effects.get(id(function))
        if known is not None:
            return self._call(known[1], arguments, _name_of(function)) if known[1] is not NOTHING else None
        handler = self._by_type.get(type(function))
        if handler is not None:
            return handler(function, arguments)
        if issubclass(type(function), type):
            return self._of_class(function, arguments)  # type: ignore[arg-type]  # its type says so
        return self._of_object(function, arguments)

    # By kind of callable

    def _of_function(self, function: FunctionType, arguments: Sequence[object]) -> Call | None:
        namespace = function.__globals__
        if id(namespace) in self._own:
            return None
        effect = self._effect_of_namespace(namespace)
        if effect is NOTHING or effect is OUTSIDE:
            known = dispatch_call(function)
            if known is not None:
                return known
        if effect is OPAQUE:
            if self._kept.is_used_by(function):
                return Call(_name_of(function), KEEPS, None, None, [function, *arguments])
            if function.__closure__:
                arguments = [function, *arguments]
        return self._call(self._logged(effect, arguments), arguments, function.__name__)

    def _logged(self, effect: CallEffect, arguments: Sequence[object]) -> CallEffect:
        """Return the effect of a call on arguments: texts that are made for a log make no scheduling points."""
        if effect is not LOGS:
            return effect
        own = [arg for arg in arguments if self._kinds[type(arg)] == OWN and self._authors.of(type(arg)) == "own"]
        return DEEP if own else TEXT

    def is_announced(self, function: object, arguments: Sequence[object] = ()) -> bool:
        """Return whether a call by a library needs no hook: the function makes its own points, or belongs to asyncio.

        Args:
            function: The function.
            arguments: What it is called with first, as far as that is known.
        """
        if type(function) is partial:
            return self.is_announced(function.func, (*function.args, *arguments))
        if type(function) in BUILTIN_METHODS:
            receiver = type(function.__self__)  # type: ignore[attr-defined]  # methods have it
            if receiver is Context and arguments:  # its `run`
                return self.is_announced(arguments[0], arguments[1:])
            return any(base.__module__ == "_asyncio" for base in receiver.__mro__)
        if type(function) is MethodType and self._kinds[type(function.__self__)] == FOREIGN:
            return type(function.__self__).__module__.startswith("asyncio.")
        return self.steps.is_seen(function)

    def is_interruptible(self, function: object) -> bool:
        """Return whether a call with nothing may make scheduling points before it ends, or touch what may change."""
        if type(function) is partial:
            return self.is_interruptible(function.func)
        if type(function) is MethodType:
            return self.is_interruptible(function.__func__)
        if type(function) in BUILTIN_METHODS or type(function) is types.MethodWrapperType:
            return leads_to_mutable([function.__self__], self._kinds)  # type: ignore[attr-defined]  # methods have it
        if type(function) is FunctionType:
            is_own = id(function.__globals__) in self._own
            names = function.__code__.co_names + function.__code__.co_freevars
            return is_own and ("__post_init__" in names if _is_generated(function) else bool(names))
        if self._kinds[type(function)] == CLASS:
            return any(self.is_interruptible(getattr(function, name)) for name in ("__new__", "__init__"))
        return self._kinds[type(function)] == OWN

    def _is_seen(self, namespace: dict[str, object]) -> bool:
        return id(namespace) in self._own or self._effect_of_namespace(namespace) is NOTHING

    def _effect_of_namespace(self, namespace: dict[str, object]) -> CallEffect:
        found = self._of_modules.get(id(namespace))
        if found is None:
            found = self._of_modules[id(namespace)] = self._effect_of_module(namespace.get("__name__"))
            if found is NOTHING and namespace is not vars(functools):  # what that makes has tables of its own
                self.silent_namespaces.add(id(namespace))
        return found

    def _of_method(self, method: MethodType, arguments: Sequence[object]) -> Call | None:
        function, receiver = method.__func__, method.__self__
        if type(function) is not FunctionType:
            return self.resolve(function, [receiver, *arguments])
        namespace = function.__globals__
        if id(namespace) in self._own:
            return None
        known = self.effects.get(id(function))
        if known is not None:
            return self._call(known[1], [receiver, *arguments], function.__name__)
        kind = self._kinds[type(receiver)]
        effect = self._logged(self._effect_of_namespace(namespace), arguments)
        confined = confined_call(receiver, function.__name__, arguments) if kind == FOREIGN else None
        if confined is not None:
            return confined
        is_unknown = effect is OPAQUE
        if kind == FOREIGN and effect is NOTHING:
            effect = OPAQUE
        if function.__name__ in OF_PATHS and isinstance(receiver, PurePath):
            return self._call(OUTSIDE, arguments, function.__name__)
        if is_unknown and (self._kept.is_used_by(function) or self._kept.is_in_class(type(receiver))):
            return Call(_name_of(function), KEEPS, receiver, None, [function, *arguments])
        if kind == FOREIGN or effect.reads == "reach":
            return self._call(effect, [receiver, *arguments], function.__name__, receiver)
        return self._call(effect, arguments, function.__name__)

    def _of_builtin(self, function: BuiltinMethodType, arguments: Sequence[object]) -> Call | None:
        receiver, name = function.__self__, function.__name__
        if receiver is None or type(receiver) is types.ModuleType:  # isinstance may ask the receiver for its class
            module = getattr(function, "__module__", None)
            found = accessor_call(function, arguments, self._kinds) if module == "builtins" else None
            return found or self._call(self._effect_of_module(module), arguments, name)
        return self._of_receiver(receiver, name, arguments, function)

    def _of_receiver(self, receiver: object, name: str, arguments: Sequence[object], function: object) -> Call | None:
        if type(receiver) is types.MappingProxyType:
            receiver = behind(receiver)
        if type(receiver) is types.MemberDescriptorType:
            return slot_call(receiver, name, arguments, self._kinds)
        kind = self._kinds[type(receiver)]
        if kind == CONTAINER:
            return self._of_container(receiver, name, arguments)
        if kind == ITERATOR:
            return self._call(WHOLE, [receiver, *arguments], name)
        if kind == LOCK or isinstance(function, type):
            return None
        if kind == CLASS:
            return self._of_class_method(receiver, name, arguments)
        if kind in (OWN, FROZEN) and name.startswith("__"):
            return self._of_slot(receiver, name, arguments)
        runs = type(receiver) is Context and name == "run" and bool(arguments)
        if runs and self.resolve(arguments[0], arguments[1:]) is None:
            return Call(name, ALONE, receiver, None, arguments)  # it is entered, and left later
        confined = confined_call(receiver, name, arguments) if kind == FOREIGN else None
        if confined is not None:
            return confined
        if kind in (FOREIGN, OWN):
            return self._call(OPAQUE, [receiver, *arguments], name, receiver)
        return self._of_unchanging(receiver, name, arguments)

    def _of_container(self, receiver: object, name: str, arguments: Sequence[object]) -> Call:
        known = self._of_methods.get((type(receiver), name))
        if known is None:
            known = self._of_methods[type(receiver), name] = self._effect_of_method(type(receiver), name)
        writes, keyed, read = known
        key = arguments[0] if keyed and arguments else NO_KEY
        looked_at = [receiver, *arguments] if name in _LOOKING else arguments
        return Call(name, read, receiver, (receiver, key, "write" if writes else "read"), looked_at)

    def _effect_of_method(self, kind: type, name: str) -> tuple[bool, bool, CallEffect]:
        base = next((base for base in kind.__mro__ if base in CONTAINERS), None)
        effect = effect_of(base, name) if base is not None else None
        writes, keyed = (effect.writes, effect.keyed) if effect is not None else (True, False)
        read = NOTHING if name in _STORING else TEXT if name in _LOOKING else WHOLE
        if name == "update" and issubclass(kind, dict):
            read = PAIRS
        return writes, keyed, dataclasses.replace(read, calls_back=name in _CALLING_BACK or keyed)

    def _of_class_method(self, cls: object, name: str, arguments: Sequence[object]) -> Call | None:
        if name == "__subclasses__":
            return Call(name, EVALUATES, None, None, ())
        is_static = not cls.__flags__ & (1 << 9)  # type: ignore[attr-defined]  # made by no class statement
        is_builtin = is_static or id(cls) in self.effects  # those of itertools are static up to 3.11
        return self._call(WHOLE if is_builtin else OPAQUE, arguments, name)

    def _of_slot(self, receiver: object, name: str, arguments: Sequence[object]) -> Call | None:
        """Return what a method written in C does to an instrumented class's instance, as by ``super().m()``."""
        if name in ("__setattr__", "__delattr__"):
            return Call(
                name, NOTHING, receiver, (receiver, NO_KEY, "write"), arguments, _stored_as(receiver, arguments)
            )
        if name == "__getattribute__":
            attribute = _stored_as(receiver, arguments)
            is_stored = attribute is not None
            return (
                Call(name, NOTHING, receiver, (receiver, NO_KEY, "read"), arguments, attribute) if is_stored else None
            )
        if name in ("__init__", "__init_subclass__", "__new__", "__hash__", "__eq__", "__ne__"):
            return None
        return self._call(TEXT, [receiver, *arguments], name)

    def _of_unchanging(self, receiver: object, name: str, arguments: Sequence[object]) -> Call | None:
        module = type(receiver).__module__
        if self._effect_of_module(module) is NOTHING:
            return None
        if type(receiver) in MAP_TYPES:
            return self._call(WHOLE, arguments, name) if name == "update" else None
        if issubclass(type(receiver), (tuple, frozenset)):
            return self._call(dataclasses.replace(TEXT, calls_back=True), [receiver, *arguments], name)
        return self._call(DEEP if name in _FORMATS else SCANS, arguments, name)

    def _of_descriptor(self, function: types.MethodDescriptorType, arguments: Sequence[object]) -> Call | None:
        if not arguments:
            return None
        return self._of_receiver(arguments[0], function.__name__, arguments[1:], function)

    def _of_partial(self, function: partial[object], arguments: Sequence[object]) -> Call | None:
        return self.resolve(function.func, [*function.args, *arguments, *function.keywords.values()])

    def _of_cache(self, function: functools._lru_cache_wrapper[object], arguments: Sequence[object]) -> Call:
        return Call(_name_of(function), OPAQUE, function, None, [function, *arguments])

    def _of_reference(self, function: weakref.ref[object], arguments: Sequence[object]) -> Call:  # noqa: ARG002 - as above
        """Whoever lets go of the object last decides what a weak reference gives, and no step says who that is."""
        return Call("weakref.ref", EVALUATES, None, None, ())

    def _of_class(self, cls: type, arguments: Sequence[object]) -> Call | None:
        if not arguments and not self._is_kept_by(cls):
            return None
        effect = self._of_classes.get(cls)
        if effect is None:
            effect = self._of_classes[cls] = self._effect_of_class(cls)
            if effect is NOTHING and type(cls) is type:
                self.silent_classes.add(cls)
        if effect is OPAQUE and self._is_kept_by(cls):
            return Call(_name_of(cls), KEEPS, None, None, arguments)
        return self._call(effect, arguments, cls.__name__)

    def _is_kept_by(self, cls: type) -> bool:
        """Return whether making an instance may touch what its module or its class keeps."""
        return not self._kinds.is_own_class(cls) and self._kept.is_used_by_making(cls)

    def _effect_of_class(self, cls: type) -> CallEffect:
        """Return what making an instance does to the arguments."""
        if issubclass(cls, BaseException):
            return NOTHING
        known = next((self.effects[id(base)][1] for base in cls.__mro__[:-1] if id(base) in self.effects), None)
        if known is not None:
            return known
        maker = next((vars(base)["__init__"] for base in cls.__mro__ if "__init__" in vars(base)), None)
        if type(maker) is FunctionType:
            is_rewritten = id(maker.__globals__) in self._own or maker.__code__.co_filename == "<string>"
            return NOTHING if is_rewritten else self._effect_of_module(maker.__globals__.get("__name__"))
        if maker is object.__init__ and self._kinds.is_own_class(cls):
            return NOTHING
        return self._effect_of_module(cls.__module__)

    def _of_object(self, function: object, arguments: Sequence[object]) -> Call | None:
        """Return what an instance with a ``__call__`` does."""
        kind, call = self._kinds[type(function)], getattr(type(function), "__call__", None)  # noqa: B004
        if kind == OWN and type(call) is FunctionType:
            return self._of_method(MethodType(call, function), arguments)
        if type(function) in _GETTERS:
            return self._call(_GETTERS[type(function)], arguments, type(function).__name__)
        if type(function) in self._kinds and kind not in (OWN, FOREIGN):
            return self._call(WHOLE, arguments, _name_of(function))
        if type(function).__module__ == "typing":
            return None
        return self._call(OPAQUE, [function, *arguments], type(function).__name__, function)

    def of_operator(self, name: str, left: object, right: object) -> Call | None:
        """Return what an operator is about to touch, named by its method; or ``None``."""
        left_kind = self._kinds[type(left)]
        if name.startswith("__i") and name != "__invert__":
            if left_kind == CONTAINER:
                return self._of_container(left, name, (right,))
            name = f"__{name[3:]}"
        foreign = [obj for obj in (left, right) if self._kinds[type(obj)] == FOREIGN and _has_own(type(obj), name)]
        if foreign:
            return Call(name, OPAQUE, foreign[0], None, (left, right))
        operands = [obj for obj in (left, right) if self._kinds[type(obj)] != FOREIGN]
        is_text = name == "__mod__" and any(isinstance(obj, (str, bytes)) for obj in operands)
        is_deep = is_text or name == "__contains__" or name in _COMPARISONS
        return self._call(SCANS if is_deep else WHOLE, operands, name)

    # Effects

    def _effect_of_module(self, name: object) -> CallEffect:
        if type(name) is not str:
            return OPAQUE
        found = self._of_names.get(name)
        if found is None:
            found = self._of_names[name] = self._effect_of_name(name)
        return found

    def _effect_of_name(self, name: str) -> CallEffect:
        if name.startswith("harness.sim") or name in HARMLESS_MODULES:
            return LOGS if name == "logging" else NOTHING
        if name in OUTER_MODULES:
            return OUTSIDE
        package = name.partition(".")[0]
        if package in _TESTING:
            return DEEP
        is_harmless = any(name.startswith(module + ".") for module in ("concurrent.futures", "asyncio", "logging"))
        return NOTHING if is_harmless or name.startswith("namedtuple_") else OPAQUE

    def _call(self, effect: CallEffect, arguments: Sequence[object], name: str, receiver: object = None) -> Call | None:
        if effect is NOTHING or (effect is not OUTSIDE and not self.touched.is_any(effect, arguments)):
            return None
        return Call(name, effect, receiver, None, arguments)


def _stored_as(obj: object, arguments: Sequence[object]) -> str | None:
    """Return the name under which an instance itself keeps the attribute that is asked for, ``None`` for others."""
    name = arguments[0] if arguments else None
    if type(name) is not str:
        return None
    found = [vars(cls)[name] for cls in type(obj).__mro__ if name in vars(cls)]
    is_stored = all(type(each) is types.MemberDescriptorType or not hasattr(type(each), "__get__") for each in found)
    return name if is_stored else None


def _is_generated(function: FunctionType) -> bool:
    return function.__code__.co_filename == "<string>"


def _has_own(kind: type, method: str) -> bool:
    """Return whether a type has a method that means more than the default."""
    return getattr(kind, method, None) is not getattr(object, method, None)


def _name_of(function: object) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    module = getattr(function, "__module__", None)
    return f"{module}.{name}" if module not in (None, "builtins") else str(name)
