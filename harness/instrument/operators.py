# ruff: noqa: D102, N802 - names and contracts of visitors are ast's
"""Rewriting of operators, comparisons and truth tests: both operands are known to the hook right before the operation.

Where one operand can be named again, the hook takes the place of the other; where both are compound, a C function makes
the operation of the pair that the hook gives. Of a chained comparison whose inner operands are compound, each operand
passes its hook as soon as it is there.
"""

from __future__ import annotations

import ast

from harness.instrument.placing import FRESH, Placer, assigns, copy_of, is_foreign, placed
from harness.instrument.site import Operation

__all__ = ["OPERATORS", "OperatorRewriter"]

# Name of the function in `operator`, without underscores; the dunder method has them on both sides.
OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.BitOr: "or",
    ast.BitXor: "xor",
    ast.BitAnd: "and",
    ast.MatMult: "matmul",
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.USub: "neg",
    ast.UAdd: "pos",
    ast.Invert: "invert",
}
_TESTED = frozenset({ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Await, ast.NamedExpr, ast.BinOp})
_HARMLESS = FRESH | {ast.Lambda, ast.GeneratorExp}


class OperatorRewriter(Placer):
    """Rewrites operators. Confined to the rewriting of one module."""

    def expression(self, node: ast.expr) -> ast.expr:
        """Return the node rewritten."""
        result: ast.expr = self._methods[node.__class__](self, node)
        return result

    def read_whole(self, node: ast.expr, name: str) -> ast.expr:
        """Return the node behind a hook for a read of all of it, through the method named."""
        if type(node) in _HARMLESS or not self.is_active or self.is_confined(node):
            return self.expression(node)
        return self.hook("whole", node, "read", name, self.expression(node))

    # Two operands

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = node.left, node.right
        if not self.is_active or type(left) is type(right) is ast.Constant:
            self.generic_visit(node)
            return node
        name = f"__{OPERATORS[type(node.op)]}__"
        pair = self._hooked_pair(node, name, left, right, "read")
        if isinstance(pair, tuple):
            node.left, node.right = pair
            return node
        return self.call(OPERATORS[type(node.op)], node, placed(ast.Starred(pair, ast.Load()), node))

    def _hooked_pair(
        self, at: ast.expr, name: str, left: ast.expr, right: ast.expr, operation: Operation
    ) -> tuple[ast.expr, ast.expr] | ast.expr:
        """Return both operands rewritten, one of them in a hook; or a hook that gives both."""
        is_left_simple = self.is_simple(left) or self.is_confined(left)
        if self.is_simple(right) or self.is_confined(right):
            new = self.expression(left)
            return self.hook("operand", at, operation, name, new, self._other(right)), right
        new_left, new_right = self.expression(left), self.expression(right)
        if is_left_simple and not assigns(right):
            return left, self.hook("operand", at, operation, name, new_right, self._other(left))
        return self.hook("operands", at, operation, name, new_left, new_right)

    def _other(self, node: ast.expr) -> ast.expr:
        """Return a second node for an operand; of what nobody else can reach, what is in it."""
        return self.contents(node) if self.is_confined(node) else copy_of(node)

    def contents(self, confined: ast.expr) -> ast.expr:
        """Return what is in a container that nobody else can reach, for a hook to look at."""
        return self.call("contents", confined, copy_of(confined))

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if not self.is_active or self._is_explanation(node):
            self.generic_visit(node)
            return node
        return self._compare_one(node) if len(node.ops) == 1 else self._compare_chain(node)

    def _is_explanation(self, node: ast.Compare) -> bool:
        """Return whether pytest looks a name up for its explanation; that is no access of the program's."""
        return any(
            isinstance(right, ast.Call) and isinstance(right.func, ast.Attribute) and is_foreign(right.func)
            for right in node.comparators
        )

    def _compare_one(self, node: ast.Compare) -> ast.expr:
        left, right, operator = node.left, node.comparators[0], node.ops[0]
        if isinstance(operator, (ast.In, ast.NotIn)):
            return self._search(node, left, right, operator)
        if isinstance(operator, (ast.Is, ast.IsNot)) or type(left) is type(right) is ast.Constant:
            self.generic_visit(node)
            return node
        name = OPERATORS[type(operator)]
        pair = self._hooked_pair(node, f"__{name}__", left, right, "read")
        if isinstance(pair, tuple):
            node.left, node.comparators = pair[0], [pair[1]]
            return node
        return self.call(name, node, placed(ast.Starred(pair, ast.Load()), node))

    def _search(self, node: ast.Compare, left: ast.expr, right: ast.expr, operator: ast.cmpop) -> ast.expr:
        if self.is_confined(right):
            value = self.expression(left)
            if isinstance(left, ast.Constant):  # to compare it looks into no container
                return node
            node.left = self.hook("member", right, "read", "__contains__", value, self.contents(right))
            return node
        if type(right) in FRESH and not (self.is_simple(left) and _has_items(right)):
            self.generic_visit(node)
            return node
        new_left, new_right = self.expression(left), self.expression(right)
        if self.is_simple(left):
            node.comparators = [self.hook("within", right, "read", "__contains__", new_right, copy_of(left))]
        elif self.is_simple(right) and not assigns(left):
            node.left = self.hook("member", right, "read", "__contains__", new_left, copy_of(right))
            return node
        else:
            pair = self.hook("searched", right, "read", "__contains__", *self._swapped(new_left, new_right))
            found = self.call("contains", node, placed(ast.Starred(pair, ast.Load()), node))
            is_negated = isinstance(operator, ast.NotIn)
            return placed(ast.UnaryOp(ast.Not(), found), node) if is_negated else found
        node.left = new_left
        return node

    @staticmethod
    def _swapped(left: ast.expr, right: ast.expr) -> tuple[ast.expr, ast.expr]:
        return left, right  # in the order of evaluation; the hook gives them the other way round

    def _compare_chain(self, node: ast.Compare) -> ast.expr:
        previous, node.left = node.left, self._operand_of_chain(node.left, node.ops[0], None)
        for position, (operator, right) in enumerate(zip(node.ops, node.comparators, strict=True)):
            node.comparators[position] = self._operand_of_chain(right, operator, previous)
            previous = right
        return node

    def _operand_of_chain(self, node: ast.expr, operator: ast.cmpop, left: ast.expr | None) -> ast.expr:
        if isinstance(operator, (ast.Is, ast.IsNot)) or type(node) in FRESH:
            return self.expression(node)
        new = self.expression(node)
        if isinstance(operator, (ast.In, ast.NotIn)):
            return self.hook("whole", node, "read", "__contains__", new)
        name = f"__{OPERATORS[type(operator)]}__"
        if left is not None and self.is_simple(left) and not assigns(node):
            return self.hook("operand", node, "read", name, new, copy_of(left))
        return self.hook("operand", node, "read", name, new, placed(ast.Constant(None), node))

    # One operand

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.Not):
            node.operand = self.tested(node.operand)
        else:
            node.operand = self.read_whole(node.operand, f"__{OPERATORS[type(node.op)]}__")
        return node

    def tested(self, node: ast.expr) -> ast.expr:
        """Return the expression of a truth test; only what may be a container gets a hook, constants never."""
        if isinstance(node, ast.BoolOp):
            node.values = [self.tested(value) for value in node.values]
            return node
        if isinstance(node, ast.IfExp):
            node.test, node.body, node.orelse = (self.tested(part) for part in (node.test, node.body, node.orelse))
            return node
        is_constant = isinstance(node, ast.Name) and node.id == "__debug__"
        may_be_container = type(node) in _TESTED and self.is_active and not self.is_confined(node)
        result = self.expression(node)
        return self.hook("whole", node, "read", "__bool__", result) if may_be_container and not is_constant else result

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        node.test = self.tested(node.test)
        node.body, node.orelse = self.expression(node.body), self.expression(node.orelse)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        *tested, last = node.values
        node.values = [*(self.tested(value) for value in tested), self.expression(last)]
        return node


def _has_items(display: ast.expr) -> bool:
    """Return whether a display of a tuple or list may hold what can change."""
    is_sequence = isinstance(display, (ast.Tuple, ast.List))
    return is_sequence and not all(isinstance(element, ast.Constant) for element in display.elts)  # type: ignore[attr-defined]  # sequences have them
