"""Walks over syntax trees: as those of ``ast``, in the same order, at a quarter of their cost.

They leave out what says only how a node is used (``ctx``, operators) and text, and ask each class of nodes once which
of its fields may hold others, and which method is meant for it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, ClassVar, final

__all__ = ["NodeRewriter", "NodeVisitor", "nodes_of", "parts_of"]

_WITHOUT_NODES = frozenset({"ctx", "op", "ops", "id", "attr", "arg", "kind", "type_comment", "type_ignores"})
_Method = Callable[[Any, Any], Any]


@final
class _Fields(dict[type, tuple[str, ...] | None]):
    """The fields that may hold nodes, by class; ``None`` for what is no node, but may stand among nodes."""

    def __missing__(self, kind: type) -> tuple[str, ...] | None:
        fields = None
        if issubclass(kind, ast.AST):
            fields = tuple(name for name in kind._fields if name not in _WITHOUT_NODES)
        self[kind] = fields
        return fields


_FIELDS = _Fields({ast.Constant: ()})


def nodes_of(tree: ast.AST) -> list[ast.AST]:
    """Return the node and all below it in the order of the source."""
    found = []
    pending = [tree]
    while pending:
        node = pending.pop()
        fields = _FIELDS[node.__class__]
        if fields is None:
            continue
        found.append(node)
        if fields:
            values = node.__dict__
            for name in fields[::-1]:
                value = values.get(name)
                if value.__class__ is list:
                    pending += value[::-1]
                elif value is not None:
                    pending.append(value)
    return found


def parts_of(node: ast.AST) -> list[ast.AST]:
    """Return the nodes right below one."""
    parts: list[ast.AST] = []
    for name in _FIELDS[node.__class__] or ():
        value = node.__dict__.get(name)
        parts += value if value.__class__ is list else [value]  # type: ignore[list-item]  # those that are none go next
    return [part for part in parts if _FIELDS[part.__class__] is not None]


@final
class _Methods(dict[type, _Method]):
    """The method of a visitor for each class of nodes."""

    def __init__(self, visitor: type[NodeVisitor]) -> None:
        super().__init__()
        self._visitor = visitor

    def __missing__(self, kind: type) -> _Method:
        default = self._visitor.generic_visit if _FIELDS[kind] else _unchanged
        method: _Method = getattr(self._visitor, f"visit_{kind.__name__}", default)
        self[kind] = method
        return method


def _unchanged(_: object, node: object) -> object:
    """Return what has no parts."""
    return node


class NodeVisitor:
    """Calls ``visit_X`` for a node of class ``X``, or visits its parts where there is no such method. Confined."""

    _methods: ClassVar[_Methods]

    def __init_subclass__(cls) -> None:
        cls._methods = _Methods(cls)

    def visit(self, node: ast.AST) -> Any:
        """Visit a node by the method for its class."""
        return self._methods[node.__class__](self, node)

    def generic_visit(self, node: ast.AST) -> Any:
        """Visit the parts of a node."""
        methods, values = self._methods, node.__dict__
        for name in _FIELDS[node.__class__] or ():
            value = values.get(name)
            if value.__class__ is list:
                for part in value:
                    methods[part.__class__](self, part)
            elif value is not None:
                methods[value.__class__](self, value)


class NodeRewriter(NodeVisitor):
    """A visitor whose methods return what stands in the place of their node: a node, or a list of statements."""

    def generic_visit(self, node: ast.AST) -> Any:
        """Put what visiting gives in the place of the parts of a node; return the node."""
        methods, values = self._methods, node.__dict__
        for name in _FIELDS[node.__class__] or ():
            value = values.get(name)
            if value.__class__ is list:
                values[name] = self.visit_all(value)
            elif value is not None:
                values[name] = methods[value.__class__](self, value)
        return node

    def visit_all(self, parts: list[Any]) -> list[Any]:
        """Return what stands in the place of the parts."""
        methods = self._methods
        results = []
        for part in parts:
            result = methods[part.__class__](self, part)
            if result.__class__ is list:
                results += result
            else:
                results.append(result)
        return results
