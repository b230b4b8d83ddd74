"""Containers that only one task can ever touch: locals made by the function and never handed on.

``threads = [...]``, looped over and appended to, cannot be reached by another task, so its accesses are no scheduling
points. A name counts as confined when every binding is a fresh container, no nested function takes it, and every use is one
that cannot let the container itself (as opposed to what is in it) get away.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from harness.instrument.scopes import Scope

__all__ = ["confined_names"]

_FRESH = (ast.List, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp)
_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.GeneratorExp)
_MAKERS = frozenset({"list", "set", "dict"})
_CONSUMERS = frozenset({"all", "any", "bool", "dict", "len", "list", "max", "min", "set", "sorted", "sum", "tuple"})
_LAZY = frozenset({"enumerate", "reversed", "zip"})  # harmless where a loop consumes them on the spot
_VIEWS = frozenset({"items", "keys", "values"})
_REVEALING = frozenset({"locals", "vars", "eval", "exec", "globals"})


def confined_names(function: ast.AST, scope: Scope) -> frozenset[str]:
    """Return the names of a function that hold containers no other task can reach."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return frozenset()
    nodes = list(_own_nodes(function))
    if any(isinstance(node, ast.Name) and node.id in _REVEALING for node in nodes):
        return frozenset()
    fresh = _fresh_names(nodes, scope)
    safe = {id(use) for node in nodes for use in _safe_uses(node)}
    escaping = {node.id for node in nodes if isinstance(node, ast.Name) and _is_use(node) and id(node) not in safe}
    return frozenset(fresh - escaping)


def _own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, _NESTED):
            pending.extend(ast.iter_child_nodes(node))


def _fresh_names(nodes: list[ast.AST], scope: Scope) -> set[str]:
    """Return the locals all of whose bindings are assignments of a new container."""
    made: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            made[node.targets[0].id] = made.get(node.targets[0].id, 0) + _is_fresh(node.value, scope)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            made[node.target.id] = made.get(node.target.id, 0) + _is_fresh(node.value, scope)
    own = {name for name, count in made.items() if count and count == len(scope.bindings.get(name, ()))}
    return {name for name in own if name not in scope.captures and name not in scope.declared_nonlocal}


def _is_fresh(value: ast.expr, scope: Scope) -> bool:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in _MAKERS and scope.is_global(value.func.id)
    return isinstance(value, _FRESH)


def _is_use(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Store)


def _safe_uses(node: ast.AST) -> list[ast.expr]:
    """Return the operands of a node through which a container cannot get away."""
    if isinstance(node, (ast.For, ast.comprehension)):
        return [node.iter, *_loop_operands(node.iter)]
    if isinstance(node, ast.Subscript):
        return [node.value]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, (ast.If, ast.While, ast.Assert, ast.IfExp)):
        return [node.test]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.FormattedValue):
        return [node.value]
    return _call_operands(node) if isinstance(node, ast.Call) else []


def _loop_operands(iterated: ast.expr) -> list[ast.expr]:
    if not isinstance(iterated, ast.Call):
        return []
    if isinstance(iterated.func, ast.Name) and iterated.func.id in _LAZY:
        return iterated.args
    is_view = isinstance(iterated.func, ast.Attribute) and iterated.func.attr in _VIEWS
    return [iterated.func.value] if is_view and isinstance(iterated.func, ast.Attribute) else []


def _call_operands(node: ast.Call) -> list[ast.expr]:
    if isinstance(node.func, ast.Name):
        return node.args if node.func.id in _CONSUMERS else []
    if not isinstance(node.func, ast.Attribute):
        return []
    if isinstance(node.func.value, ast.Name) and node.func.value.id.startswith("@"):
        return node.args  # pytest's, which only makes text of it
    return [] if node.func.attr in _VIEWS or node.func.attr.startswith("__") else [node.func.value]
