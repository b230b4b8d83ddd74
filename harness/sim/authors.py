"""Who wrote the comparisons and texts of a class: whether they run code of the program, or code nobody sees."""

from __future__ import annotations

from types import FunctionType
from typing import Literal, final

from harness.instrument.function_effects import HARMLESS_MODULES

__all__ = ["Author", "Authors"]

Author = Literal["none", "own", "generated", "foreign"]

_METHODS = ["__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__repr__", "__str__", "__format__"]
_GENERATORS = frozenset({"dataclasses", "reprlib"})
_LEAST_KNOWN_FIRST: tuple[Author, ...] = ("foreign", "generated", "own", "none")


@final
class Authors:
    """Tells the authors of classes, each looked up once. Confined.

    Args:
        own: Ids of the namespaces of the instrumented modules.
    """

    def __init__(self, own: frozenset[int]) -> None:
        self._own = own
        self._known: dict[type, Author] = {}

    def of(self, kind: type) -> Author:
        """Return who wrote the comparisons and texts of a class, the least known of them."""
        found = self._known.get(kind)
        if found is None:
            methods = [getattr(kind, name, None) for name in _METHODS]
            met = {"none", *(self._of_method(method) for method in methods if method is not None)}
            found = self._known[kind] = next(author for author in _LEAST_KNOWN_FIRST if author in met)
        return found

    def _of_method(self, method: object) -> Author:
        if type(method) is not FunctionType:
            return "none"
        module = method.__globals__.get("__name__")
        if method.__code__.co_filename == "<string>" or module in _GENERATORS:
            return "generated"
        if id(method.__globals__) in self._own:
            return "own"
        return "none" if module in HARMLESS_MODULES else "foreign"
