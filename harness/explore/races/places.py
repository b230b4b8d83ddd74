"""Where an attribute is kept: in its instance, where two accesses may race, or wherever its code likes to keep it."""

from __future__ import annotations

from collections.abc import Callable
from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType, WrapperDescriptorType

__all__ = ["ASIDE", "CODE", "MARKED", "MARKER", "STORED", "is_stored", "place_of"]

# A class names its attributes that are meant to be read without a lock: ``__synchronises__ = ("_state",)``. A write of
# one publishes, a read acquires, as of a volatile field in Java; neither is ever part of a race.
MARKER = "__synchronises__"

STORED = "stored"  # in the instance
MARKED = "marked"  # in the instance, and it orders tasks
CODE = "code"  # a property or the like: its code makes the accesses
ASIDE = "aside"  # the class has a ``__setattr__`` of its own: in the instance, or for each thread apart, say

_DESCRIPTORS = (GetSetDescriptorType, MemberDescriptorType)
_mro_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_attributes_of: Callable[[type], MappingProxyType[str, object]] = type.__dict__["__dict__"].__get__


def place_of(kind: type, name: str) -> str:
    """Return where instances of a type keep an attribute, save for one that is marked."""
    member = _member(kind, name)
    if member is not None and type(member) not in _DESCRIPTORS and _member(type(member), "__set__") is not None:
        return CODE
    return STORED if type(_member(kind, "__setattr__")) is WrapperDescriptorType else ASIDE


def is_stored(obj: object, name: str) -> bool:
    """Return whether an attribute is in the instance itself."""
    try:
        if name in object.__getattribute__(obj, "__dict__"):
            return True
    except AttributeError:
        pass
    return type(_member(type(obj), name)) is MemberDescriptorType


def _member(kind: type, name: str) -> object:
    return next((_attributes_of(cls)[name] for cls in _mro_of(kind) if name in _attributes_of(cls)), None)
