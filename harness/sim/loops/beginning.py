"""What asyncio gives a loop when it makes one: the same again and again, so it is looked at once and copied.

An execution of a program makes a loop or several and lives for some hundred microseconds. The attributes are those of a
loop that asyncio has made; what changes in place is made anew for each.
"""

from __future__ import annotations

import os
import sys
from asyncio import base_events, coroutines
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["begin_loop"]

_GIVEN_BY_OURS = frozenset({"_asyncgens"})
_UNCHANGING = (type(None), bool, int, float)
_ENVIRON = os.environ
_VARIABLES: dict[object, object] = vars(os.environ)["_data"]  # to ask the environment itself takes four calls
_KEY: object = vars(os.environ)["encodekey"]("PYTHONASYNCIODEBUG")


def begin_loop(loop: Any) -> None:
    """Give a new loop what asyncio's own ``__init__`` gives it, but for what holds its async generators."""
    attributes = vars(loop)
    attributes.update(_SHARED)
    for name, make in _OWN:
        attributes[name] = make()
    if _KEY in _VARIABLES or sys.flags.dev_mode or os.environ is not _ENVIRON:
        loop.set_debug(coroutines._is_debug_mode())  # type: ignore[attr-defined]  # no stub has it


def _look() -> tuple[dict[str, object], tuple[tuple[str, Callable[[], object]], ...]]:
    """Return the attributes that loops can share, and what makes those that are each loop's own."""
    made = base_events.BaseEventLoop()
    found = {name: value for name, value in vars(made).items() if name not in _GIVEN_BY_OURS}
    found["_debug"] = False
    own = {name: value for name, value in found.items() if type(value) not in _UNCHANGING}
    copies = tuple((name, partial(copy, value) if value else type(value)) for name, value in own.items())
    made.close()
    return {name: value for name, value in found.items() if name not in own}, copies


_SHARED, _OWN = _look()
