# ruff: noqa: D102, N802 - names of visitors are ast's
"""Rewriting of calls: one hook knows the function and its arguments when all of them have been evaluated.

Where the arguments can be named again, the hook stands around the function; otherwise a C function makes the call of
what the hook gives, in the program's own frame. Where ``*`` or ``**`` is given no iterable or mapping, the text of the
TypeError may name another function.
"""

from __future__ import annotations

import ast

from harness.instrument.function_effects import HARMLESS_BUILTINS
from harness.instrument.hooks import MOST_ARGUMENTS
from harness.instrument.operators import OperatorRewriter
from harness.instrument.placing import FRESH, assigns, copy_of, is_foreign, placed
from harness.instrument.site import Operation

__all__ = ["CallRewriter"]

_STEPPERS = frozenset({"enumerate", "filter", "map", "zip"})
_ACCESSORS: dict[str, Operation] = {"getattr": "read", "hasattr": "read", "setattr": "write", "delattr": "write"}
_CHOOSERS = frozenset({"max", "min"})
_QUANTIFIERS = frozenset({"all", "any"})
_UNREAD = FRESH | {ast.Lambda, ast.Starred}  # what no hook looks at: nobody else has it, or it is read elsewhere
_CONSTANTS = frozenset({ast.Constant})
_SHALLOW = frozenset({"bool", "iter", "len", "list", "reversed", "tuple"})  # do not look into items
_SEARCHING = frozenset({"count", "index", "remove"})
# Methods of containers that do nothing to their arguments but keep them, or look for them.
_KEEPING = frozenset({"add", "append", "appendleft", "clear", "copy", "get", "insert", "pop", "popleft", "setdefault"})


class CallRewriter(OperatorRewriter):
    """Rewrites calls. Confined to the rewriting of one module."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if not self.is_active:
            self.generic_visit(node)
            return node
        name = node.func.id if isinstance(node.func, ast.Name) and self.scope.is_global(node.func.id) else ""
        if name in _ACCESSORS and len(node.args) > 1:
            return self._visit_accessor(node, _ACCESSORS[name])
        if name in _QUANTIFIERS and _is_quantified(node) and self.scope.is_builtin(name):
            self.tested_generators.add(node.args[0])
            node.args = [self.expression(node.args[0])]
            return node
        if self._is_harmless(node, name):
            node.func = self.expression(node.func)
            self._visit_arguments(node)
            return node
        steps = (name in _STEPPERS or (name in _CHOOSERS and self._has_own_key(node))) and self.scope.is_builtin(name)
        return self._visit_other_call(node, steps=steps)

    def _has_own_key(self, node: ast.Call) -> bool:
        """Return whether items of one iterable are chosen by a function that makes scheduling points."""
        keys = [keyword.value for keyword in node.keywords if keyword.arg == "key"]
        is_own = [isinstance(k, ast.Lambda) or (isinstance(k, ast.Name) and k.id in self.own_functions) for k in keys]
        return len(node.args) == 1 and is_own == [True] and not isinstance(node.args[0], ast.Starred)

    def _is_harmless(self, node: ast.Call, name: str) -> bool:
        """Return whether the call needs no hook: of a rewritten function, of a type that looks at nothing."""
        if name in self.own_functions and name not in self.stored.names:
            return True
        if name and self.scope.is_builtin(name):
            is_safe = name in HARMLESS_BUILTINS or (name == "type" and len(node.args) == 1)
            if self.is_evaluating(node.func):
                return False  # the text is looked at when it is there
            return is_safe or (not node.keywords and self._has_plain_arguments(node, is_shallow=name in _SHALLOW))
        if not isinstance(node.func, ast.Attribute):
            return False
        is_constant = isinstance(node.func.value, ast.Constant) and not node.args and not node.keywords
        return is_constant or is_foreign(node.func)

    def _has_plain_arguments(self, node: ast.Call, *, is_shallow: bool) -> bool:
        plain = FRESH if is_shallow else _CONSTANTS
        return all(type(arg) in plain or (is_shallow and self.is_confined(arg)) for arg in node.args)

    def _visit_arguments(self, node: ast.Call) -> None:
        node.args = [self.expression(argument) for argument in node.args]
        for keyword in node.keywords:
            is_read = keyword.arg is None and not self.is_simple_argument(keyword.value, is_keywords=True)
            value = keyword.value
            keyword.value = self.read_whole(value, "keys") if is_read else self.expression(value)

    def _visit_other_call(self, node: ast.Call, *, steps: bool) -> ast.expr:
        function = node.func
        simple_args = all(map(self.is_simple_argument, node.args))
        simple_keywords = all(self.is_simple_argument(k.value, is_keywords=k.arg is None) for k in node.keywords)
        is_starred = any(isinstance(arg, ast.Starred) for arg in node.args) or any(k.arg is None for k in node.keywords)
        is_confined = isinstance(function, ast.Attribute) and self.is_confined(function.value)
        copies = self._copies(node) if simple_args and simple_keywords else []
        name = self._visit_called(function)
        if is_confined and (name != "sort" or all(map(self._is_plain_keyword, node.keywords))):
            return self._visit_confined_call(node, name)
        is_visited = isinstance(function, ast.Attribute) or self.is_evaluating(function)
        node.func = function if is_visited else self.expression(function)
        self._visit_arguments(node)
        if steps:
            node.args = (
                [node.args[0], *map(self.stepped, node.args[1:])]
                if name in ("map", "filter")
                else [self.stepped(argument) for argument in node.args]
            )
        is_multiline = isinstance(function, ast.Attribute) and function.lineno != function.end_lineno
        at = _call_location(node, function) if is_multiline and not is_starred else node
        if simple_args and simple_keywords and not steps:
            is_short = len(copies) <= MOST_ARGUMENTS and not any(isinstance(copy, ast.Starred) for copy in copies)
            hook = "called" if is_short else "called_with"
            node.func = self.call(hook, at, node.func, self.site(at, "call", name), *copies)
            return placed(node, at)
        hooked = self.call("ready" if node.keywords else "args", at, node.func, self.site(at, "call", name), *node.args)
        if node.keywords:
            hooked.keywords = node.keywords
            return placed(ast.Call(hooked, [], []), at)
        return self.call("call", at, placed(ast.Starred(hooked, ast.Load()), at))

    def _visit_confined_call(self, node: ast.Call, name: str) -> ast.expr:
        """Rewrite the call of a method of a container that nobody else can reach, but for what is in it."""
        assert isinstance(node.func, ast.Attribute)
        held = node.func.value
        self._visit_arguments(node)
        if name == "update":
            node.args = [self.hook("gathered", argument, "read", "__iter__", argument) for argument in node.args]
        elif name not in _KEEPING:
            node.args = [self.looked_at(argument) for argument in node.args]
        if name in _SEARCHING and len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
            searched = self.contents(held)
            node.args = [self.hook("member", node, "read", "__contains__", node.args[0], searched)]
        elif name == "sort":
            node.func = self.hook("sorting", node, "call", name, node.func, self.contents(held))
        return node

    def _is_plain_keyword(self, keyword: ast.keyword) -> bool:
        return isinstance(keyword.value, ast.Lambda) or self.is_simple(keyword.value)

    def _visit_called(self, function: ast.expr) -> str:
        """Rewrite what the function of a call is an attribute of; return the function's name."""
        if not isinstance(function, ast.Attribute):
            return function.id if isinstance(function, ast.Name) else ""
        name = self.private(function.attr)
        held = self.is_confined(function.value) or type(function.value) in FRESH
        value = self.expression(function.value)
        if function.attr in self.stored and not held:
            value = self.hook(self.reading_hook(function.attr), function, "read", name, value)
        function.value = value
        return name

    def reading_hook(self, attribute: str) -> str:
        """Return the hook for reading an attribute."""
        if attribute in self.stored.lazy:
            return "lazy"
        return "attr" if attribute in self.stored else "quiet"

    def _copies(self, node: ast.Call) -> list[ast.expr]:
        """Return second nodes for simple arguments, values of keywords included."""
        copies: list[ast.expr] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                copies.append(placed(ast.Starred(copy_of(argument.value), ast.Load()), argument))
            elif self.is_confined(argument):  # nobody else has it, but what is in it
                items = placed(ast.Starred(copy_of(argument), ast.Load()), argument)
                copies.append(placed(ast.Tuple([items], ast.Load()), argument))
            elif not isinstance(argument, ast.Constant) or not copies:  # the first may be a key
                copies.append(copy_of(argument))
        for keyword in node.keywords:
            if keyword.arg is not None:
                copies += [] if isinstance(keyword.value, ast.Constant) else [copy_of(keyword.value)]
            else:
                values = placed(ast.Attribute(copy_of(keyword.value), "values", ast.Load()), keyword.value)
                called = placed(ast.Call(values, [], []), keyword.value)
                copies.append(placed(ast.Starred(called, ast.Load()), keyword.value))
        return copies

    def looked_at(self, node: ast.expr) -> ast.expr:
        """Return an argument, rewritten already, behind a hook for a read of all of it."""
        is_harmless = type(node) in _UNREAD or self.is_confined(node)
        return node if is_harmless else self.hook("whole", node, "read", "__iter__", node)

    def stepped(self, node: ast.expr, hook: str = "iterate") -> ast.expr:
        """Return an iterable, rewritten already, behind a hook that has a point before each step."""
        is_harmless = type(node) in _UNREAD or self.is_confined(node)
        return node if is_harmless else self.hook(hook, node, "read", "__iter__", node)

    def _visit_accessor(self, node: ast.Call, operation: Operation) -> ast.expr:
        """Rewrite ``getattr`` and its like: the hook stands after the arguments where the object can be named again."""
        target, name, *rest = node.args
        text = name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None
        is_plain = not isinstance(target, ast.Starred) and not isinstance(name, ast.Starred)
        plain_rest = all(self.is_simple(argument) for argument in (name, *rest))
        simple_target = isinstance(target, ast.Name) and self.is_simple(target)
        self._visit_arguments(node)
        attribute = None if text is None else self.private(text)
        if is_plain and (plain_rest or not simple_target):
            hook = self.reading_hook(text) if operation == "read" and text is not None else "attr"
            node.args[0] = self.hook(hook, node, operation, attribute, node.args[0])
        elif is_plain and not isinstance(node.args[-1], ast.Starred) and not assigns(node.args[-1]):
            node.args[-1] = self.hook("stored", node, operation, attribute, node.args[-1], copy_of(target))
        return node


def _is_quantified(node: ast.Call) -> bool:
    """Return whether a call goes through a generator that it makes itself, so that each item is tested at once."""
    return len(node.args) == 1 and not node.keywords and isinstance(node.args[0], ast.GeneratorExp)


def _call_location(node: ast.Call, function: ast.expr) -> ast.expr:
    """Return a node placed where the interpreter says that a method call happens: at the line of the method's name."""
    assert isinstance(function, ast.Attribute)
    place = placed(ast.Constant(None), node)
    place.lineno = function.end_lineno or function.lineno
    place.col_offset = max((function.end_col_offset or 0) - len(function.attr), 0)
    return place
