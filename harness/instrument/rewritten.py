"""Rewritten code of sources, kept for the next exploration that instruments them.

Rewritten code depends on its source, on which of the names in it any instrumented source stores into, and on the
numbers of its sites, which stand in it; on nothing else. So each code has a range of numbers for itself, and what was
used last is kept in memory under source and names: a notebook rewrites a cell that changed and no package beside it.
"""

from __future__ import annotations

import ast
import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Generic, TypeVar, final

from harness.instrument.matching import CodeMap
from harness.instrument.nodes import nodes_of
from harness.instrument.rewrite import rewrite
from harness.instrument.site import SiteTable
from harness.instrument.source import SourceFile
from harness.instrument.stores import StoredNames, stored_names

__all__ = ["Rewritten", "rewrite_sources"]

_MOST_SOURCES = 512
_NUMBERS = itertools.count(step=1_000_000)  # of the first site of each source; none has so many
_WORD = re.compile(r"\w+")
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


@dataclass(frozen=True, slots=True)
class _Names:
    """Names in a source: those it stores into, and all that it mentions."""

    stored: StoredNames
    mentioned: frozenset[str]


_NAMES = _Recent[SourceFile, _Names]()
_CODES = _Recent[tuple[SourceFile, StoredNames], tuple[CodeMap, SiteTable]]()


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
            found.append((source, _names_in(source, trees)))
        except (SyntaxError, ValueError, RecursionError) as error:
            failures[source.file] = _reason(error)
    stored = reduce(or_, (names.stored for _, names in found), StoredNames(frozenset()))
    for source, names in found:
        try:
            codes[source.file], own_sites = _rewritten(source, trees, stored.among(names.mentioned))
        except (SyntaxError, ValueError, RecursionError) as error:
            failures[source.file] = _reason(error)
        else:
            sites.include(own_sites)
    return Rewritten(stored, codes, failures)


def _names_in(source: SourceFile, trees: dict[SourceFile, ast.Module]) -> _Names:
    names = _NAMES.get(source)
    if names is None:
        trees[source] = tree = source.parse()
        nodes = nodes_of(tree)
        names = _Names(stored_names(nodes), _mentioned(source, nodes))
        _NAMES.put(source, names)
    return names


def _mentioned(source: SourceFile, nodes: list[ast.AST]) -> frozenset[str]:
    """Return all names in a source, and all its strings, which may be put together of several."""
    strings = [node.value for node in nodes if isinstance(node, ast.Constant) and node.value.__class__ is str]
    return frozenset([*_WORD.findall(unicodedata.normalize("NFKC", source.text)), *strings])


def _rewritten(
    source: SourceFile, trees: dict[SourceFile, ast.Module], stored: StoredNames
) -> tuple[CodeMap, SiteTable]:
    known = _CODES.get((source, stored))
    if known is None:
        tree, sites = trees.pop(source, None) or source.parse(), SiteTable(next(_NUMBERS))
        original = source.compile(tree)
        rewritten = rewrite(tree, file=source.file, digest=source.digest, stored=stored, sites=sites)
        known = CodeMap(original, source.compile(rewritten)), sites
        _CODES.put((source, stored), known)
    return known


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
