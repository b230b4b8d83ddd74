"""What the methods of the mutable built-in types do to their object: read it or write it, one key or the whole.

A method that is not listed counts as a write of the whole object: assuming too much costs a scheduling point,
assuming too little costs a missed race.
"""

from __future__ import annotations

import collections
from array import array
from dataclasses import dataclass

__all__ = ["CONTAINERS", "IMMUTABLE", "Effect", "effect_of"]


@dataclass(frozen=True, slots=True)
class Effect:
    """Effect of one method: ``writes`` the object or only reads it; ``keyed`` when its first argument is the key."""

    writes: bool
    keyed: bool = False


_READ, _WRITE = Effect(writes=False), Effect(writes=True)
_READ_KEY, _WRITE_KEY = Effect(writes=False, keyed=True), Effect(writes=True, keyed=True)


def _table(read: str = "", write: str = "", read_key: str = "", write_key: str = "") -> dict[str, Effect]:
    rows = ((read, _READ), (write, _WRITE), (read_key, _READ_KEY), (write_key, _WRITE_KEY))
    return {name: effect for names, effect in rows for name in names.split()}


_DICT = _table(
    read="copy items keys values __len__ __iter__ __eq__ __ne__ __or__ __repr__ __reversed__",
    read_key="get __getitem__ __contains__",
    write="clear popitem update __ior__",
    write_key="pop setdefault __setitem__ __delitem__",
)
_LIST = _table(
    read="copy count index __len__ __iter__ __contains__ __eq__ __add__ __mul__ __repr__ __reversed__",
    read_key="__getitem__",
    write="append clear extend insert pop remove reverse sort __iadd__ __imul__",
    write_key="__setitem__ __delitem__",
)
_SET = _table(
    read="copy difference intersection isdisjoint issubset issuperset symmetric_difference union __len__ __iter__ "
    "__eq__ __le__ __lt__ __ge__ __gt__ __and__ __or__ __sub__ __xor__ __repr__",
    read_key="__contains__",
    write="clear difference_update intersection_update pop symmetric_difference_update update",
    write_key="add discard remove",
)
_DEQUE = _LIST | _table(write="appendleft extendleft popleft rotate")

# Exact types only: a subclass may have Python code behind any of these methods, and is seen through that.
CONTAINERS: dict[type, dict[str, Effect]] = {
    dict: _DICT,
    collections.OrderedDict: _DICT | _table(write="move_to_end"),
    collections.defaultdict: _DICT | _table(write_key="__getitem__"),
    list: _LIST,
    set: _SET,
    collections.deque: _DEQUE,
    bytearray: _LIST,
    array: _LIST,
}

# Objects of these types cannot change, so nothing on them is a scheduling point.
IMMUTABLE: frozenset[type] = frozenset(
    {
        *(int, float, complex, bool, str, bytes, tuple, frozenset, range, slice, type(None), type(...)),
        *(type(len), type([].append), type(str.join), type(NotImplemented), super, property, staticmethod, classmethod),
    }
)


def effect_of(container: type, method: str) -> Effect:
    """Return what a method of a container type does; unlisted methods write the whole object."""
    return CONTAINERS[container].get(method, _WRITE)
