# ruff: noqa: D102, N802, N815 - names and contracts of visitors are ast's
"""Rewriting of expressions: every access to shared state passes a hook before it happens.

The order of evaluation stays.
"""

from __future__ import annotations

import ast

from harness.instrument.calls import CallRewriter
from harness.instrument.nodes import nodes_of
from harness.instrument.patterns import unpacking
from harness.instrument.placing import FRESH, assigns, copy_of, is_foreign, none, placed
from harness.instrument.scopes import targets_of
from harness.instrument.site import Operation

__all__ = ["ExpressionRewriter"]

_PLAIN_TEXT = frozenset({ast.Constant, ast.JoinedStr})
_MAKERS = frozenset({"list", "sorted", "set", "dict", "tuple", "range"})  # of objects that nobody else has
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class ExpressionRewriter(CallRewriter):
    """Rewrites expressions. Confined to the rewriting of one module."""

    def _unchanged(self, node: ast.expr) -> ast.expr:
        """Return the node itself, with the parts inside it rewritten."""
        self.generic_visit(node)
        return node

    # Functions without a name

    def visit_defaults(self, arguments: ast.arguments) -> None:
        """Rewrite the default values of a function, which belong to the scope around it."""
        arguments.defaults = [self.expression(default) for default in arguments.defaults]
        arguments.kw_defaults = [default and self.expression(default) for default in arguments.kw_defaults]

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        self.visit_defaults(node.args)
        outer = self.enter(node, "<lambda>")
        node.body = self.expression(node.body)
        self.leave(outer)
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.GeneratorExp:
        first, *others = node.generators
        first.iter = self._steps_of(first)
        outer = self.enter(node, "<genexpr>")
        first.iter = self._stores_of(first)
        self._visit_generators(node, others)
        self.leave(outer)
        return node

    # Names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if not self.is_active or not isinstance(node.ctx, ast.Load) or not self.is_shared(node.id):
            return self._handed_on(node) if self.is_evaluating(node) else node
        before = self.hook("name", node, "read", node.id)
        return placed(ast.BoolOp(ast.Or(), [before, node]), node)

    def _handed_on(self, node: ast.Name) -> ast.expr:
        """Return a function that runs text: who calls it, and with which text, is known to nobody."""
        return self.call("called", node, node, self.site(node, "call", node.id), placed(ast.Constant(node.id), node))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        node.value = self.stored_value([node.target], self.expression(node.value))
        return node

    def stored_value(self, targets: list[ast.expr], value: ast.expr) -> ast.expr:
        """Return the value of an assignment, behind one hook for each shared name among the targets."""
        names = [node for target in targets for node in nodes_of(target) if isinstance(node, ast.Name)]
        for name in names:
            if self.is_active and isinstance(name.ctx, ast.Store) and self.is_shared(name.id):
                value = self.hook("value", name, "write", name.id, value)
        return value

    # Attributes and subscripts

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if not self.is_active or is_foreign(node) or self.is_confined(node.value) or type(node.value) in FRESH:
            return self._unchanged(node)
        node.value = self.expression(node.value)
        if isinstance(node.ctx, ast.Load) or node.attr in self.stored:
            node.value = self._attribute_object(node, node.value)
        return node

    def _attribute_object(self, node: ast.Attribute, value: ast.expr) -> ast.expr:
        operation: Operation = "read" if isinstance(node.ctx, ast.Load) else "write"
        hook = "attr" if operation == "write" else self.reading_hook(node.attr)
        return self.hook(hook, node, operation, self.private(node.attr), value)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if not self.is_active or self.is_confined(node.value) or type(node.value) in FRESH:
            return self._unchanged(node)
        operation: Operation = "read" if isinstance(node.ctx, ast.Load) else "write"
        simple_key, simple_slice = self.is_simple(node.slice), self._is_simple_slice(node.slice)
        simple_object = self._is_plain_object(node)
        key = node.slice
        node.value, node.slice = self.expression(node.value), self.expression(node.slice)
        if simple_key or simple_slice:
            node.value = self.hook(
                "item", node, operation, None, node.value, none(key) if simple_slice else copy_of(key)
            )
        elif simple_object:
            node.slice = self.hook("key", node, operation, None, copy_of(node.value), node.slice)
        elif isinstance(node.ctx, ast.Load):
            pair = self.hook("pair", node, operation, None, node.value, self.as_object(node.slice))
            return self.call("getitem", node, placed(ast.Starred(pair, ast.Load()), node))
        else:
            node.value = self.hook("item", node, operation, None, node.value, none(node))
        return node

    def is_simple_subscript(self, node: ast.Subscript) -> bool:
        """Return whether the hook of a stored subscript can stand right before the store, inside the subscript."""
        if isinstance(node.slice, ast.Slice):  # what is stored is read as well, at that moment
            return self.is_confined(node.value)
        return self.is_simple(node.slice) or self._is_plain_object(node) or self.is_confined(node.value)

    def _is_plain_object(self, node: ast.Subscript) -> bool:
        """Return whether the object can be named once more after the key was evaluated."""
        is_key_hookable = not isinstance(node.slice, ast.Slice) and not assigns(node.slice)
        return isinstance(node.value, ast.Name) and self.is_simple(node.value) and is_key_hookable

    def _is_simple_slice(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Slice) and all(
            part is None or self.is_simple(part) for part in (node.lower, node.upper, node.step)
        )

    def as_object(self, key: ast.expr) -> ast.expr:
        """Return an expression for the key object: a slice written in brackets becomes a call of ``slice``.

        The parts of the key are rewritten already.
        """
        if isinstance(key, ast.Slice):
            parts = [part or none(key) for part in (key.lower, key.upper, key.step)]
            return self.call("slice", key, *parts)
        if isinstance(key, ast.Tuple):
            elements = [self.as_object(element) if isinstance(element, ast.Slice) else element for element in key.elts]
            return placed(ast.Tuple(elements, ast.Load()), key)
        return key

    # What is read as a whole

    def visit_Starred(self, node: ast.Starred) -> ast.Starred:
        is_read = isinstance(node.ctx, ast.Load) and not self.is_simple_argument(node)
        node.value = self.read_whole(node.value, "__iter__") if is_read else self.expression(node.value)
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.Dict:
        pairs = list(zip(node.keys, node.values, strict=True))
        node.keys = [key and self.expression(key) for key, _ in pairs]
        node.values = [
            self.read_whole(value, "keys") if key is None else self.expression(value) for key, value in pairs
        ]
        return node

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.YieldFrom:
        node.value = (
            self.stepped(self.expression(node.value), "delegate") if self.is_active else self.expression(node.value)
        )
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.FormattedValue:
        value = self.expression(node.value)
        is_plain = type(node.value) in _PLAIN_TEXT or not self.is_active
        hook = "shown" if self.is_confined(node.value) else "text"
        node.value = value if is_plain else self.hook(hook, node.value, "read", "__format__", value)
        node.format_spec = node.format_spec and self.expression(node.format_spec)
        return node

    # Iteration

    def _iterated(self, node: ast.expr) -> ast.expr:
        is_plain = not self.is_active or self.is_confined(node) or self._is_made_here(node)
        return self.expression(node) if is_plain else self.stepped(self.expression(node))

    def _is_made_here(self, node: ast.expr) -> bool:
        """Return whether the node makes a container that nobody else can have."""
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        return name in _MAKERS and self.scope.is_builtin(name)

    def loop_iterated(self, iterated: ast.expr, target: ast.expr) -> ast.expr:
        """Return what a loop goes through, with a hook before each step and each store of a shared loop variable."""
        return self._each(self._iterated(iterated), target)

    def _each(self, iterated: ast.expr, target: ast.expr) -> ast.expr:
        if self.is_active and isinstance(target, (ast.Tuple, ast.List)):
            iterated = self.hook("spread", target, "read", unpacking(target), iterated)
        names = [node for node in nodes_of(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        for name in names:
            if self.is_active and self.is_shared_target(name.id):
                iterated = self.hook("each", name, "write", name.id, iterated)
        return iterated

    def _steps_of(self, generator: ast.comprehension) -> ast.expr:
        return self.expression(generator.iter) if generator.is_async else self._iterated(generator.iter)

    def _stores_of(self, generator: ast.comprehension) -> ast.expr:
        return generator.iter if generator.is_async else self._each(generator.iter, generator.target)

    def _visit_generators(self, node: _Comprehension, inner: list[ast.comprehension]) -> None:
        """Rewrite what runs for each item; ``inner`` are the generators whose iterables are still to be rewritten."""
        for generator in node.generators:
            if generator in inner:
                generator.iter = self._steps_of(generator)
                generator.iter = self._stores_of(generator)
            generator.target = self.expression(generator.target)
            generator.ifs = [self.tested(test) for test in generator.ifs]
        if isinstance(node, ast.DictComp):
            node.key, node.value = self.expression(node.key), self.expression(node.value)
        elif node in self.tested_generators:
            node.elt = self.tested(node.elt)
        else:
            node.elt = self.expression(node.elt)

    def _visit_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> ast.expr:
        first, *others = node.generators
        first.iter = self._steps_of(first)
        self.targets.append(targets_of(node.generators))
        first.iter = self._stores_of(first)
        self._visit_generators(node, others)
        self.targets.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = _visit_comprehension
