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


_COMPARED = "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __len__ __iter__ __repr__ __copy__ __deepcopy__ "
_DICT = _table(
    read=_COMPARED + "copy fromkeys items keys values __or__ __ror__ __reversed__",
    read_key="get __getitem__ __contains__",
    write="clear popitem update __ior__",
    write_key="pop setdefault __setitem__ __delitem__",
)
# Deleting an item of a sequence moves those behind it.
_SEQUENCE = _table(
    read=_COMPARED + "copy count index __contains__ __add__ __mul__ __rmul__ __reversed__",
    read_key="__getitem__",
    write="append clear extend insert pop remove reverse __delitem__ __iadd__ __imul__",
    write_key="__setitem__",
)
_LIST = _SEQUENCE | _table(write="sort")
_DEQUE = _SEQUENCE | _table(read="maxlen", write="appendleft extendleft popleft rotate")
_BYTES = _SEQUENCE | _table(
    read="capitalize center decode endswith expandtabs find fromhex hex isalnum isalpha isascii isdigit islower "
    "isspace istitle isupper join ljust lower lstrip maketrans partition removeprefix removesuffix replace rfind "
    "rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title translate upper zfill "
    "__mod__ __rmod__ __alloc__",
)
_ARRAY = _SEQUENCE | _table(
    read="buffer_info itemsize tobytes tofile tolist tounicode typecode",
    write="byteswap frombytes fromfile fromlist fromunicode",
)
_SET = _table(
    read=_COMPARED + "copy difference intersection isdisjoint issubset issuperset symmetric_difference union "
    "__and__ __or__ __sub__ __xor__ __rand__ __ror__ __rsub__ __rxor__",
    read_key="__contains__",
    write="clear difference_update intersection_update pop symmetric_difference_update update "
    "__iand__ __ior__ __isub__ __ixor__",
    write_key="add discard remove",
)
_VIEW = _table(
    read=_COMPARED + "isdisjoint mapping __contains__ __reversed__ "
    "__and__ __or__ __sub__ __xor__ __rand__ __ror__ __rsub__ __rxor__"
)
_VIEWED: tuple[dict[object, object], ...] = ({}, collections.OrderedDict())

# Exact types only: a subclass may have Python code behind any of these methods, and is seen through that. The views of
# a dict cannot be written through, but what they show changes under them.
CONTAINERS: dict[type, dict[str, Effect]] = {
    dict: _DICT,
    collections.OrderedDict: _DICT | _table(write="move_to_end"),
    collections.defaultdict: _DICT | _table(read="default_factory", write_key="__getitem__ __missing__"),
    list: _LIST,
    set: _SET,
    collections.deque: _DEQUE,
    bytearray: _BYTES,
    array: _ARRAY,
    **{type(view): _VIEW for viewed in _VIEWED for view in (viewed.keys(), viewed.values(), viewed.items())},
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
