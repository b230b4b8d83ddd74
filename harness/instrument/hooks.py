"""The hooks that rewritten code calls, and the one name under which it finds them.

Rewritten code calls a hook *before* each operation that touches shared state. A hook gives back the object it was given
(or a shadow of a real lock), and the operation itself stays where it was, in the program's own frame: evaluation
order, exceptions and tracebacks are those of the original.

The name stands in ``builtins`` only while a world exists, and is no identifier, so that no program can collide with it.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import repeat
from typing import Protocol

__all__ = ["HOOKS_NAME", "MOST_ARGUMENTS", "Hooks", "are_hooks_installed", "install_hooks", "remove_hooks"]

HOOKS_NAME = "__harness hooks__"
MOST_ARGUMENTS = 2  # that `Hooks.called` takes: the interpreter is slower to call what takes any number


class Hooks(Protocol):
    """What a world offers to rewritten code. Sites are numbers in the exploration's `SiteTable`.

    A class whose functions take no ``self``: an attribute of a class is the cheapest call the interpreter has.
    """

    @staticmethod
    def attr(obj: object, site: int) -> object:
        """Before an attribute that instrumented code stores is read, written or deleted."""

    @staticmethod
    def quiet(obj: object, site: int) -> object:
        """Before an attribute that no instrumented code stores is read: counts on objects of foreign types only."""

    @staticmethod
    def lazy(obj: object, site: int) -> object:
        """Before an attribute is read that may be a cached property, which stores itself when it is first read."""

    @staticmethod
    def called(function: object, site: int, first: object = ..., second: object = ..., /) -> object:
        """Before a call whose function and arguments are all there; gives the function, or what stands in for it."""

    @staticmethod
    def called_with(function: object, site: int, /, *args: object) -> object:
        """As `called`, with any number of arguments."""

    @staticmethod
    def args(function: object, site: int, /, *args: object) -> tuple[object, ...]:
        """As `called`; gives function and arguments."""

    @staticmethod
    def item(obj: object, key: object, site: int) -> object:
        """Before a subscript; gives the object."""

    @staticmethod
    def key(obj: object, key: object, site: int) -> object:
        """Before a subscript; gives the key."""

    @staticmethod
    def pair(obj: object, key: object, site: int) -> tuple[object, object]:
        """Before a subscript; gives object and key."""

    @staticmethod
    def store(value: object, obj: object, key: object, site: int) -> tuple[object, object, object]:
        """Before the store of a subscript; gives object, key and value."""

    @staticmethod
    def within(obj: object, value: object, site: int) -> object:
        """Before a value is searched in an object; gives the object."""

    @staticmethod
    def member(value: object, obj: object, site: int) -> object:
        """Before a value is searched in an object; gives the value."""

    @staticmethod
    def searched(value: object, obj: object, site: int) -> tuple[object, object]:
        """Before a value is searched in an object; gives object and value."""

    @staticmethod
    def whole(obj: object, site: int) -> object:
        """Before a truth test, an unpacking or the like: a read of a whole container."""

    @staticmethod
    def unpacked(obj: object, site: int) -> object:
        """Before an item of a loop is unpacked."""

    @staticmethod
    def is_inside() -> bool:
        """Return whether a task runs here."""

    @staticmethod
    def text(obj: object, site: int) -> object:
        """Before an object becomes part of a text."""

    @staticmethod
    def contents(container: object) -> object:
        """Return what is in a container that nobody else can reach, ``None`` where that cannot change."""

    @staticmethod
    def shown(container: object, site: int) -> object:
        """Before a container that nobody else can reach becomes part of a text."""

    @staticmethod
    def gathered(obj: object, site: int) -> object:
        """Before a container that nobody else can reach takes what is in an object."""

    @staticmethod
    def sorting(method: object, contents: object, site: int) -> object:
        """Before a list that nobody else can reach is sorted; gives the method."""

    @staticmethod
    def matched(obj: object, site: int) -> object:
        """Before patterns look into an object."""

    @staticmethod
    def unseen(site: int) -> None:
        """Before code that is not rewritten, which may do anything."""

    @staticmethod
    def operand(value: object, other: object, site: int) -> object:
        """Before an operator is applied to two operands; gives the first."""

    @staticmethod
    def operands(value: object, other: object, site: int) -> tuple[object, object]:
        """Before an operator is applied to two operands; gives both."""

    @staticmethod
    def inplace(value: object, obj: object, site: int) -> object:
        """Before an in-place operation on an object; gives the operand."""

    @staticmethod
    def iterate(obj: object, site: int) -> object:
        """Before a loop; what it gives has a scheduling point before each step over what may change."""

    @staticmethod
    def delegate(obj: object, site: int) -> object:
        """Before ``yield from``; as `iterate`, but generators are given back as they are."""

    @staticmethod
    def stored(value: object, obj: object, site: int) -> object:
        """Before an attribute is stored; gives the value."""

    @staticmethod
    def storeditem(value: object, obj: object, key: object, site: int) -> object:
        """Before a subscript is stored; gives the value."""

    @staticmethod
    def name(site: int) -> None:
        """Before a shared global or closure variable is read."""

    @staticmethod
    def value(value: object, site: int) -> object:
        """Before a shared global or closure variable is stored; gives the value."""

    @staticmethod
    def enter(manager: object, site: int) -> object:
        """Before a ``with``; gives the manager, or the shadow of a real lock."""


def install_hooks(hooks: type[Hooks]) -> None:
    """Put the hooks, and the operations that go with them, where rewritten code finds them."""
    builtins.__dict__[HOOKS_NAME] = type(hooks.__name__, (hooks,), {**_OPERATIONS, **_compound_operations(hooks)})


def remove_hooks() -> None:
    """Take the hooks away again; without effect when there are none."""
    builtins.__dict__.pop(HOOKS_NAME, None)


def are_hooks_installed() -> bool:
    """Return whether some world has its hooks in place."""
    return HOOKS_NAME in builtins.__dict__


# What rewritten code calls besides the hooks, whatever names the program has given other meanings. All of it runs in C,
# so that no frame of ours stands between the program's own.
_BINARY = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "or", "xor", "and", "matmul"]
_OTHERS = ["eq", "ne", "lt", "le", "gt", "ge", "contains", "getitem", "setitem"]
_OPERATIONS = {
    "call": operator.call,
    "slice": slice,
    **{name: getattr(operator, f"__{name}__") for name in (*_BINARY, *(f"i{name}" for name in _BINARY), *_OTHERS)},
}


def _compound_operations(hooks: type[Hooks]) -> dict[str, object]:
    """Return the operations that pass a hook at a moment no expression of the program stands for."""

    def each(iterable: Iterable[object], site: int) -> Iterator[object]:
        """Before each store of a shared loop variable."""
        return map(hooks.value, iterable, repeat(site))

    def ready(bound: object, site: int, /, *args: object, **keywords: object) -> object:
        """Before a call with keywords; gives what makes the call when it is called with nothing."""
        if not callable(bound):
            return bound  # the program's own frame raises the TypeError
        given = (*args, *keywords.values())
        hook = hooks.called if len(given) <= MOST_ARGUMENTS else hooks.called_with
        function = hook(bound, site, *given)
        return partial(function, *args, **keywords)  # type: ignore[arg-type,operator,misc]  # it is callable

    def spread(iterable: Iterable[object], site: int) -> Iterator[object]:
        """Before each item of a loop is unpacked."""
        return map(hooks.unpacked, iterable, repeat(site)) if hooks.is_inside() else iterable  # type: ignore[return-value]

    return {"each": each, "ready": ready, "spread": spread}
