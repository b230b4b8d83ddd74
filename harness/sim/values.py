"""Values that events show: what was read or written, if it can be shown safely.

Looking runs no code of the program: attributes are taken from the instance's own dictionary and slots, items from exact
built-in containers under plain keys. Of containers the length is told; of other objects nothing, since their text may
hold addresses or be huge; of what is named like a secret only that it is one.
"""

from __future__ import annotations

import sys
from collections import deque
from types import FrameType, MemberDescriptorType, ModuleType

from harness.instrument import CONTAINERS, Site
from harness.registry.secrets import MASK, is_secret_name

__all__ = ["LARGEST_KEY", "NO_KEY", "NO_VALUE", "PLAIN", "peek", "shown_value", "variable"]

NO_KEY: object = object()
NO_VALUE: object = object()
LARGEST_KEY = 2**32  # a larger number is likely to be an object's id, which differs from run to run
_LONGEST = 40  # characters
PLAIN = frozenset({str, int, float, bool, bytes, type(None)})  # compared and shown without code of the program
_SIZED = frozenset({tuple, frozenset, *CONTAINERS})
_SETS = frozenset({set, frozenset})
_ROWS = frozenset({list, deque, bytearray})
_OPTIMIZED = 1  # flag of code whose locals are no dictionary


def shown_value(name: str, value: object) -> str:
    """Return what to show of a value that is held under a name; empty for what is not shown."""
    kind = type(value)
    if kind in _SIZED:
        return f"{kind.__name__} of {len(value)}"  # type: ignore[arg-type]  # these have a length
    if kind not in PLAIN or (kind is int and abs(value) > LARGEST_KEY):  # type: ignore[arg-type]  # it is a number
        return ""
    if kind in (str, bytes) and is_secret_name(name):
        return MASK
    text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def peek(obj: object, name: str | None, key: object) -> str:
    """Return what to show of an attribute, an item or a whole container; empty for what is not shown."""
    if key is not NO_KEY:
        return _item(obj, key)
    if type(obj) in _SIZED:
        return shown_value("", obj)
    if name is None:
        return ""
    value = _attribute(obj, name)
    return "" if value is NO_VALUE else shown_value(name, value)


def variable(site: Site) -> str:
    """Return what to show of the variable that is about to be read at a site, by code below on the stack."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != site.file:
        frame = frame.f_back
    if frame is None or site.name is None:
        return ""
    code = frame.f_code
    if site.name not in (*code.co_freevars, *code.co_cellvars):
        value = frame.f_globals.get(site.name, NO_VALUE)
    elif code.co_flags & _OPTIMIZED:
        values = frame.f_locals
        value = values.get(site.name, NO_VALUE)
        if sys.version_info < (3, 13):
            values.clear()  # a copy that would keep everything in it alive
    else:
        return ""
    return "" if value is NO_VALUE else shown_value(site.name, value)


def _item(obj: object, key: object) -> str:
    kind = type(obj)
    if kind not in _SIZED or type(key) not in PLAIN:
        return ""
    if kind in _SETS:
        return "in" if key in obj else "not in"  # type: ignore[operator]  # it is a set
    if isinstance(obj, dict):
        return shown_value(str(key), dict.__getitem__(obj, key)) if dict.__contains__(obj, key) else "nothing"
    if kind in _ROWS and type(key) is int:
        return shown_value("", obj[key]) if -len(obj) <= key < len(obj) else "nothing"  # type: ignore[index,arg-type]
    return shown_value("", obj)


def _attribute(obj: object, name: str) -> object:
    if issubclass(type(obj), (type, ModuleType)):
        return vars(obj).get(name, NO_VALUE)
    try:
        values = object.__getattribute__(obj, "__dict__")
    except AttributeError:
        values = {}
    if type(values) is dict and name in values:
        return values[name]
    for cls in type.__getattribute__(type(obj), "__mro__"):
        slot = vars(cls).get(name)
        if type(slot) is MemberDescriptorType:
            try:
                return slot.__get__(obj)
            except AttributeError:
                return NO_VALUE
    return NO_VALUE
