"""Rewritten code of sources, kept for the next exploration of the same program.

Rewritten code depends on its source, on the names that any instrumented source stores into, and on the number of its
first site, since the numbers of its sites stand in it; on nothing else. What was used last is kept in memory under just
these, so that exploring a program again, in a notebook or test by test, rewrites nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Generic, TypeVar, final

from harness.instrument.matching import CodeMap
from harness.instrument.rewrite import rewrite
from harness.instrument.site import Site, SiteTable
from harness.instrument.source import SourceFile
from harness.instrument.stores import StoredNames, stored_names

__all__ = ["Rewritten", "rewrite_sources"]

_MOST_SOURCES = 256
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Rewritten code of some sources.

    Attributes:
        stored: Names that they store into.
        codes: The code of each, by file.
        failures: Why a source could not be rewritten, by file.
    """

    stored: StoredNames
    codes: dict[str, CodeMap]
    failures: dict[str, str]


@final
class _Recent(Generic[_Key, _Value]):
    """The values used last, by key. Thread-safe: each step is one operation on a dict."""

    def __init__(self) -> None:
        self._values: dict[_Key, _Value] = {}  # the one used last at the end

    def get(self, key: _Key) -> _Value | None:
        found = self._values.pop(key, None)
        if found is not None:
            self._values[key] = found
        return found

    def put(self, key: _Key, value: _Value) -> None:
        self._values[key] = value
        for oldest in list(self._values)[:-_MOST_SOURCES]:
            self._values.pop(oldest, None)


_STORED = _Recent[SourceFile, StoredNames]()
_CODES = _Recent[tuple[SourceFile, StoredNames, int], tuple[CodeMap, tuple[Site, ...]]]()


def rewrite_sources(sources: Sequence[SourceFile], sites: SiteTable) -> Rewritten:
    """Return the rewritten code of the sources, in their order; names stored anywhere count everywhere.

    Args:
        sources: The sources, each of another file.
        sites: Takes the new sites.
    """
    failures: dict[str, str] = {}
    codes: dict[str, CodeMap] = {}
    trees: dict[SourceFile, ast.Module] = {}
    found = []
    for source in sources:
        try:
            found.append((source, _stored_in(source, trees)))
        except (SyntaxError, ValueError, RecursionError) as error:
            failures[source.file] = _reason(error)
    stored = reduce(or_, (own for _, own in found), StoredNames(frozenset()))
    for source, _ in found:
        try:
            codes[source.file] = _rewritten(source, trees, stored, sites)
        except (SyntaxError, ValueError, RecursionError) as error:
            failures[source.file] = _reason(error)
    return Rewritten(stored, codes, failures)


def _stored_in(source: SourceFile, trees: dict[SourceFile, ast.Module]) -> StoredNames:
    stored = _STORED.get(source)
    if stored is None:
        trees[source] = tree = source.parse()
        stored = stored_names(tree)
        _STORED.put(source, stored)
    return stored


def _rewritten(
    source: SourceFile, trees: dict[SourceFile, ast.Module], stored: StoredNames, sites: SiteTable
) -> CodeMap:
    first = len(sites)
    known = _CODES.get((source, stored, first))
    if known is not None:
        codes, own_sites = known
        sites.extend(own_sites)
        return codes
    tree = trees.pop(source, None) or source.parse()
    original = source.compile(tree)
    rewritten = rewrite(tree, file=source.file, digest=source.digest, stored=stored, sites=sites)
    codes = CodeMap(original, source.compile(rewritten))
    _CODES.put((source, stored, first), (codes, sites.all()[first:]))
    return codes


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
