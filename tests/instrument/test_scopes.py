"""Which names are shared state, and so pass a hook."""

from __future__ import annotations

import ast

import pytest

from harness.instrument.nodes import nodes_of
from harness.instrument.scopes import resolve_scopes
from harness.instrument.stores import stored_names
from tests.instrument.rewriting import hooks_in

pytestmark = pytest.mark.portable


def names_hooked(source: str, function: str | None = None) -> list[str]:
    return [hook for hook in hooks_in(source, function) if hook.split()[0] in {"name", "value", "each"}]


# Globals


def test_global_that_no_function_rebinds_has_no_hook():
    assert names_hooked("limit = 1\ndef f():\n    return limit") == []


def test_global_that_some_function_rebinds_is_hooked_where_it_is_read():
    source = "n = 0\ndef f():\n    return n\ndef g():\n    global n\n    n = 1"

    assert names_hooked(source) == ["name n", "value n"]


def test_global_whose_name_is_stored_as_an_attribute_is_hooked():
    # the object may be the module
    assert names_hooked("n = 0\ndef f():\n    return n\ndef g(m):\n    m.n = 1") == ["name n"]


def test_global_stored_through_globals_is_hooked():
    assert names_hooked("n = 0\ndef f():\n    return n\ndef g():\n    globals()['n'] = 1") == ["name n"]


def test_augmented_global_is_hooked_before_it_is_read_and_before_it_is_stored():
    assert hooks_in("def f():\n    global n\n    n += 1") == ["name n", "inplace __iadd__", "value n"]


@pytest.mark.parametrize(
    "statement",
    ["del n", "import n", "import n.m", "from m import n", "def n(): pass", "class n: pass"],
)
def test_statement_that_binds_or_unbinds_a_global_is_hooked_before(statement):
    assert names_hooked(f"def f():\n    global n\n    {statement}") == ["name n"]


def test_loop_that_binds_a_global_is_hooked_before_each_store():
    assert names_hooked("def f():\n    global n\n    for n in range(3): pass") == ["each n"]


def test_each_name_of_an_unpacking_is_hooked():
    assert names_hooked("def f():\n    global a, b\n    a, b = 1, 2") == ["value a", "value b"]


def test_name_bound_at_module_level_only_has_no_hook_in_functions_that_hide_it():
    source = "n = 0\ndef f(n):\n    return n\ndef g():\n    global n\n    n = 1"

    assert names_hooked(source, "f") == []


# Closure variables


def test_closure_variable_bound_once_before_its_capture_has_no_hook():
    assert names_hooked("def f():\n    n = 1\n    return lambda: n") == []


def test_parameter_that_is_captured_has_no_hook():
    assert names_hooked("def f(n):\n    return lambda: n") == []


def test_closure_variable_rebound_after_its_capture_is_hooked():
    source = "def f():\n    n = 1\n    g = lambda: n\n    n = 2\n    return g"

    assert names_hooked(source) == ["value n", "name n", "value n"]


def test_closure_variable_bound_after_its_capture_is_hooked():
    assert names_hooked("def f():\n    def g():\n        return n\n    n = 1") == ["name n", "value n"]


def test_closure_variable_captured_by_the_value_it_is_bound_to_is_hooked():
    assert names_hooked("def f():\n    timer = start(lambda: timer)") == ["name timer", "value timer"]


def test_closure_variable_rebound_by_an_inner_function_is_hooked():
    source = "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    return n"

    assert names_hooked(source) == ["value n", "name n", "value n", "name n"]


def test_closure_variable_bound_in_a_loop_is_hooked():
    source = "def f():\n    while x():\n        n = 1\n        y(lambda: n)"

    assert names_hooked(source) == ["value n", "name n"]


def test_captured_loop_variable_is_hooked_at_each_store():
    assert names_hooked("def f():\n    for i in r:\n        y(lambda: i)") == ["each i", "name i"]


def test_captured_target_of_a_comprehension_is_hooked_at_each_store():
    assert names_hooked("def f():\n    return [lambda: i for i in range(3)]") == ["each i", "name i"]


def test_captured_target_of_a_generator_expression_is_hooked_at_each_store():
    assert names_hooked("def f():\n    return list((lambda: i) for i in r)") == ["each i", "name i"]


def test_captured_name_of_an_exception_is_hooked():
    # it is unbound again at the end of the handler
    source = "def f():\n    try: x()\n    except ValueError as e:\n        y(lambda: e)"

    # stored, read in the lambda, and unbound; sites are numbered inside out
    assert sorted(names_hooked(source)) == ["name e", "name e", "value e"]


def test_walrus_in_a_comprehension_counts_as_bound_in_a_loop():
    source = "def f():\n    [(n := x) for x in r]\n    return lambda: n"

    assert names_hooked(source) == ["value n", "name n"]


def test_walrus_in_a_generator_expression_binds_in_the_function_around():
    tree = ast.parse("def f():\n    return any((n := x) for x in r), n")
    scope = resolve_scopes(tree)[tree.body[0]]

    assert "n" in scope.bindings
    assert "n" in scope.captures


def test_function_that_calls_itself_has_no_hook():
    assert names_hooked("def f():\n    def g(n):\n        return g(n - 1)\n    return g") == []


def test_decorated_function_that_calls_itself_is_hooked():
    # the decorator may hand it on before its name is bound
    assert names_hooked("def f():\n    @d\n    def g():\n        return g()") == ["name g", "name g"]


# Comprehensions


def test_target_of_a_comprehension_is_no_name_of_the_function():
    tree = ast.parse("def f():\n    [x for x in r]\n    {y: 1 for y in r}")
    scope = resolve_scopes(tree)[tree.body[0]]

    assert scope.bindings == {}


def test_target_of_a_comprehension_is_not_taken_for_a_global_of_that_name():
    source = "def f(r):\n    return [n for n in r]\ndef g():\n    global n\n    n = 1"

    assert names_hooked(source, "f") == []


def test_first_iterable_of_a_comprehension_may_name_the_variable_it_hides():
    source = "def f():\n    x = []\n    def g():\n        return [x for x in x]\n    x = [1]"

    assert names_hooked(source, "g") == ["name x"]


# Names stored


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("o.x = 1", "x"),
        ("del o.x", "x"),
        ("o.x += 1", "x"),
        ("for o.x in r: pass", "x"),
        ("with m as o.x: pass", "x"),
        ("a, (o.x, *b) = r", "x"),
        ("setattr(o, 'x', 1)", "x"),
        ("object.__setattr__(o, 'x', 1)", "x"),
        ("super().__setattr__('x', 1)", "x"),
        ("delattr(o, 'x')", "x"),
        ("o.__x = 1", "_C__x"),
        ("o._C__x = 1", "__x"),
    ],
)
def test_attribute_stored_anywhere_counts_as_stored(source, name):
    assert name in stored_names(nodes_of(ast.parse(source)))


def test_attribute_only_read_does_not_count_as_stored():
    assert "x" not in stored_names(nodes_of(ast.parse("o.x; o.x(); o.x[0] = 1")))


@pytest.mark.parametrize("source", ["setattr(o, n, 1)", "o.__dict__[n] = 1", "vars(o)[n] = 1", "globals()[n] = 1"])
def test_attribute_stored_under_a_computed_name_makes_every_name_count(source):
    assert "whatever" in stored_names(nodes_of(ast.parse(source)))


def test_attribute_stored_elsewhere_makes_attributes_of_modules_hooked():
    source = "def f():\n    return config.limit, config.other\ndef g(o):\n    o.limit = 1"

    assert hooks_in(source, "f") == ["attr limit", "quiet other"]


def test_private_attribute_is_named_as_the_compiler_mangles_it():
    assert hooks_in("class _C:\n    def f(self):\n        return self.__x") == ["quiet _C__x"]


def test_method_of_a_class_of_underscores_only_is_not_mangled():
    assert hooks_in("class __:\n    def f(self):\n        return self.__x") == ["quiet __x"]
