# ruff: noqa: N802, N815 - the names of visitors are ast's
"""Which names of a module are shared state: rebound globals, and closure variables bound again after their capture.

Reading a name that nothing can rebind while tasks run is no scheduling point. A global counts as shared when some
function declares it ``global`` and binds it, or when some instrumented code stores an attribute of that name (it may be
storing into the module). A closure variable counts as shared unless it has exactly one binding, outside loops, that
stands before every function which captures it: such a variable cannot change once another task can see it.

List, set and dict comprehensions belong to the function around them: whether the interpreter inlines them (3.12 and
later) or not must not alter the schedule.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.instrument.nodes import NodeVisitor, nodes_of

__all__ = ["Scope", "resolve_scopes", "targets_of"]

_Position = tuple[int, int]


@dataclass
class Scope:
    """Names of one function, module or class body. Confined to the rewriting of one module."""

    node: ast.AST
    parent: Scope | None
    is_function: bool
    bindings: dict[str, list[tuple[_Position, bool]]] = field(default_factory=dict)  # position, inside a loop
    declared_global: set[str] = field(default_factory=set)
    declared_nonlocal: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    captures: dict[str, list[_Position]] = field(default_factory=dict)  # where nested functions take the name
    targets: set[str] = field(default_factory=set)  # of all list, set and dict comprehensions in it
    hidden: list[set[str]] = field(default_factory=list)  # targets of the comprehensions being walked
    assigned: set[str] = field(default_factory=set)  # kinds of displays, names of functions, whose results are assigned
    around: frozenset[str] = frozenset()  # targets of the comprehensions that stand between it and its parent

    def owner_of(self, name: str) -> Scope | None:
        """Return the scope that holds the name as seen from here, or ``None`` for a global or built-in.

        A target of a comprehension belongs to the function, class or module in which the comprehension stands.
        """
        scope: Scope | None = self
        while scope is not None and scope.parent is not None:
            if name in scope.declared_global:
                return None
            if name in scope.bindings and name not in scope.declared_nonlocal and (scope.is_function or scope is self):
                return scope if scope.is_function else None
            if name in scope.around:
                return scope.parent
            scope = scope.parent
        return None

    def is_shared_cell(self, name: str) -> bool:
        """Return whether the name is a closure variable that may be bound again after a function has captured it."""
        owner = self.owner_of(name)
        if owner is None or name not in owner.captures:
            return False
        if name in owner.targets:
            return True
        bindings = owner.bindings[name]
        (position, in_loop), *others = bindings
        return bool(others) or in_loop or any(capture < position for capture in owner.captures[name])

    def is_captured_target(self, name: str) -> bool:
        """Return whether a nested function takes the name, which a comprehension in this scope binds."""
        return name in self.targets and name in self.captures

    def is_global(self, name: str) -> bool:
        """Return whether the name, used in this function, is a global or a built-in."""
        return self.owner_of(name) is None

    def is_builtin(self, name: str) -> bool:
        """Return whether the name means the built-in of that name, as far as the source tells."""
        module = self
        while module.parent is not None:
            module = module.parent
        return self.is_global(name) and name not in module.bindings and "*" not in module.bindings


def resolve_scopes(tree: ast.Module) -> dict[ast.AST, Scope]:
    """Return the scope of every function, lambda, generator expression and class body, and of the module itself."""
    walker = _ScopeWalker(tree)
    for statement in tree.body:
        walker.visit(statement)
    for scope in walker.scopes.values():
        _move_nonlocals(scope)
    for scope in walker.scopes.values():
        _note_captures(scope)
    return walker.scopes


def _move_nonlocals(scope: Scope) -> None:
    """Move what a function binds under ``nonlocal`` to the function that owns the name."""
    for name in scope.declared_nonlocal:
        moved = scope.bindings.pop(name, [])
        owner = scope.parent.owner_of(name) if scope.parent else None
        if owner is not None:
            owner.bindings[name] = owner.bindings.get(name, []) + moved


def _note_captures(scope: Scope) -> None:
    for name in scope.uses | scope.declared_nonlocal:
        owner = scope.owner_of(name)
        inner: Scope | None = scope
        while owner is not None and inner is not None and inner is not owner:
            if inner.parent is owner:
                owner.captures.setdefault(name, []).append(_start_of(inner.node))
            inner = inner.parent


def _start_of(node: ast.AST) -> _Position:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _end_of(node: ast.AST) -> _Position:
    return getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0)


class _ScopeWalker(NodeVisitor):
    def __init__(self, tree: ast.Module) -> None:
        self.module = self.scope = Scope(tree, None, is_function=False)
        self.scopes: dict[ast.AST, Scope] = {tree: self.scope}
        self.loops = 0
        self.bound_at: _Position | None = None  # end of the assignment being walked: there its names are bound

    def bind(self, name: str, node: ast.AST) -> None:
        if self.scope.hidden and any(name in targets for targets in self.scope.hidden):
            return
        self.bind_in(self.scope, name, self.bound_at or _start_of(node))

    def bind_in(self, scope: Scope, name: str, position: _Position) -> None:
        holder = self.module if name in scope.declared_global else scope
        holder.bindings.setdefault(name, []).append((position, self.loops > 0))

    def bind_definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        """Bind the name at once, unless a decorator may hand the function on before."""
        self.bind_in(self.scope, node.name, _end_of(node) if node.decorator_list else _start_of(node))

    def enter(self, node: ast.AST, *, is_function: bool) -> tuple[Scope, int, _Position | None]:
        outer = self.scope, self.loops, self.bound_at
        around = frozenset[str]().union(*self.scope.hidden)
        self.scope, self.loops, self.bound_at = Scope(node, self.scope, is_function, around=around), 0, None
        self.scopes[node] = self.scope
        return outer

    def leave(self, outer: tuple[Scope, int, _Position | None]) -> None:
        self.scope, self.loops, self.bound_at = outer

    def visit_body(self, node: ast.AST, body: Sequence[ast.AST], arguments: ast.arguments | None) -> None:
        outer = self.enter(node, is_function=arguments is not None)
        for argument in _all_arguments(arguments) if arguments else ():
            self.bind(argument.arg, node)
        for child in body:
            self.visit(child)
        self.leave(outer)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.bind_definition(node)
        for outside in [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]:
            self.visit(outside)
        self.visit_body(node, node.body, node.args)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]:
            self.visit(default)
        self.visit_body(node, [node.body], node.args)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.bind_definition(node)
        for outside in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(outside)
        self.visit_body(node, node.body, None)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)
        outer = self.enter(node, is_function=True)
        self.loops = 1
        for generator in node.generators:
            self.visit(generator.target)
        for part in [node.elt, *(g.iter for g in node.generators[1:]), *(c for g in node.generators for c in g.ifs)]:
            self.visit(part)
        self.leave(outer)

    def _visit_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> None:
        first, *others = node.generators
        self.visit(first.iter)
        targets = targets_of(node.generators)
        self.scope.targets |= targets
        self.scope.hidden.append(targets)
        self.loops += 1
        for generator in node.generators:
            self.visit(generator.target)
        elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for part in [*elements, *(g.iter for g in others), *(c for g in node.generators for c in g.ifs)]:
            self.visit(part)
        self.loops -= 1
        self.scope.hidden.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = _visit_comprehension

    def _visit_assignment(self, node: ast.Assign | ast.AnnAssign) -> None:
        outer, self.bound_at = self.bound_at, _end_of(node)
        called = node.value.func if isinstance(node.value, ast.Call) else None
        self.scope.assigned.add(called.id if isinstance(called, ast.Name) else type(node.value).__name__)
        self.generic_visit(node)
        self.bound_at = outer

    visit_Assign = visit_AnnAssign = _visit_assignment

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """Bind in the function around the comprehensions, the interpreter's rule for ``:=``."""
        self.visit(node.value)
        scope = self.scope
        while isinstance(scope.node, ast.GeneratorExp) and scope.parent is not None:
            scope.declared_nonlocal.add(node.target.id)
            scope = scope.parent
        self.bind_in(scope, node.target.id, _end_of(node))

    def _visit_loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        self.loops += 1
        self.generic_visit(node)
        self.loops -= 1

    visit_For = visit_AsyncFor = visit_While = _visit_loop

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            hidden = self.scope.hidden
            if not hidden or not any(node.id in targets for targets in hidden):
                self.scope.uses.add(node.id)
        else:
            self.bind(node.id, node)

    def visit_Global(self, node: ast.Global) -> None:
        self.scope.declared_global.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.scope.declared_nonlocal.update(node.names)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.bind(node.name, node)
            self.bind(node.name, node)  # and unbound at the end of the handler
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self.bind((alias.asname or alias.name).partition(".")[0], node)

    visit_ImportFrom = visit_Import

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self.bind(node.name, node)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self.bind(node.rest, node)
        self.generic_visit(node)


def _all_arguments(arguments: ast.arguments) -> list[ast.arg]:
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return plain + [extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None]


def targets_of(generators: list[ast.comprehension]) -> set[str]:
    """Return the names that the generators of a comprehension bind."""
    names = (node for generator in generators for node in nodes_of(generator.target))
    return {node.id for node in names if isinstance(node, ast.Name)}
