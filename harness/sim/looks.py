"""What operators and methods look at in a container or an instance: its keys, its items, or nothing that may change."""

from __future__ import annotations

import gc
from collections.abc import ItemsView, ValuesView

from harness.instrument import CONTAINERS
from harness.sim.reach import VIEWS, behind

__all__ = ["has_keys", "is_method", "opened", "takes"]

# Methods of which Python calls the first that there is.
_INSTEAD = {"__bool__": ("__bool__", "__len__"), "__contains__": ("__contains__", "__iter__", "__getitem__")}
_LARGEST_EXPANDED = 1_000


def is_method(container: object, name: str | None) -> bool:
    """Return whether an attribute of a container is a method of its built-in type: looking it up touches no item."""
    return name in CONTAINERS.get(type(container), ()) and name != "default_factory"


def has_keys(container: object) -> bool:
    """Return whether what is searched for in a container is a key; in a sequence, any item may be the one."""
    return isinstance(behind(container), (dict, set)) and not isinstance(container, (ValuesView, ItemsView))


def takes(kind: type, method: str | None) -> bool:
    """Return whether a method, or what Python calls in its place, may be called on instances of a foreign type."""
    return any(hasattr(kind, name) for name in _INSTEAD.get(method or "", (method or "",)))


def opened(fresh: object) -> object:
    """Return what stands for a fresh object among the arguments of a call: what it leads to."""
    is_open = type(fresh) in CONTAINERS and type(fresh) not in VIEWS and len(fresh) < _LARGEST_EXPANDED  # type: ignore[arg-type]
    return tuple(gc.get_referents(fresh)) if is_open else fresh
