"""Code objects of live functions matched to their rewritten counterparts.

Original and rewritten tree are compiled side by side; since rewriting adds no code object, the two trees of code
objects correspond child by child, in the order in which the compiler met them. A live code object is then looked up by
qualified name, first line and the table of its positions, and must agree with the compiled original in every other
respect (free variables included), or the source is not what is running. Two lambdas on one line differ in their
columns.

Nobody but the map holds rewritten code before it is given to functions. So its references, counted then, tell at any
time whether a function, a frame or a suspended generator has it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import reduce
from itertools import chain
from operator import ne, or_
from sys import getrefcount
from types import CodeType

__all__ = ["CodeMap", "corresponding_codes"]

_Key = tuple[str, int, bytes]


class CodeMap:
    """Rewritten code by original code, for one source. Confined.

    Attributes:
        flags: Of all its functions together.
    """

    def __init__(self, original: CodeType, rewritten: CodeType) -> None:
        # Lambdas on one line that return constants have no columns on 3.12: several may stand under one key.
        self._by_key: defaultdict[_Key, list[tuple[CodeType, CodeType]]] = defaultdict(list)
        for pair in corresponding_codes(original, rewritten):
            self._by_key[_key(pair[0])].append(pair)
        self._whole = rewritten  # whose constants hold others, or their references would be fewer soon
        self.flags = reduce(or_, (before.co_flags for before, _ in self.pairs()), 0)
        self._rewritten = [after for _, after in self.pairs()]
        self._references = list(map(getrefcount, self._rewritten))

    def rewritten(self, live: CodeType) -> CodeType | None:
        """Return the rewritten code for a live code object, or ``None`` when the source does not match it."""
        return next((after for before, after in self._by_key.get(_key(live), ()) if before == live), None)

    def pairs(self) -> Iterator[tuple[CodeType, CodeType]]:
        """Yield (original, rewritten) for all functions of the source."""
        yield from chain.from_iterable(self._by_key.values())

    def is_held(self) -> bool:
        """Return whether anything else holds rewritten code: a function, a frame, a generator suspended in it."""
        return any(map(ne, map(getrefcount, self._rewritten), self._references))


def corresponding_codes(original: CodeType, rewritten: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield the code objects inside two that correspond; a pair that does not is left out with all inside it."""
    children, new_children = _children(original), _children(rewritten)
    if len(children) != len(new_children):
        return
    for before, after in zip(children, new_children, strict=True):
        if _shape(before) == _shape(after):
            yield before, after
            yield from corresponding_codes(before, after)


def _key(code: CodeType) -> _Key:
    return code.co_qualname, code.co_firstlineno, code.co_linetable


def _children(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _shape(code: CodeType) -> tuple[object, ...]:
    return (
        code.co_qualname,
        code.co_firstlineno,
        code.co_freevars,
        code.co_argcount,
        code.co_kwonlyargcount,
        code.co_posonlyargcount,
        code.co_flags,
    )
