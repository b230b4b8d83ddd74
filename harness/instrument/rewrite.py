# ruff: noqa: N802, N815 - the names of visitors are ast's
"""Rewriting of functions so that every access to shared state passes a hook before it happens.

Works on the tree that the interpreter itself compiled (after pytest's assertion rewriting, where there was one). The
bodies of functions are rewritten; code of modules and class bodies is not, because it does not run again.

The rewriting adds no code object and no free variable, so the code objects of the result stand one to one beside those
of the original. Where object and key of an augmented subscript are compound, locals that are no identifiers hold them
from their evaluation to the store.
"""

from __future__ import annotations

import ast
from typing import TypeVar

from harness.instrument.expressions import ExpressionRewriter
from harness.instrument.placing import copy_of, placed
from harness.instrument.scopes import StoredNames, resolve_scopes
from harness.instrument.site import SiteTable

__all__ = ["rewrite"]

_HELD_OBJECT = "harness object"
_HELD_KEY = "harness key"
_Function = TypeVar("_Function", ast.FunctionDef, ast.AsyncFunctionDef)


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
    rewriter.scope = rewriter.scopes[tree]
    rewriter.generic_visit(tree)
    return tree


class _Rewriter(ExpressionRewriter):
    """Rewrites definitions and statements."""

    def statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        results = [self.visit(statement) for statement in body]
        return [new for result in results for new in (result if isinstance(result, list) else [result])]

    # Definitions: what stands outside a body belongs to the scope around it; annotations stay as they are

    def _visit_function(self, node: _Function) -> list[ast.stmt]:
        before: list[ast.stmt] = self._before_binding(node, [node.name])
        node.decorator_list = [self.expression(decorator) for decorator in node.decorator_list]
        self.visit_defaults(node.args)
        outer = self.enter(node, node.name)
        node.body = self.statements(node.body)
        self.leave(outer)
        return [*before, node]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> list[ast.stmt]:
        return self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> list[ast.stmt]:
        return self._visit_function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> list[ast.stmt]:
        before = self._before_binding(node, [node.name])
        node.decorator_list = [self.expression(decorator) for decorator in node.decorator_list]
        node.bases = [self.expression(base) for base in node.bases]
        for keyword in node.keywords:
            keyword.value = self.expression(keyword.value)
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

    def visit_Match(self, node: ast.Match) -> ast.AST:
        node.subject = self.tested(node.subject)
        for case in node.cases:
            case.guard = case.guard and self.tested(case.guard)
            case.body = self.statements(case.body)
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        self.generic_visit(node)
        if self.is_active:
            for item in node.items:
                at = item.context_expr
                item.context_expr = self.hook("enter", at, "acquire", None, at)
        return node

    # Assignments

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        target = node.targets[0]
        is_single = self.is_active and len(node.targets) == 1
        if is_single and isinstance(target, ast.Subscript) and not self.is_simple_subscript(target):
            return self._store_subscript(node, target)
        if is_single and isinstance(target, ast.Attribute) and self._is_plain_name(target.value):
            return self._store_attribute(node, target)
        is_unpacked = self.is_active and any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets)
        value = self.tested(node.value) if is_unpacked else self.expression(node.value)
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
        node.value = self.hook("aug", target, "write", self.private(target.attr), value, copy_of(target.value))
        return node

    def _store_subscript(self, node: ast.Assign, target: ast.Subscript) -> ast.stmt:
        """Store where object and key are both compound: the hook stands after both, and after the value."""
        value, held, key = (self.expression(part) for part in (node.value, target.value, target.slice))
        stored = self.hook("store", target, "write", None, value, held, self.as_object(key))
        call = self.call("setitem", target, placed(ast.Starred(stored, ast.Load()), target))
        return placed(ast.Expr(call), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        target = node.target
        is_confined = isinstance(target, (ast.Attribute, ast.Subscript)) and self.is_confined(target.value)
        if not self.is_active or is_confined:
            return self.generic_visit(node)
        if isinstance(target, ast.Name):
            return self._augment_name(node, target)
        if isinstance(target, ast.Attribute):
            return self._augment_attribute(node, target)
        return self._augment_subscript(node, target)

    def _augment_name(self, node: ast.AugAssign, target: ast.Name) -> list[ast.stmt]:
        before = self._before_reading(node, target)
        value = self.expression(node.value)
        node.value = self.hook("inplace", target, "write", None, value, copy_of(target))
        if before:
            node.value = self.hook("value", target, "write", target.id, node.value)
        return [*before, node]

    def _before_reading(self, node: ast.stmt, name: ast.Name) -> list[ast.stmt]:
        hooks = [self.hook("name", name, "read", name.id)] if self.is_shared(name.id) else []
        return [placed(ast.Expr(hook), node) for hook in hooks]

    def _augment_attribute(self, node: ast.AugAssign, target: ast.Attribute) -> list[ast.stmt]:
        name = self.private(target.attr)
        held, again, release = self._held(target.value, _HELD_OBJECT)
        before: list[ast.stmt] = []
        if release:
            target.value = self.hook("attr", target, "read", name, held)
        else:
            before = [placed(ast.Expr(self.hook("attr", target, "read", name, held)), node)]
        node.value = self.hook("aug", target, "write", name, self.expression(node.value), again)
        return [*before, node, *release]

    def _augment_subscript(self, node: ast.AugAssign, target: ast.Subscript) -> list[ast.stmt]:
        held, again, release = self._held(target.value, _HELD_OBJECT)
        held_key, key_again, release_key = self._held(target.slice, _HELD_KEY)
        target.value = held
        target.slice = self.hook("key", target, "read", None, copy_of(again), held_key)
        node.value = self.hook("augitem", target, "write", None, self.expression(node.value), again, key_again)
        return [node, *release, *release_key]

    def _held(self, node: ast.expr, name: str) -> tuple[ast.expr, ast.expr, list[ast.stmt]]:
        """Return the expression, one that gives the same object again, and what lets go of it afterwards."""
        if self.is_simple(node):
            return node, copy_of(node), []
        store, load = (placed(ast.Name(name, ctx), node) for ctx in (ast.Store(), ast.Load()))
        held = placed(ast.NamedExpr(store, self.as_object(self.expression(node))), node)
        release = ast.Delete([placed(ast.Name(name, ast.Del()), node)])
        return held, load, [placed(release, node)]
