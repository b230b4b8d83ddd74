"""Containers that only one task can ever touch: locals made by the function and never handed on.

``threads = [...]``, looped over and appended to, cannot be reached by another task, so its accesses are no scheduling
points. A name counts as confined when every binding is a fresh container, no nested function takes it, and every use is
one that cannot let the container itself (as opposed to what is in it) get away.

Two ways out are not followed: a comparison whose other operand has an ``__eq__`` (or the like) that keeps what it is
given, and frames taken from tracebacks or debuggers.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

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
    nodes = list(_own_nodes(function))
    if any(_is_revealing(node) for node in nodes):
        return frozenset()
    fresh = _fresh_names(nodes, scope)
    safe = {id(use) for node in nodes for use in _safe_uses(node, scope)} if fresh else set()
    escaping = {node.id for node in nodes if isinstance(node, ast.Name) and _is_use(node) and id(node) not in safe}
    return frozenset(fresh - escaping)


def _own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """Yield what runs in the function's own frame; of definitions inside it all but the body."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        yield node
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


def _type_parameters(node: ast.AST) -> list[ast.AST]:
    return getattr(node, "type_params", [])  # from 3.12 on


def _is_revealing(node: ast.AST) -> bool:
    """Return whether the node may give a view of all locals."""
    if isinstance(node, ast.Attribute):
        return node.attr in _REVEALING and not _is_foreign(node.value)
    return isinstance(node, ast.Name) and node.id in _REVEALING


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


def _safe_uses(node: ast.AST, scope: Scope) -> list[ast.expr]:
    """Return the operands of a node through which a container cannot get away."""
    if isinstance(node, (ast.For, ast.comprehension)):
        return [node.iter, *_loop_operands(node.iter, scope)]
    if isinstance(node, ast.Subscript):
        return [node.value]
    if isinstance(node, ast.Compare):
        return _compared_operands(node)
    if isinstance(node, (ast.If, ast.While, ast.Assert, ast.IfExp)):
        return [node.test]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.FormattedValue):
        return [node.value]
    return _call_operands(node, scope) if isinstance(node, ast.Call) else []


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
