"""Contents of a ``functools.lru_cache`` noted and put back, results and keys the very objects, in the order of use.

The cache is written in C and gives nothing away but its counts; the garbage collector, though, is shown all it holds:
its class, then (bounded caches) key, result and class of each entry, the least recently used first, then the dict,
the function and the mark before keywords. The dict of an unbounded cache holds the results, so it is put back as it
was. A bounded one is filled by calling it, while its function returns what it returned then; this hashes the keys.

The counts of hits and misses begin anew with each execution.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from functools import _lru_cache_wrapper
from operator import is_
from types import CodeType, FunctionType
from typing import Any, final

__all__ = ["CacheState"]

_ENTRY_SIZE = 3  # key, result, class of the entry
_Call = tuple[tuple[object, ...], dict[str, object]]


@final
class CacheState:
    """A cache as it was.

    Attributes:
        entries: Keys and results.
        is_restorable: Whether they can be put back: of a bounded cache only if its function is a Python function.
    """

    def __init__(self, target: _lru_cache_wrapper[object]) -> None:
        self._target = target
        held = gc.get_referents(target)
        size = target.cache_info().currsize
        self._is_bounded = target.cache_parameters()["maxsize"] is not None
        position = 1 + _ENTRY_SIZE * size * self._is_bounded
        behind: list[Any] = [*held[position:], None, None, None]
        self._inner, self._function, self._mark, *_ = behind
        is_known = type(self._inner) is dict and len(self._inner) == size
        self.entries = self._entries(held[:position]) if is_known else []
        self.is_restorable = is_known and (
            not self._is_bounded or type(self._function) is FunctionType or not self.entries
        )
        self._restored: list[object] | None = None  # what it held and counted when it was last put back

    def restore(self) -> None:
        """Put it back where it differs, and the first time, so that all executions find the same counts."""
        if self._restored is not None and _same(self._seen(), self._restored):
            return
        self._target.cache_clear()
        if self._is_bounded and self.entries:
            self._call_again()
        elif self.entries:
            self._inner.update(self._saved)
        self._restored = self._seen()

    def _entries(self, held: Sequence[object]) -> list[tuple[object, object]]:
        if not self._is_bounded:
            self._saved = dict(self._inner)  # with its hashes: no key is asked for anything
            return list(self._saved.items())
        return list(zip(held[1::_ENTRY_SIZE], held[2::_ENTRY_SIZE], strict=True))

    def _seen(self) -> list[object]:
        inside = () if self._is_bounded else (part for item in self._inner.items() for part in item)
        counts = self._target.cache_info()
        return [counts.hits, counts.misses, *gc.get_referents(self._target), *inside]

    def _call_again(self) -> None:
        function = self._function
        code = function.__code__
        giving = _code_like(code)
        typed = self._target.cache_parameters()["typed"]
        try:
            for key, result in self.entries:
                positional, keywords = _call_of(key, self._mark, typed=typed)
                function.__code__ = giving.replace(co_consts=tuple(_given(giving, result)))
                self._target(*positional, **keywords)
        finally:
            function.__code__ = code


def _same(now: Sequence[object], before: Sequence[object]) -> bool:
    return now[:2] == before[:2] and len(now) == len(before) and all(map(is_, now[2:], before[2:]))


_RESULT = "harness result"  # stands where code of `_code_like` has what it returns


def _code_like(code: CodeType) -> CodeType:
    """Return code that takes any arguments and returns one object, and fits where this code stands."""
    names = [f"free{number}" for number in range(len(code.co_freevars))]
    head, body = f"def around({', '.join(names)}):", "".join(f"        {name}\n" for name in names)
    text = f"{head}\n    def give(*args, **kwargs):\n{body}        return {_RESULT!r}\n"
    around = compile(text, "<harness>", "exec", dont_inherit=True).co_consts[0]
    assert isinstance(around, CodeType)
    return next(constant for constant in around.co_consts if isinstance(constant, CodeType))


def _given(code: CodeType, result: object) -> Iterator[object]:
    return (result if constant == _RESULT else constant for constant in code.co_consts)


def _call_of(key: object, mark: object, *, typed: bool) -> _Call:
    """Return the arguments that a cache made its key of."""
    if type(key) is not tuple:  # a lone number or text stands for itself
        return (key,), {}
    position = next((position for position, part in enumerate(key) if part is mark), None)
    if position is None:
        return key[: len(key) // 2] if typed else key, {}
    rest = key[position + 1 :]
    size = 2 * ((len(rest) - position) // 3) if typed else len(rest)  # behind names and values stand all classes
    return key[:position], dict(zip(rest[:size:2], rest[1:size:2], strict=True))
