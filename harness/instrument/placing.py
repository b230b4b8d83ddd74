"""Where in a module the rewriter is, and the hook calls it places there.

Hooks are calls on a name in ``builtins`` that is no identifier. Each call ends in a site, placed at the node it stands
for, so that line numbers in tracebacks stay what they were.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TypeVar

from harness.instrument.class_bodies import BodyJudge
from harness.instrument.confinement import confined_names
from harness.instrument.function_effects import EVALUATING
from harness.instrument.hooks import HOOKS_NAME
from harness.instrument.nodes import NodeRewriter, nodes_of
from harness.instrument.scopes import Scope
from harness.instrument.site import Operation, SiteTable
from harness.instrument.stores import StoredNames

__all__ = ["FRESH", "Placer", "assigns", "copy_of", "is_foreign", "none", "placed"]

# Displays make objects that nobody else has yet; constants cannot change.
FRESH: frozenset[type] = frozenset(
    {ast.Constant, ast.JoinedStr, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp}
)
_LOAD = ast.Load()
_Node = TypeVar("_Node", bound=ast.AST)
Place = tuple[Scope, str, int, int, frozenset[str], list[set[str]]]


class Placer(NodeRewriter):
    """What all parts of the rewriter share. Confined to the rewriting of one module."""

    scope: Scope
    is_active: bool  # whether what is being visited runs inside a function

    def __init__(
        self, scopes: dict[ast.AST, Scope], file: str, digest: str, stored: StoredNames, sites: SiteTable
    ) -> None:
        self.scopes, self.file, self.digest, self.stored, self.sites = scopes, file, digest, stored, sites
        self._shared: defaultdict[ast.AST, dict[str, bool]] = defaultdict(dict)  # by scope: names met there
        self.own_functions = _module_functions(scopes)
        self.bodies = BodyJudge(scopes, self._can_be_bound_again, self.own_functions)
        self.qualname = ""
        self.classes: list[str] = []  # names of the classes around, for private names
        self.definitions: Counter[str] = Counter()  # how many definitions of a qualified name so far
        self.ordinal = 0
        self.occurrences = 0
        self.confined: frozenset[str] = frozenset()
        self.targets: list[set[str]] = []  # names bound by the comprehensions around, innermost last
        self.tested_generators: set[ast.AST] = set()  # expressions each of whose items is tested for truth at once

    # Hook calls

    def hook(self, hook: str, at: ast.AST, operation: Operation, name: str | None, *args: ast.expr) -> ast.Call:
        """Return a call of a hook, placed at a node, with a new site as its last argument."""
        return self.call(hook, at, *args, self.site(at, operation, name))

    def call(self, hook: str, at: ast.AST, *args: ast.expr) -> ast.Call:
        """Return a call of a hook or of an operation that stands beside the hooks."""
        hooks = ast.Name(HOOKS_NAME, _LOAD)
        function = ast.Attribute(hooks, hook, _LOAD)
        call = ast.Call(function, list(args), [])
        _place((hooks, function, call), at)
        return call

    def site(self, at: ast.AST, operation: Operation, name: str | None) -> ast.Constant:
        """Return the number of a new site."""
        number = self.sites.add(
            (self.digest, self.qualname, self.ordinal, self.occurrences, operation, name, self.file, at.lineno)  # type: ignore[attr-defined]  # expressions and statements have it
        )
        self.occurrences += 1
        return placed(ast.Constant(number), at)

    # Place

    def enter(self, node: ast.AST, name: str) -> Place:
        """Begin the body of a definition; gives the place to leave for."""
        outer = self.scope, self.qualname, self.ordinal, self.occurrences, self.confined, self.targets
        around = f"{self.qualname}.<locals>" if self.scope.is_function else self.qualname
        self.qualname = f"{around}.{name}" if around else name
        self.scope, self.targets = self.scopes[node], []
        self.is_active = self.scope.is_function
        self.confined = confined_names(node, self.scope)
        self.ordinal, self.occurrences = self.definitions[self.qualname], 0
        self.definitions[self.qualname] += 1
        return outer

    def leave(self, outer: Place) -> None:
        """End the body of a definition."""
        self.scope, self.qualname, self.ordinal, self.occurrences, self.confined, self.targets = outer
        self.is_active = self.scope.is_function

    # Names

    def is_shared(self, name: str) -> bool:
        """Return whether a name read here can be bound again by another task."""
        if self.targets and any(name in targets for targets in self.targets):
            return False
        known = self._shared[self.scope.node]
        if name not in known:
            known[name] = self._can_be_bound_again(self.scope, name)
        return known[name]

    def _can_be_bound_again(self, scope: Scope, name: str) -> bool:
        return name in self.stored.names if scope.is_global(name) else scope.is_shared_cell(name)

    def is_shared_target(self, name: str) -> bool:
        """Return whether another task can read a name that a loop or comprehension binds here."""
        if self.targets and any(name in targets for targets in self.targets):
            return self.scope.is_captured_target(name)
        return self.is_shared(name)

    def is_simple(self, node: ast.expr) -> bool:
        """Return whether evaluating the node twice, or a little later, can make no difference."""
        if isinstance(node, ast.Constant):
            return True
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.operand, ast.Constant)
        return isinstance(node, ast.Name) and not self.is_shared(node.id)

    def is_simple_argument(self, node: ast.expr, *, is_keywords: bool = False) -> bool:
        """Return whether the same holds of an argument of a call; ``*args`` and ``**kwargs`` passed on count too."""
        if not is_keywords and not isinstance(node, ast.Starred):
            return self.is_simple(node)
        function = self.scope.node
        name = node if is_keywords else node.value if isinstance(node, ast.Starred) else None
        if not isinstance(name, ast.Name) or not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
        own = function.args.kwarg if is_keywords else function.args.vararg
        is_bound_once = len(self.scope.bindings.get(name.id, ())) == 1 and not self.targets
        return own is not None and own.arg == name.id and is_bound_once and not self.is_shared(name.id)

    def is_confined(self, node: ast.expr) -> bool:
        """Return whether the node names a container that no other task can reach."""
        return isinstance(node, ast.Name) and node.id in self.confined

    def is_evaluating(self, node: ast.expr) -> bool:
        """Return whether the node names a built-in that runs text, read inside a function."""
        if not isinstance(node, ast.Name) or node.id not in EVALUATING or not self.is_active:
            return False
        return isinstance(node.ctx, ast.Load) and self.scope.is_builtin(node.id)

    def private(self, attribute: str) -> str:
        """Return the attribute's name as the compiler will mangle it."""
        name = self.classes[-1].lstrip("_") if self.classes else ""
        if not attribute.startswith("__") or attribute.endswith("__") or not name:
            return attribute
        return f"_{name}{attribute}"


def placed(node: _Node, at: ast.AST) -> _Node:
    """Return the node, placed where another one stands; as ``ast.copy_location``, at a third of its cost."""
    node.lineno, node.col_offset = at.lineno, at.col_offset  # type: ignore[attr-defined]  # expressions and statements
    node.end_lineno, node.end_col_offset = at.end_lineno, at.end_col_offset  # type: ignore[attr-defined]
    return node


def _place(nodes: Iterable[ast.expr], at: ast.AST) -> None:
    """Place all nodes where another one stands."""
    line, column, end_line, end_column = at.lineno, at.col_offset, at.end_lineno, at.end_col_offset  # type: ignore[attr-defined]  # as above
    for node in nodes:
        node.lineno, node.col_offset, node.end_lineno, node.end_col_offset = line, column, end_line, end_column


def is_foreign(node: ast.Attribute) -> bool:
    """Return whether the attribute is part of what pytest's assertion rewriting put in, or of ours."""
    return isinstance(node.value, ast.Name) and (node.value.id.startswith("@") or node.value.id == HOOKS_NAME)


def assigns(node: ast.expr) -> bool:
    """Return whether evaluating the node may bind a name of its function."""
    return any(isinstance(part, ast.NamedExpr) for part in nodes_of(node))


def none(at: ast.AST) -> ast.Constant:
    """Return ``None``, placed at a node."""
    return placed(ast.Constant(None), at)


def copy_of(node: ast.expr) -> ast.expr:
    """Return a second node for a simple expression, or for one that reads a name."""
    if isinstance(node, ast.Constant):
        return placed(ast.Constant(node.value), node)
    if isinstance(node, ast.UnaryOp):
        return placed(ast.UnaryOp(node.op, copy_of(node.operand)), node)
    assert isinstance(node, ast.Name)
    return placed(ast.Name(node.id, ast.Load()), node)


def _module_functions(scopes: dict[ast.AST, Scope]) -> frozenset[str]:
    """Return the names of the plain functions that the module defines once, at its top, and binds to nothing else."""
    modules = [(node, scope) for node, scope in scopes.items() if isinstance(node, ast.Module)]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(
        statement.name
        for module, scope in modules
        for statement in module.body
        if isinstance(statement, kinds) and not statement.decorator_list and len(scope.bindings[statement.name]) == 1
    )
