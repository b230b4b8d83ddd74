"""Patterns of ``match`` and targets of unpacking: what they look at, and which names they bind."""

from __future__ import annotations

import ast
from collections.abc import Callable

from harness.instrument.nodes import nodes_of

__all__ = ["NESTED", "looks_inside", "rename_captures", "unpacking"]

NESTED = "__getitem__"  # as what an unpacking counts that goes on into the items

_INSIDE = (ast.MatchClass, ast.MatchMapping, ast.MatchSequence, ast.MatchValue)


def looks_inside(pattern: ast.pattern) -> bool:
    """Return whether a pattern looks at parts of the subject, or compares it."""
    return any(isinstance(node, _INSIDE) for node in nodes_of(pattern))


def rename_captures(pattern: ast.pattern, is_shared: Callable[[str], bool]) -> dict[str, str]:
    """Let a pattern bind locals of ours instead of shared names; return which stands for which."""
    held: dict[str, str] = {}
    for node in nodes_of(pattern):
        attribute = "rest" if isinstance(node, ast.MatchMapping) else "name"
        name = (
            getattr(node, attribute, None) if isinstance(node, (ast.MatchAs, ast.MatchStar, ast.MatchMapping)) else None
        )
        if name is not None and is_shared(name):
            held[name] = f"harness captured {name}"
            setattr(node, attribute, held[name])
    return held


def unpacking(target: ast.Tuple | ast.List) -> str:
    """Return the method that stands for an unpacking: of an object alone, or of its items as well."""
    return NESTED if any(isinstance(part, (ast.Tuple, ast.List)) for part in target.elts) else "__iter__"
