"""Rewriting of functions so that every access to shared state passes a hook before it happens.

Works on the tree that the interpreter itself compiled (after pytest's assertion rewriting, where there was one). The
bodies of functions are rewritten; code of modules and class bodies is not, because it does not run again.

The rewriting adds no code object and no free variable, so the code objects of the result stand one to one beside those
of the original. Where object and key of a stored subscript are both compound, a local that is no identifier holds the
object from its evaluation to the store.
"""

from __future__ import annotations

import ast
from collections import Counter
from typing import TypeVar

from harness.instrument.confinement import confined_names
from harness.instrument.hooks import HOOKS_NAME
from harness.instrument.scopes import Scope, StoredNames, resolve_scopes
from harness.instrument.site import Operation, Site, SiteTable

__all__ = ["rewrite"]

_HELD_OBJECT = "harness object"
_HELD_KEY = "harness key"
# Built-in functions that read the whole of a container given to them.
_READERS = frozenset(
    "all any bool dict enumerate filter frozenset iter len list map max min next repr reversed set sorted str sum "
    "tuple zip".split()
)
_MAKERS = frozenset({"list", "sorted", "set", "dict", "tuple", "range"})  # of objects that nobody else has
_TESTED = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Await, ast.NamedExpr)
_Place = tuple[Scope, list[str], int, int, frozenset[str]]  # where in the module the rewriter is
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
    return ast.fix_missing_locations(tree)


class _Rewriter(ast.NodeTransformer):
    scope: Scope

    def __init__(
        self, scopes: dict[ast.AST, Scope], file: str, digest: str, stored: StoredNames, sites: SiteTable
    ) -> None:
        self.scopes, self.file, self.digest, self.stored, self.sites = scopes, file, digest, stored, sites
        self.path: list[str] = []  # parts of the qualified name
        self.classes: list[str] = []  # names of the classes around, for private names
        self.definitions: Counter[str] = Counter()  # how many definitions of a qualified name so far
        self.ordinal = 0
        self.occurrences = 0
        self.confined: frozenset[str] = frozenset()

    # Building blocks

    def hook(self, hook: str, at: ast.AST, operation: Operation, name: str | None, *args: ast.expr) -> ast.Call:
        """Return a call of a hook, placed at a node, with a new site as its last argument."""
        return self.call(hook, at, *args, self.site(at, operation, name))

    def call(self, hook: str, at: ast.AST, *args: ast.expr) -> ast.Call:
        function = ast.Attribute(ast.Name(HOOKS_NAME, ast.Load()), hook, ast.Load())
        node = ast.Call(function, list(args), [])
        for part in (node, function, function.value):
            ast.copy_location(part, at)
        return node

    def site(self, at: ast.AST, operation: Operation, name: str | None) -> ast.Constant:
        qualname, line = ".".join(self.path), getattr(at, "lineno", 0)
        site = Site(self.digest, qualname, self.ordinal, self.occurrences, operation, name, self.file, line)
        self.occurrences += 1
        return ast.copy_location(ast.Constant(self.sites.add(site)), at)

    def expression(self, node: ast.expr) -> ast.expr:
        result = self.visit(node)
        assert isinstance(result, ast.expr)
        return result

    def is_shared(self, name: str) -> bool:
        if self.scope.is_global(name):
            return name in self.stored.names
        return self.scope.is_shared_cell(name)

    def is_simple(self, node: ast.expr) -> bool:
        """Return whether evaluating the node twice, or a little later, can make no difference."""
        if isinstance(node, ast.Constant):
            return True
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.operand, ast.Constant)
        return isinstance(node, ast.Name) and not self.is_shared(node.id)

    def is_confined(self, node: ast.expr) -> bool:
        """Return whether the node names a container that no other task can reach."""
        return isinstance(node, ast.Name) and node.id in self.confined

    def private(self, attribute: str) -> str:
        """Return the attribute's name as the compiler will mangle it."""
        if not attribute.startswith("__") or attribute.endswith("__") or not self.classes:
            return attribute
        return f"_{self.classes[-1].lstrip('_')}{attribute}"

    def _unchanged(self, node: ast.expr) -> ast.expr:
        """Return the node itself, with the functions inside it rewritten."""
        self.generic_visit(node)
        return node

    @property
    def is_active(self) -> bool:
        return self.scope.is_function

    # Definitions: what stands outside a body belongs to the scope around it; annotations stay as they are

    def _visit_function(self, node: _Function) -> _Function:
        node.decorator_list = [self.expression(decorator) for decorator in node.decorator_list]
        self._visit_defaults(node.args)
        outer = self._enter(node, node.name)
        node.body = [new for statement in node.body for new in self.statements(statement)]
        self._leave(outer)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return self._visit_function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        self._visit_defaults(node.args)
        outer = self._enter(node, "<lambda>")
        node.body = self.expression(node.body)
        self._leave(outer)
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.GeneratorExp:
        first = self._iterated(node.generators[0].iter)
        outer = self._enter(node, "<genexpr>")
        self._visit_comprehension(node)
        self._leave(outer)
        node.generators[0].iter = first
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.decorator_list = [self.expression(decorator) for decorator in node.decorator_list]
        node.bases = [self.expression(base) for base in node.bases]
        for keyword in node.keywords:
            keyword.value = self.expression(keyword.value)
        outer = self._enter(node, node.name)
        self.classes.append(node.name)
        node.body = [new for statement in node.body for new in self.statements(statement)]
        self.classes.pop()
        self._leave(outer)
        return node

    def statements(self, node: ast.stmt) -> list[ast.stmt]:
        result = self.visit(node)
        return result if isinstance(result, list) else [result]

    def _visit_defaults(self, arguments: ast.arguments) -> None:
        arguments.defaults = [self.expression(default) for default in arguments.defaults]
        arguments.kw_defaults = [default and self.expression(default) for default in arguments.kw_defaults]

    def _enter(self, node: ast.AST, name: str) -> _Place:
        outer = self.scope, self.path, self.ordinal, self.occurrences, self.confined
        self.path = [*self.path, *(["<locals>"] if self.scope.is_function else []), name]
        self.scope = self.scopes[node]
        self.confined = confined_names(node, self.scope)
        qualname = ".".join(self.path)
        self.ordinal, self.occurrences = self.definitions[qualname], 0
        self.definitions[qualname] += 1
        return outer

    def _leave(self, outer: _Place) -> None:
        self.scope, self.path, self.ordinal, self.occurrences, self.confined = outer

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.target = self.visit(node.target)
            node.value = self._stored_value([node.target], self.expression(node.value))
        return node

    def visit_Match(self, node: ast.Match) -> ast.AST:
        node.subject = self.expression(node.subject)
        for case in node.cases:
            case.guard = case.guard and self._tested(case.guard)
            case.body = [new for statement in case.body for new in self.statements(statement)]
        return node

    # Names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if not self.is_active or not isinstance(node.ctx, ast.Load) or not self.is_shared(node.id):
            return node
        before = self.hook("name", node, "read", node.id)
        return ast.copy_location(ast.BoolOp(ast.Or(), [before, node]), node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        node.value = self._stored_value([node.target], self.expression(node.value))
        return node

    def _stored_value(self, targets: list[ast.expr], value: ast.expr) -> ast.expr:
        """Return the value of an assignment, behind one hook for each shared name among the targets."""
        names = [node for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
        for name in names:
            if self.is_active and isinstance(name.ctx, ast.Store) and self.is_shared(name.id):
                value = self.hook("value", name, "write", name.id, value)
        return value

    # Attributes and subscripts

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if not self.is_active or _is_foreign(node) or self.is_confined(node.value):
            return self._unchanged(node)
        node.value = self._attribute_object(node, self.expression(node.value))
        return node

    def _attribute_object(self, node: ast.Attribute, value: ast.expr) -> ast.expr:
        operation: Operation = "read" if isinstance(node.ctx, ast.Load) else "write"
        hook = "attr" if operation == "write" or node.attr in self.stored else "quiet"
        return self.hook(hook, node, operation, self.private(node.attr), value)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if not self.is_active or self.is_confined(node.value):
            return self._unchanged(node)
        simple_object = self.is_simple(node.value) and isinstance(node.value, ast.Name)
        simple_key = self.is_simple(node.slice)
        key = node.slice
        node.value = self.expression(node.value)
        node.slice = self.expression(node.slice)
        operation: Operation = "read" if isinstance(node.ctx, ast.Load) else "write"
        if simple_key:
            node.value = self.hook("item", node, operation, None, node.value, _copy(key))
        elif simple_object and not isinstance(key, ast.Slice) and not _assigns(key):
            node.slice = self.hook("key", node, operation, None, _copy(node.value), node.slice)
        elif isinstance(node.ctx, ast.Load):
            pair = self.hook("pair", node, operation, None, node.value, self._as_object(node.slice))
            return self.call("getitem", node, ast.copy_location(ast.Starred(pair, ast.Load()), node))
        else:
            node.value = self.hook("item", node, operation, None, node.value, _none(node))
        return node

    def _as_object(self, key: ast.expr) -> ast.expr:
        """Return an expression for the key object: a slice written in brackets becomes a call of ``slice``."""
        if isinstance(key, ast.Slice):
            parts = [part or _none(key) for part in (key.lower, key.upper, key.step)]
            return self.call("slice", key, *parts)
        if isinstance(key, ast.Tuple):
            elements = [self._as_object(element) if isinstance(element, ast.Slice) else element for element in key.elts]
            return ast.copy_location(ast.Tuple(elements, ast.Load()), key)
        return key

    # Calls

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if not self.is_active:
            return self._unchanged(node)
        is_method = isinstance(node.func, ast.Attribute) and not _is_foreign(node.func)
        if is_method and isinstance(node.func, ast.Attribute) and not self.is_confined(node.func.value):
            return self._visit_method_call(node, node.func)
        reads = isinstance(node.func, ast.Name) and node.func.id in _READERS and self.scope.is_global(node.func.id)
        node.func = self.expression(node.func)
        node.args = [self._read_whole(arg) if reads else self.expression(arg) for arg in node.args]
        for keyword in node.keywords:
            keyword.value = self.expression(keyword.value)
        return node

    def _visit_method_call(self, node: ast.Call, function: ast.Attribute) -> ast.expr:
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        is_simple = all(self.is_simple(argument) for argument in arguments)
        first = node.args[0] if node.args else None
        function.value = self.expression(function.value)
        node.args = [self.expression(arg) for arg in node.args]
        for keyword in node.keywords:
            keyword.value = self.expression(keyword.value)
        name = self.private(function.attr)
        if is_simple and (first is None or function.attr in self.stored):
            function.value = self._attribute_object(function, function.value)
        elif is_simple and first is not None:
            function.value = self.hook("method", function, "call", name, function.value, _copy(first))
        else:
            stored = function.attr in self.stored
            function.value = self.hook("attr" if stored else "bare", function, "read", name, function.value)
            site = self.site(node, "call", name)
            bound = self.call("args", node, function, site, *node.args)
            node.args = [ast.copy_location(ast.Starred(bound, ast.Load()), node)]
            node.func = self.call("call", node).func
        return node

    def _read_whole(self, node: ast.expr) -> ast.expr:
        is_harmless = isinstance(node, (ast.Constant, ast.Starred, ast.Lambda, ast.GeneratorExp))
        if is_harmless or self.is_confined(node):
            return self.expression(node)
        return self.hook("whole", node, "read", None, self.expression(node))

    # Truth tests, membership, iteration

    def _tested(self, node: ast.expr) -> ast.expr:
        """Return the expression of a truth test; only what may be a container gets a hook, constants never."""
        may_be_container = isinstance(node, _TESTED) and self.is_active and not self.is_confined(node)
        result = self.expression(node)
        return self.hook("whole", node, "read", None, result) if may_be_container else result

    def visit_If(self, node: ast.If) -> ast.AST:
        return self._visit_test(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        return self._visit_test(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        return self._visit_test(node)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return self._visit_test(node)

    def _visit_test(self, node: ast.If | ast.While | ast.IfExp | ast.Assert) -> ast.AST:
        test = self._tested(node.test)
        node.test = ast.copy_location(ast.Constant(value=True), test)
        self.generic_visit(node)
        node.test = test
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        node.operand = self._tested(node.operand) if isinstance(node.op, ast.Not) else self.expression(node.operand)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        *tested, last = node.values
        node.values = [*(self._tested(value) for value in tested), self.expression(last)]
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        left, *others = [node.left, *node.comparators]
        node.left = self.expression(left)
        for position, (operator, right) in enumerate(zip(node.ops, others, strict=True)):
            new = self.expression(right)
            is_plain = isinstance(right, ast.Constant) or self.is_confined(right)
            if self.is_active and isinstance(operator, (ast.In, ast.NotIn)) and not is_plain:
                searched = left if position == 0 and self.is_simple(left) else None
                if searched is not None:
                    new = self.hook("item", right, "read", None, new, _copy(searched))
                else:
                    new = self.hook("whole", right, "read", None, new)
            node.comparators[position] = new
        return node

    def _iterated(self, node: ast.expr) -> ast.expr:
        if not self.is_active or isinstance(node, ast.Constant) or self.is_confined(node) or self._is_fresh(node):
            return self.expression(node)
        return self.hook("iterate", node, "read", None, self.expression(node))

    def _is_fresh(self, node: ast.expr) -> bool:
        """Return whether the node makes a list that nobody else can have."""
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MAKERS
        return is_call and self.scope.is_global(node.func.id)  # type: ignore[attr-defined] - it is a call of a name

    def visit_For(self, node: ast.For) -> ast.AST:
        node.iter = self._iterated(node.iter)
        node.target = self.visit(node.target)
        node.body = [new for statement in node.body for new in self.statements(statement)]
        node.orelse = [new for statement in node.orelse for new in self.statements(statement)]
        return node

    def _visit_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> ast.expr:
        for generator in node.generators:
            is_visited = isinstance(node, ast.GeneratorExp) and generator is node.generators[0]
            if not is_visited:
                generator.iter = self.expression(generator.iter) if generator.is_async else self._iterated(generator.iter)
            generator.target = self.visit(generator.target)
            generator.ifs = [self._tested(test) for test in generator.ifs]
        if isinstance(node, ast.DictComp):
            node.key, node.value = self.expression(node.key), self.expression(node.value)
        else:
            node.elt = self.expression(node.elt)
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        return self._visit_comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.expr:
        return self._visit_comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.expr:
        return self._visit_comprehension(node)

    # With

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
        if self.is_active and len(node.targets) == 1 and isinstance(target, ast.Subscript):
            if not self._is_simple_subscript(target):
                return self._store_subscript(node, target)
        node.value = self._stored_value(node.targets, self.expression(node.value))
        node.targets = [self.visit(target) for target in node.targets]
        return node

    def _is_simple_subscript(self, node: ast.Subscript) -> bool:
        is_key_hookable = not isinstance(node.slice, ast.Slice) and not _assigns(node.slice)
        return self.is_simple(node.slice) or (isinstance(node.value, ast.Name) and is_key_hookable)

    def _store_subscript(self, node: ast.Assign, target: ast.Subscript) -> ast.stmt:
        """Store where object and key are both compound: the hook stands after both, and after the value."""
        parts = self.expression(node.value), self.expression(target.value), self._as_object(self.visit(target.slice))
        stored = self.hook("store", target, "write", None, *parts)
        call = self.call("setitem", target, ast.copy_location(ast.Starred(stored, ast.Load()), target))
        return ast.copy_location(ast.Expr(call), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        if not self.is_active:
            return self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            return self._augment_name(node, node.target)
        if isinstance(node.target, ast.Attribute):
            return self._augment_attribute(node, node.target)
        return self._augment_subscript(node, node.target)

    def _augment_name(self, node: ast.AugAssign, target: ast.Name) -> list[ast.stmt]:
        value = self.expression(node.value)
        if not self.is_shared(target.id):
            held = ast.copy_location(ast.Name(target.id, ast.Load()), target)
            node.value = self.hook("inplace", target, "write", None, value, held)
            return [node]
        before = ast.copy_location(ast.Expr(self.hook("name", target, "read", target.id)), node)
        node.value = self.hook("value", target, "write", target.id, value)
        return [before, node]

    def _augment_attribute(self, node: ast.AugAssign, target: ast.Attribute) -> list[ast.stmt]:
        name = self.private(target.attr)
        held, again, release = self._held(target.value, _HELD_OBJECT)
        target.value = self.hook("attr", target, "read", name, held)
        node.value = self.hook("aug", target, "write", name, self.expression(node.value), again)
        return [node, *release]

    def _augment_subscript(self, node: ast.AugAssign, target: ast.Subscript) -> list[ast.stmt]:
        held, again, release = self._held(target.value, _HELD_OBJECT)
        key = self._as_object(target.slice)
        held_key, key_again, release_key = self._held(key, _HELD_KEY)
        target.value = held
        target.slice = self.hook("key", target, "read", None, _copy(again), held_key)
        node.value = self.hook("augitem", target, "write", None, self.expression(node.value), again, key_again)
        return [node, *release, *release_key]

    def _held(self, node: ast.expr, name: str) -> tuple[ast.expr, ast.expr, list[ast.stmt]]:
        """Return the expression, one that gives the same object again, and what lets go of it afterwards."""
        if self.is_simple(node):
            return node, _copy(node), []
        store, load = (ast.copy_location(ast.Name(name, ctx), node) for ctx in (ast.Store(), ast.Load()))
        held = ast.copy_location(ast.NamedExpr(store, self.expression(node)), node)
        release = ast.Assign([ast.copy_location(ast.Name(name, ast.Store()), node)], _none(node))
        return held, load, [ast.copy_location(release, node)]


def _is_foreign(node: ast.Attribute) -> bool:
    """Return whether the attribute is part of what pytest's assertion rewriting put in."""
    return isinstance(node.value, ast.Name) and node.value.id.startswith("@")


def _assigns(node: ast.expr) -> bool:
    return any(isinstance(part, ast.NamedExpr) for part in ast.walk(node))


def _none(at: ast.AST) -> ast.Constant:
    return ast.copy_location(ast.Constant(None), at)


def _copy(node: ast.expr) -> ast.expr:
    """Return a second node for a simple expression, or for one that reads a name."""
    if isinstance(node, ast.Constant):
        return ast.copy_location(ast.Constant(node.value), node)
    if isinstance(node, ast.UnaryOp):
        return ast.copy_location(ast.UnaryOp(node.op, _copy(node.operand)), node)
    assert isinstance(node, ast.Name)
    return ast.copy_location(ast.Name(node.id, ast.Load()), node)
