"""Containers that only one task can ever touch: locals made by the function and never handed on.

``threads = [...]``, looped over and appended to, cannot be reached by another task, so its accesses are no scheduling
points. A name counts as confined when every binding is a fresh container, no nested function takes it, and every use is
one that cannot let the container itself (as opposed to what is in it) get away.

Two ways out are not followed: a comparison whose other operand has an ``__eq__`` (or the like) that keeps what it is
given, and frames taken from tracebacks or debuggers.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from harness.instrument.nodes import parts_of
from harness.instrument.scopes import Scope

__all__ = ["confined_names"]

_FRESH = (ast.List, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp)
_MAKERS = frozenset({"list", "set", "dict"})
_MAY_BE_FRESH = {*_MAKERS, *(kind.__name__ for kind in _FRESH)}
# Of these only the first argument is safe: the others may come back as the result.
_CONSUMERS = frozenset({"all", "any", "bool", "dict", "len", "list", "max", "min", "set", "sorted", "sum", "tuple"})
_CHOOSERS = frozenset({"max", "min"})  # of several arguments they return one
_LAZY = frozenset({"enumerate", "reversed", "zip"})  # harmless where a loop consumes them on the spot
_VIEWS = frozenset({"items", "keys", "values"})
_REVEALING = frozenset({"locals", "vars", "eval", "exec", "globals", "f_locals", "_getframe", "currentframe"})


def confined_names(function: ast.AST, scope: Scope) -> frozenset[str]:
    """Return the names of a function that hold containers no other task can reach."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) or not scope.assigned & _MAY_BE_FRESH:
        return frozenset()
    nodes = _own_nodes(function)
    fresh = _fresh_names(nodes, scope)
    names = [node for node in nodes if isinstance(node, ast.Name)]
    if not fresh or any(name.id in _REVEALING for name in names) or any(map(_is_revealing, nodes)):
        return frozenset()
    safe = {id(use) for node in nodes if type(node) in _OPERANDS for use in _OPERANDS[type(node)](node, scope)}
    return frozenset(fresh - {name.id for name in names if _is_use(name) and id(name) not in safe})


def _own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.AST]:
    """Return what runs in the function's own frame; of definitions inside it all but the body."""
    found = []
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        found.append(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            pending += [*node.decorator_list, node.args, *filter(None, [node.returns]), *_type_parameters(node)]
        elif isinstance(node, ast.ClassDef):
            pending += [*node.decorator_list, *node.bases, *node.keywords, *_type_parameters(node)]
        elif isinstance(node, ast.Lambda):
            pending.append(node.args)
        elif isinstance(node, ast.GeneratorExp):
            pending.append(node.generators[0].iter)
        else:
            pending += parts_of(node)
    return found


def _type_parameters(node: ast.AST) -> list[ast.AST]:
    return getattr(node, "type_params", [])  # from 3.12 on


def _is_revealing(node: ast.AST) -> bool:
    """Return whether the node is an attribute that may give a view of all locals."""
    return isinstance(node, ast.Attribute) and node.attr in _REVEALING and not _is_foreign(node.value)


def _is_foreign(node: ast.expr) -> bool:
    """Return whether the node is a name that pytest's assertion rewriting made."""
    return isinstance(node, ast.Name) and node.id.startswith("@")


def _fresh_names(nodes: list[ast.AST], scope: Scope) -> set[str]:
    """Return the locals all of whose bindings are assignments of a new container."""
    made: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            made[node.targets[0].id] = made.get(node.targets[0].id, 0) + _is_fresh(node.value, scope)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            made[node.target.id] = made.get(node.target.id, 0) + _is_fresh(node.value, scope)
    own = {name for name, count in made.items() if count and count == len(scope.bindings.get(name, ()))}
    return own - scope.captures.keys() - scope.declared_nonlocal - scope.declared_global - scope.targets


def _is_fresh(value: ast.expr, scope: Scope) -> bool:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in _MAKERS and scope.is_builtin(value.func.id)
    return isinstance(value, _FRESH)


def _is_use(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Store)


def _loop_operands(iterated: ast.expr, scope: Scope) -> list[ast.expr]:
    if not isinstance(iterated, ast.Call):
        return []
    if isinstance(iterated.func, ast.Name) and iterated.func.id in _LAZY and scope.is_builtin(iterated.func.id):
        return iterated.args
    is_view = isinstance(iterated.func, ast.Attribute) and iterated.func.attr in _VIEWS
    return [iterated.func.value] if is_view and isinstance(iterated.func, ast.Attribute) else []


def _compared_operands(node: ast.Compare) -> list[ast.expr]:
    """Return all operands but those searched for: the ``__contains__`` of what is searched may keep them."""
    operands = [node.left, *node.comparators]
    searched_for = {
        id(left) for left, op in zip(operands, node.ops, strict=False) if isinstance(op, (ast.In, ast.NotIn))
    }
    return [operand for operand in operands if id(operand) not in searched_for]


def _call_operands(node: ast.Call, scope: Scope) -> list[ast.expr]:
    if isinstance(node.func, ast.Name):
        return _consumed_operands(node, node.func.id, scope)
    if not isinstance(node.func, ast.Attribute):
        return []
    if _is_foreign(node.func.value):
        return node.args  # pytest's, which only makes text of it
    return [] if node.func.attr in _VIEWS or node.func.attr.startswith("__") else [node.func.value]


def _consumed_operands(node: ast.Call, function: str, scope: Scope) -> list[ast.expr]:
    if function not in _CONSUMERS or not node.args or not scope.is_builtin(function):
        return []
    if function in _CHOOSERS and len(node.args) > 1:
        return []
    first = node.args[0]
    if isinstance(first, ast.GeneratorExp):
        iterated = first.generators[0].iter
        return [iterated, *_loop_operands(iterated, scope)]
    return [first]


# By class of node: its operands through which a container cannot get away.
_OPERANDS: dict[type, Callable[[Any, Scope], list[ast.expr]]] = {
    **dict.fromkeys((ast.For, ast.comprehension), lambda node, scope: [node.iter, *_loop_operands(node.iter, scope)]),
    **dict.fromkeys((ast.If, ast.While, ast.Assert, ast.IfExp), lambda node, _: [node.test]),
    **dict.fromkeys((ast.Subscript, ast.FormattedValue), lambda node, _: [node.value]),
    ast.UnaryOp: lambda node, _: [node.operand],
    ast.Compare: lambda node, _: _compared_operands(node),
    ast.Call: _call_operands,
}
