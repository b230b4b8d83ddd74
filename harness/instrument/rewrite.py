# ruff: noqa: N802, N815 - the names of visitors are ast's
"""Rewriting of functions so that every access to shared state passes a hook before it happens.

Works on the tree that the interpreter itself compiled (after pytest's assertion rewriting, where there was one). The
bodies of functions are rewritten; code of modules and class bodies is not, because it does not run again.

The rewriting adds no code object and no free variable, so the code objects of the result stand one to one beside those
of the original. Locals that are no identifiers hold object and key of an augmented assignment from their evaluation to
the store, and what a ``with``, an ``except`` or a pattern binds to a shared name, until its hook was passed.
"""

from __future__ import annotations

import ast
from typing import TypeVar

from harness.instrument.expressions import ExpressionRewriter
from harness.instrument.nodes import nodes_of
from harness.instrument.operators import OPERATORS
from harness.instrument.patterns import NESTED, looks_inside, rename_captures, unpacking
from harness.instrument.placing import FRESH, assigns, copy_of, none, placed
from harness.instrument.scopes import resolve_scopes
from harness.instrument.site import SiteTable
from harness.instrument.stores import StoredNames

__all__ = ["rewrite"]

_HELD_OBJECT = "harness object"
_HELD_KEY = "harness key"
_BOUND = "harness bound"
_Function = TypeVar("_Function", ast.FunctionDef, ast.AsyncFunctionDef)
_With = TypeVar("_With", ast.With, ast.AsyncWith)


def rewrite(tree: ast.Module, *, file: str, digest: str, stored: StoredNames, sites: SiteTable) -> ast.Module:
    """Rewrite a module in place and return it.

    Args:
        tree: Tree of the whole module, with positions.
        file: Its file, for the sites.
        digest: Digest of its source text, for the sites.
        stored: Names that any of the instrumented code stores into.
        sites: Takes the new sites.
    """
    rewriter = _Rewriter(resolve_scopes(tree), file, digest, stored, sites)
    rewriter.scope, rewriter.is_active = rewriter.scopes[tree], False
    rewriter.generic_visit(tree)
    return tree


class _Rewriter(ExpressionRewriter):
    """Rewrites definitions and statements."""

    def statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return self.visit_all(body)

    # Definitions: what stands outside a body belongs to the scope around it; annotations stay as they are

    def _visit_function(self, node: _Function) -> list[ast.stmt]:
        before: list[ast.stmt] = self._before_binding(node, [node.name])
        node.decorator_list = [self._decorator(decorator) for decorator in node.decorator_list]
        self.visit_defaults(node.args)
        outer = self.enter(node, node.name)
        node.body = self.statements(node.body)
        self.leave(outer)
        return [*before, node]

    def _decorator(self, node: ast.expr) -> ast.expr:
        """Return a decorator behind the hook of a call, which comes before the definition."""
        decorator = self.expression(node)
        if not self.is_active or not isinstance(node, ast.Attribute):
            return decorator
        return self.call("called", node, decorator, self.site(node, "call", self.private(node.attr)))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> list[ast.stmt]:
        return self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> list[ast.stmt]:
        return self._visit_function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> list[ast.stmt]:
        before = self._before_binding(node, [node.name])
        node.decorator_list = [self._decorator(decorator) for decorator in node.decorator_list]
        node.bases = [self.expression(base) for base in node.bases]
        for keyword in node.keywords:
            value = keyword.value
            keyword.value = self.expression(value) if keyword.arg else self.read_whole(value, "keys")
        if self.is_active and not self.bodies.is_harmless(node):
            before.append(placed(ast.Expr(self.hook("unseen", node, "call", f"the body of class {node.name}")), node))
        outer = self.enter(node, node.name)
        self.classes.append(node.name)
        node.body = self.statements(node.body)
        self.classes.pop()
        self.leave(outer)
        return [*before, node]

    def visit_TypeAlias(self, node: ast.stmt) -> ast.stmt:
        return node

    def _before_binding(self, node: ast.stmt, names: list[str]) -> list[ast.stmt]:
        """Return statements with one hook for each shared name that the node binds or unbinds."""
        shared = [name for name in names if self.is_active and self.is_shared(name)]
        return [placed(ast.Expr(self.hook("name", node, "write", name)), node) for name in shared]

    def _visit_import(self, node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        names = [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
        return [*self._before_binding(node, names), node]

    visit_Import = visit_ImportFrom = _visit_import

    def visit_Delete(self, node: ast.Delete) -> list[ast.stmt]:
        before = self._before_binding(node, [target.id for target in node.targets if isinstance(target, ast.Name)])
        node.targets = [self.expression(target) for target in node.targets]
        return [*before, node]

    # Control flow

    def _visit_test(self, node: ast.If | ast.While) -> ast.AST:
        node.test = self.tested(node.test)
        node.body, node.orelse = self.statements(node.body), self.statements(node.orelse)
        return node

    visit_If = visit_While = _visit_test

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        node.test = self.tested(node.test)
        node.msg = node.msg and self.expression(node.msg)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        node.iter = self.loop_iterated(node.iter, node.target)
        node.target = self.expression(node.target)
        node.body, node.orelse = self.statements(node.body), self.statements(node.orelse)
        return node

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        node.iter = self.expression(node.iter)
        node.target, stores = self._bound_later(node.target)
        node.body, node.orelse = [*stores, *self.statements(node.body)], self.statements(node.orelse)
        return node

    def visit_Match(self, node: ast.Match) -> ast.AST | list[ast.stmt]:
        patterns = [part for case in node.cases for part in nodes_of(case.pattern)]
        is_unseen = self.is_active and any(isinstance(p, ast.Attribute) and p.attr in self.stored for p in patterns)
        if self.is_active and any(looks_inside(case.pattern) for case in node.cases):
            node.subject = self.hook("matched", node.subject, "call", "match", self.expression(node.subject))
        else:
            node.subject = self.tested(node.subject)
        for case in node.cases:
            captured = rename_captures(case.pattern, self.is_shared) if self.is_active else {}
            guard = case.guard and self.tested(case.guard)
            case.guard = self._stored_captures(captured, guard, case.pattern) if captured else guard
            case.body = self.statements(case.body)
        if is_unseen:  # attributes are read as the patterns are tried
            return [placed(ast.Expr(self.hook("unseen", node, "call", "a pattern")), node), node]
        return node

    def _stored_captures(self, captured: dict[str, str], guard: ast.expr | None, at: ast.AST) -> ast.expr:
        """Return a guard that binds shared names to what a pattern captured, and then asks the guard that was there."""
        stores: list[ast.expr] = []
        for name, held in captured.items():
            value = self.hook("value", at, "write", name, placed(ast.Name(held, ast.Load()), at))
            stores.append(placed(ast.NamedExpr(placed(ast.Name(name, ast.Store()), at), value), at))
        binding = placed(ast.Tuple(stores, ast.Load()), at)  # with something in it, so it is true
        return placed(ast.BoolOp(ast.And(), [binding, guard]), at) if guard is not None else binding

    def _visit_with(self, node: ast.With | ast.AsyncWith) -> ast.AST:
        stores: list[ast.stmt] = []
        for item in node.items:
            item.context_expr = self.expression(item.context_expr)
            if self.is_active and isinstance(node, ast.With):
                at = item.context_expr
                item.context_expr = self.hook("enter", at, "acquire", None, at)
            if item.optional_vars is not None and len(node.items) == 1:
                item.optional_vars, stores = self._bound_later(item.optional_vars)
            elif item.optional_vars is not None:
                item.optional_vars = self.expression(item.optional_vars)
        node.body = [*stores, *self.statements(node.body)]
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        return self._visit_with(self._one_by_one(node))

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        return self._visit_with(self._one_by_one(node))

    def _one_by_one(self, node: _With) -> _With:
        """Return nested statements with one manager each, which mean the same, where a shared name is bound."""
        if len(node.items) == 1 or not any(
            item.optional_vars and self._binds(item.optional_vars) for item in node.items
        ):
            return node
        rest = placed(type(node)(node.items[1:], node.body), node.items[1].context_expr)
        return placed(type(node)(node.items[:1], [rest]), node)

    def _binds(self, target: ast.expr) -> bool:
        """Return whether a target binds a name that another task can read."""
        names = [part for part in nodes_of(target) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]
        return self.is_active and any(self.is_shared(name.id) for name in names)

    def _bound_later(self, target: ast.expr) -> tuple[ast.expr, list[ast.stmt]]:
        """Return what is bound instead of a target with shared names, and the statements that bind those."""
        if not self._binds(target):
            return self.expression(target), []
        held, load, gone = (placed(ast.Name(_BOUND, ctx), target) for ctx in (ast.Store(), ast.Load(), ast.Del()))
        store = placed(ast.Assign([target], load), target)
        return held, [*self.statements([store]), placed(ast.Delete([gone]), target)]

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.type = node.type and self.expression(node.type)
        body = self.statements(node.body)
        if node.name and self.is_active and self.is_shared(node.name):
            body = self._bound_exception(node, node.name, body)
            node.name = _BOUND
        node.body = body
        return node

    def _bound_exception(self, node: ast.ExceptHandler, name: str, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return the body of a handler that binds and unbinds a shared name itself, as the interpreter would."""
        caught = self.hook("value", node, "write", name, placed(ast.Name(_BOUND, ast.Load()), node))
        before = self.hook("name", node, "write", name)
        last = [
            placed(ast.Expr(before), node),
            placed(ast.Assign([placed(ast.Name(name, ast.Store()), node)], none(node)), node),
            placed(ast.Delete([placed(ast.Name(name, ast.Del()), node)]), node),
        ]
        store = placed(ast.Assign([placed(ast.Name(name, ast.Store()), node)], caught), node)
        return [store, placed(ast.Try(body, [], [], last), node)]

    # Assignments

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        target = node.targets[0]
        is_single = self.is_active and len(node.targets) == 1
        if is_single and isinstance(target, ast.Subscript) and not self.is_simple_subscript(target):
            return self._store_subscript(node, target)
        if (
            is_single
            and isinstance(target, ast.Attribute)
            and target.attr in self.stored
            and self._is_plain_name(target.value)
        ):
            return self._store_attribute(node, target)
        unpacked = [target for target in node.targets if self.is_active and isinstance(target, (ast.Tuple, ast.List))]
        value = self.expression(node.value)
        if any(isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice) for target in node.targets):
            value = self.looked_at(value) if self.is_active else value
        if unpacked and type(node.value) not in FRESH and not self.is_confined(node.value):
            is_nested = any(unpacking(target) == NESTED for target in unpacked)
            value = self.hook("text" if is_nested else "whole", node.value, "read", "__iter__", value)
        node.value = self.stored_value(node.targets, value)
        node.targets = [self.expression(target) for target in node.targets]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.target = self.visit(node.target)
            node.value = self.stored_value([node.target], self.expression(node.value))
        return node

    def _is_plain_name(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and self.is_simple(node) and not self.is_confined(node)

    def _store_attribute(self, node: ast.Assign, target: ast.Attribute) -> ast.stmt:
        """Store an attribute of a name: the hook takes the value, so that the compiler still sees ``self.x = ...``."""
        value = self.expression(node.value)
        node.value = self.hook("stored", target, "write", self.private(target.attr), value, copy_of(target.value))
        return node

    def _store_subscript(self, node: ast.Assign, target: ast.Subscript) -> ast.stmt:
        """Store where object and key are both compound: the hook stands after both, and after the value."""
        value, held, key = (self.expression(part) for part in (node.value, target.value, target.slice))
        stored = self.hook("store", target, "write", None, value, held, self.as_object(key))
        call = self.call("setitem", target, placed(ast.Starred(stored, ast.Load()), target))
        return placed(ast.Expr(call), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        target = node.target
        is_confined = isinstance(target, ast.Subscript) and self.is_confined(target.value)
        if not self.is_active or (is_confined and _is_number(node.value)):  # which no container can be changed by
            self.generic_visit(node)
            return node
        if isinstance(target, ast.Name):
            return self._augment_name(node, target)
        if isinstance(target, ast.Attribute):
            return self._augment_attribute(node, target)
        return self._augment_subscript(node, target)

    def _augment_name(self, node: ast.AugAssign, target: ast.Name) -> list[ast.stmt]:
        before = self._before_reading(node, target)
        value = self.expression(node.value)
        node.value = self.hook("inplace", target, "call", _inplace(node), value, copy_of(target))
        if before:
            node.value = self.hook("value", target, "write", target.id, node.value)
        return [*before, node]

    def _before_reading(self, node: ast.stmt, name: ast.Name) -> list[ast.stmt]:
        hooks = [self.hook("name", name, "read", name.id)] if self.is_shared(name.id) else []
        return [placed(ast.Expr(hook), node) for hook in hooks]

    def _augment_attribute(self, node: ast.AugAssign, target: ast.Attribute) -> list[ast.stmt]:
        name = self.private(target.attr)
        held, again, release = self._held(target.value, _HELD_OBJECT, node.value)
        hooked = self.hook(self.reading_hook(target.attr), target, "read", name, held)
        old = placed(ast.Attribute(hooked, target.attr, ast.Load()), target)
        new = self._combined(node, old)
        target.value = self.hook("attr", target, "write", name, again)  # no plain name: a class would count the store
        return [placed(ast.Assign([target], new), node), *release]

    def _augment_subscript(self, node: ast.AugAssign, target: ast.Subscript) -> list[ast.stmt]:
        held, again, release = self._held(target.value, _HELD_OBJECT, node.value)
        held_key, key_again, release_key = self._held(target.slice, _HELD_KEY, node.value)
        is_confined = self.is_confined(target.value)
        key = held_key if is_confined else self.hook("key", target, "read", None, copy_of(again), held_key)
        old = placed(ast.Subscript(held, key, ast.Load()), target)
        value = self._combined(node, old)
        target.value, target.slice = again, key_again
        if not is_confined:
            value = self.hook("storeditem", target, "write", None, value, copy_of(again), copy_of(key_again))
        return [placed(ast.Assign([target], value), node), *release, *release_key]

    def _combined(self, node: ast.AugAssign, old: ast.expr) -> ast.expr:
        """Return the result of the operation in place, both operands known to the hook before it."""
        name = _inplace(node)
        if self.is_simple(node.value):
            hooked = self.hook("operand", node, "call", name, old, copy_of(node.value))
            return self.call(name.strip("_"), node, hooked, node.value)
        pair = self.hook("operands", node, "call", name, old, self.expression(node.value))
        return self.call(name.strip("_"), node, placed(ast.Starred(pair, ast.Load()), node))

    def _held(self, node: ast.expr, name: str, between: ast.expr) -> tuple[ast.expr, ast.expr, list[ast.stmt]]:
        """Return the expression, one that gives the same object again, and what lets go of it afterwards.

        ``between`` is evaluated before the object is asked for again.
        """
        if self.is_simple(node) and (isinstance(node, ast.Constant) or not assigns(between)):
            return node, copy_of(node), []
        store, load = (placed(ast.Name(name, ctx), node) for ctx in (ast.Store(), ast.Load()))
        held = placed(ast.NamedExpr(store, self.as_object(self.expression(node))), node)
        release = ast.Delete([placed(ast.Name(name, ast.Del()), node)])
        return held, load, [placed(release, node)]


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float))


def _inplace(node: ast.AugAssign) -> str:
    return f"__i{OPERATORS[type(node.op)]}__"
