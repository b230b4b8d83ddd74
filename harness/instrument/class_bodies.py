"""Class bodies inside functions: which of them can touch nothing that another task sees.

A body is not rewritten: its names live in what a metaclass gives, which may answer for any name. So it has to be known
to be harmless, or nobody follows what it does: definitions, constants, annotations, and a few functions that are known
by where they come from.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable

from harness.instrument.function_effects import EVALUATING
from harness.instrument.nodes import nodes_of
from harness.instrument.scopes import Scope

__all__ = ["BodyJudge"]

# Their functions and classes store what they are given, and call nothing of it.
_MODULES = frozenset({"abc", "dataclasses", "enum", "functools", "typing", "typing_extensions"})
_OF_PROPERTIES = frozenset({"deleter", "getter", "setter"})
_CONTEXTS = (ast.expr_context, ast.operator, ast.unaryop)
_CONSTANT = (ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp, *_CONTEXTS)
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


class BodyJudge:
    """Judges the class bodies of one module. Confined.

    Args:
        scopes: The module's scopes.
        is_shared: Whether a name read in a class body, given by its scope, can be bound again by another task.
        own: Names of functions of the module, which make scheduling points of their own.
    """

    def __init__(
        self, scopes: dict[ast.AST, Scope], is_shared: Callable[[Scope, str], bool], own: frozenset[str]
    ) -> None:
        self._scopes, self._is_shared, self._own = scopes, is_shared, own
        self._modules, self._imported = _imports(next(iter(scopes)))

    def is_harmless(self, node: ast.ClassDef) -> bool:
        """Return whether nothing in a class's body can touch what another task sees."""
        return all(self._is_harmless_statement(statement, self._scopes[node]) for statement in node.body)

    def _is_harmless_statement(self, node: ast.stmt, scope: Scope) -> bool:
        if isinstance(node, _Function):
            defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            decorators = all(self._is_decorator(decorator, scope) for decorator in node.decorator_list)
            return decorators and self._are_harmless(defaults, scope)
        if isinstance(node, ast.ClassDef):
            is_plain = not node.decorator_list and not node.keywords and self._are_harmless(node.bases, scope)
            return is_plain and self.is_harmless(node)
        if isinstance(node, ast.Assign):
            names = all(isinstance(target, ast.Name) for target in node.targets)
            return names and self._is_harmless(node.value, scope)
        if isinstance(node, ast.AnnAssign):
            is_harmless = node.value is None or self._is_harmless(node.value, scope)
            return isinstance(node.target, ast.Name) and is_harmless
        return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))

    def _are_harmless(self, nodes: Iterable[ast.expr], scope: Scope) -> bool:
        return all(self._is_harmless(node, scope) for node in nodes)

    def _is_harmless(self, node: ast.expr, scope: Scope) -> bool:
        """Return whether an expression, or what a function known here does with it, touches nothing shared."""
        if isinstance(node, ast.Name):
            return not self._is_shared(scope, node.id)
        if isinstance(node, (ast.Tuple, ast.List)):
            return self._are_harmless(node.elts, scope)
        if isinstance(node, ast.Lambda):
            return self._are_harmless([*node.args.defaults, *filter(None, node.args.kw_defaults)], scope)
        if isinstance(node, ast.Call):
            values = [keyword.value for keyword in node.keywords if keyword.arg is not None]
            is_known = self._is_known(node.func, scope) and len(values) == len(node.keywords)
            return is_known and all(self._is_argument(value, scope) for value in [*node.args, *values])
        return _is_constant(node) or (isinstance(node, ast.Attribute) and self._is_known(node, scope))

    def _is_argument(self, node: ast.expr, scope: Scope) -> bool:
        """Return whether a function may look into a value: nobody else can have anything in it."""
        is_builtin = isinstance(node, ast.Name) and _is_builtin(node.id, scope)
        return is_builtin or _is_constant(node) or (isinstance(node, ast.Lambda) and self._is_harmless(node, scope))

    def _is_decorator(self, node: ast.expr, scope: Scope) -> bool:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return (node.attr in _OF_PROPERTIES and node.value.id in scope.bindings) or self._is_known(node, scope)
        return self._is_harmless(node, scope) if isinstance(node, ast.Call) else self._is_known(node, scope)

    def _is_known(self, function: ast.expr, scope: Scope) -> bool:
        """Return whether a function is a built-in, one of a known module, or one that is rewritten."""
        if isinstance(function, ast.Attribute):
            return isinstance(function.value, ast.Name) and self._is_module_s(function.value.id, self._modules, scope)
        if not isinstance(function, ast.Name):
            return False
        name = function.id
        is_of_module = self._is_module_s(name, self._own, scope) or self._is_module_s(name, self._imported, scope)
        return is_of_module or _is_builtin(name, scope)

    def _is_module_s(self, name: str, names: frozenset[str], scope: Scope) -> bool:
        is_plain = name not in scope.bindings and not self._is_shared(scope, name)
        return name in names and scope.is_global(name) and is_plain


def _imports(module: ast.AST) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of known modules, and of what is imported from them, at the top of a module."""
    body = module.body if isinstance(module, ast.Module) else []
    modules = [alias for node in body if isinstance(node, ast.Import) for alias in node.names]
    others = [a for node in body if isinstance(node, ast.ImportFrom) and node.module in _MODULES for a in node.names]
    names = frozenset(alias.asname or alias.name for alias in modules if alias.name in _MODULES)
    return names, frozenset(alias.asname or alias.name for alias in others)


def _is_builtin(name: str, scope: Scope) -> bool:
    is_known = name not in EVALUATING and name not in scope.bindings and hasattr(builtins, name)
    return is_known and scope.is_builtin(name)


def _is_constant(node: ast.expr) -> bool:
    """Return whether a value is made of constants alone."""
    parts = nodes_of(node)
    return all(isinstance(part, _CONSTANT) for part in parts)
