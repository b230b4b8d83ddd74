# ruff: noqa: D102, N802, N815 - names and contracts of visitors are ast's
"""Rewriting of expressions: every access to shared state passes a hook before it happens.

The order of evaluation stays. Where two errors are possible in one method call (no such method, and an argument whose
name is not bound) the other one may be raised; where ``*`` or ``**`` is given no iterable or mapping, the text of the
TypeError may name another function.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from harness.instrument.placing import FRESH, Placer, assigns, copy_of, is_foreign, none, placed
from harness.instrument.scopes import nodes_of, targets_of
from harness.instrument.site import Operation

__all__ = ["ExpressionRewriter"]

# Built-in functions that read the whole of a container given to them, at once or step by step.
_READERS = frozenset(
    {"all", "any", "bool", "dict", "frozenset", "iter", "len", "list", "max", "min", "next", "repr", "reversed"}
    | {"set", "sorted", "str", "sum", "tuple"}
)
_STEPPERS = frozenset({"enumerate", "filter", "map", "zip"})
_ACCESSORS: dict[str, Operation] = {"getattr": "read", "hasattr": "read", "setattr": "write", "delattr": "write"}
_DATE_READINGS = frozenset({"now", "today", "utcnow"})
_MAKERS = frozenset({"list", "sorted", "set", "dict", "tuple", "range"})  # of objects that nobody else has
_TESTED = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Await, ast.NamedExpr)
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class ExpressionRewriter(Placer):
    """Rewrites expressions. Confined to the rewriting of one module."""

    def expression(self, node: ast.expr) -> ast.expr:
        """Return the node rewritten."""
        result = self.visit(node)
        assert isinstance(result, ast.expr)
        return result

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
            return node
        before = self.hook("name", node, "read", node.id)
        return placed(ast.BoolOp(ast.Or(), [before, node]), node)

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
        if not self.is_active or is_foreign(node) or self.is_confined(node.value) or isinstance(node.value, FRESH):
            return self._unchanged(node)
        node.value = self._attribute_object(node, self.expression(node.value))
        return node

    def _attribute_object(self, node: ast.Attribute, value: ast.expr) -> ast.expr:
        operation: Operation = "read" if isinstance(node.ctx, ast.Load) else "write"
        hook = "attr" if operation == "write" or node.attr in self.stored else "quiet"
        return self.hook(hook, node, operation, self.private(node.attr), value)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if not self.is_active or self.is_confined(node.value) or isinstance(node.value, FRESH):
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
        is_simple_key = self.is_simple(node.slice) or self._is_simple_slice(node.slice)
        return is_simple_key or self._is_plain_object(node) or self.is_confined(node.value)

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

    # Calls

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if not self.is_active:
            return self._unchanged(node)
        if isinstance(node.func, ast.Attribute):
            return self._visit_attribute_call(node, node.func)
        name = node.func.id if isinstance(node.func, ast.Name) and self.scope.is_global(node.func.id) else ""
        if name in _ACCESSORS and len(node.args) > 1:
            return self._visit_accessor(node, _ACCESSORS[name])
        may_be_captured = isinstance(node.func, ast.Name) and self._may_be_captured(node.func.id)
        node.func = self.expression(node.func)
        if may_be_captured:
            node.func = self.call("called", node.func, node.func)
        argument = self._read_whole if name in _READERS else self._iterated if name in _STEPPERS else self.expression
        return self._visit_arguments(node, argument)

    def _may_be_captured(self, name: str) -> bool:
        """Return whether a name may hold a function of the standard library that has a stand-in, as ``sleep`` may."""
        if not self.scope.is_global(name):
            return True
        return not self.scope.is_builtin(name) and name not in self.own_definitions

    def _visit_arguments(self, node: ast.Call, argument: Callable[[ast.expr], ast.expr]) -> ast.Call:
        node.args = [self.expression(arg) if isinstance(arg, ast.Starred) else argument(arg) for arg in node.args]
        for keyword in node.keywords:
            is_simple = keyword.arg is not None or self.is_simple_argument(keyword.value, is_keywords=True)
            keyword.value = self.expression(keyword.value) if is_simple else self._read_whole(keyword.value)
        return node

    def _visit_attribute_call(self, node: ast.Call, function: ast.Attribute) -> ast.expr:
        if isinstance(function.value, FRESH):  # ", ".join(names)
            function.value = self.expression(function.value)
            return self._visit_arguments(node, self._read_whole)
        if is_foreign(function) or self.is_confined(function.value):
            node.func = self.expression(function)
            return self._visit_arguments(node, self.expression)
        return self._visit_method_call(node, function)

    def _visit_method_call(self, node: ast.Call, function: ast.Attribute) -> ast.expr:
        simple_args = all(self.is_simple_argument(arg) for arg in node.args)
        simple_keywords = all(self.is_simple_argument(k.value, is_keywords=k.arg is None) for k in node.keywords)
        is_starred = any(isinstance(arg, ast.Starred) for arg in node.args) or any(k.arg is None for k in node.keywords)
        first = node.args[0] if node.args and not isinstance(node.args[0], ast.Starred) else None
        function.value = self.expression(function.value)
        self._visit_arguments(node, self.expression)
        name = self.private(function.attr)
        if simple_args and simple_keywords and (first is None or function.attr in self.stored):
            function.value = self._attribute_object(function, function.value)
            node.func = self._attribute_called(function)
        elif simple_args and simple_keywords and first is not None:
            function.value = self.hook("method", function, "call", name, function.value, copy_of(first))
            node.func = self._attribute_called(function)
        else:
            stored = function.attr in self.stored
            function.value = self.hook("attr" if stored else "bare", function, "read", name, function.value)
            at = node if is_starred else _call_location(node, function)
            called = self._attribute_called(function)
            return self._hooked_call(node, self.call("args" if simple_keywords else "ready", at, called), name, at)
        return node

    def _attribute_called(self, function: ast.Attribute) -> ast.expr:
        """Return the function of a call: one stored in an attribute, or that tells the date, may have a stand-in."""
        may_be_captured = function.attr in self.stored or function.attr in _DATE_READINGS
        return self.call("called", function, function) if may_be_captured else function

    def _hooked_call(self, node: ast.Call, hooked: ast.Call, name: str, at: ast.expr) -> ast.Call:
        """Return the call with its hook after the arguments: before the call, but in the program's own frame."""
        hooked.args += [self.site(node, "call", name), *node.args]
        if isinstance(hooked.func, ast.Attribute) and hooked.func.attr == "ready":
            hooked.keywords = node.keywords
            return placed(ast.Call(hooked, [], []), at)
        call = self.call("call", at, placed(ast.Starred(hooked, ast.Load()), at))
        call.keywords = node.keywords
        return call

    def _visit_accessor(self, node: ast.Call, operation: Operation) -> ast.expr:
        """Rewrite ``getattr`` and its like: the hook stands after the arguments where the object can be named again."""
        target, name, *rest = node.args
        text = name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None
        is_plain = not isinstance(target, ast.Starred) and not isinstance(name, ast.Starred)
        plain_rest = all(self.is_simple(argument) for argument in (name, *rest))
        simple_target = isinstance(target, ast.Name) and self.is_simple(target)
        self._visit_arguments(node, self.expression)
        attribute = None if text is None else self.private(text)
        if is_plain and (plain_rest or not simple_target):
            hook = "quiet" if operation == "read" and text is not None and text not in self.stored else "attr"
            node.args[0] = self.hook(hook, node, operation, attribute, node.args[0])
        elif is_plain and not isinstance(node.args[-1], ast.Starred) and not assigns(node.args[-1]):
            node.args[-1] = self.hook("aug", node, operation, attribute, node.args[-1], copy_of(target))
        return node

    def _read_whole(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Starred):
            return self.visit_Starred(node)
        is_harmless = isinstance(node, (*FRESH, ast.Lambda, ast.GeneratorExp))
        if is_harmless or not self.is_active or self.is_confined(node):
            return self.expression(node)
        return self.hook("whole", node, "read", None, self.expression(node))

    def visit_Starred(self, node: ast.Starred) -> ast.Starred:
        is_read = isinstance(node.ctx, ast.Load) and not self.is_simple_argument(node)
        node.value = self._read_whole(node.value) if is_read else self.expression(node.value)
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.Dict:
        pairs = list(zip(node.keys, node.values, strict=True))
        node.keys = [key and self.expression(key) for key, _ in pairs]
        node.values = [self._read_whole(value) if key is None else self.expression(value) for key, value in pairs]
        return node

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.YieldFrom:
        node.value = self._iterated(node.value)
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.FormattedValue:
        node.value = self._read_whole(node.value)
        node.format_spec = node.format_spec and self.expression(node.format_spec)
        return node

    # Truth tests, membership, iteration

    def tested(self, node: ast.expr) -> ast.expr:
        """Return the expression of a truth test; only what may be a container gets a hook, constants never."""
        is_constant = isinstance(node, ast.Name) and node.id == "__debug__"
        may_be_container = isinstance(node, _TESTED) and self.is_active and not self.is_confined(node)
        result = self.expression(node)
        return self.hook("whole", node, "read", None, result) if may_be_container and not is_constant else result

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        node.test = self.tested(node.test)
        node.body, node.orelse = self.expression(node.body), self.expression(node.orelse)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        node.operand = self.tested(node.operand) if isinstance(node.op, ast.Not) else self.expression(node.operand)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        *tested, last = node.values
        node.values = [*(self.tested(value) for value in tested), self.expression(last)]
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        left, *others = [node.left, *node.comparators]
        is_left_simple = self.is_simple(left)
        node.left = self.expression(left)
        for position, (operator, right) in enumerate(zip(node.ops, others, strict=True)):
            new = self.expression(right)
            # pytest's explanation of a failed assertion looks names up; that is no access of the program's.
            is_explained = (
                isinstance(right, ast.Call) and isinstance(right.func, ast.Attribute) and is_foreign(right.func)
            )
            is_plain = isinstance(right, FRESH) or self.is_confined(right) or is_explained
            if self.is_active and isinstance(operator, (ast.In, ast.NotIn)) and not is_plain:
                if position == 0 and is_left_simple:
                    new = self.hook("item", right, "read", None, new, copy_of(left))
                else:
                    new = self.hook("whole", right, "read", None, new)
            node.comparators[position] = new
        return node

    def _iterated(self, node: ast.expr) -> ast.expr:
        is_harmless = isinstance(node, (*FRESH, ast.Lambda)) or self.is_confined(node) or self._is_made_here(node)
        if not self.is_active or is_harmless:
            return self.expression(node)
        return self.hook("iterate", node, "read", None, self.expression(node))

    def _is_made_here(self, node: ast.expr) -> bool:
        """Return whether the node makes a container that nobody else can have."""
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        return name in _MAKERS and self.scope.is_builtin(name)

    def loop_iterated(self, iterated: ast.expr, target: ast.expr) -> ast.expr:
        """Return what a loop goes through, with a hook before each step and each store of a shared loop variable."""
        return self._each(self._iterated(iterated), target)

    def _each(self, iterated: ast.expr, target: ast.expr) -> ast.expr:
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


def _call_location(node: ast.Call, function: ast.Attribute) -> ast.expr:
    """Return a node placed where the interpreter says that a method call happens: at the line of the method's name."""
    if function.lineno == function.end_lineno:
        return node
    place = placed(ast.Constant(None), node)
    place.lineno = function.end_lineno or function.lineno
    place.col_offset = max((function.end_col_offset or 0) - len(function.attr), 0)
    return place
