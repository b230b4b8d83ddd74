"""Which containers count as out of every other task's reach. One that does but is not would hide races."""

from __future__ import annotations

import ast
import textwrap

import pytest

from harness.instrument.confinement import confined_names
from harness.instrument.scopes import resolve_scopes
from tests.instrument.rewriting import hooks_in

pytestmark = pytest.mark.portable


def confined(body: str, head: str = "", signature: str = "def f(x, y)") -> frozenset[str]:
    source = f"{head}\n{signature}:\n" + textwrap.indent(textwrap.dedent(body), "    ")
    tree = ast.parse(source)
    function = next(node for node in tree.body if getattr(node, "name", "") == "f")
    return confined_names(function, resolve_scopes(tree)[function])


@pytest.mark.parametrize(
    "fresh", ["[]", "[1, x]", "{}", "{1: x}", "{1}", "list(x)", "dict(x)", "set()", "[i for i in x]"]
)
def test_local_that_holds_a_fresh_container_is_confined(fresh):
    assert confined(f"a = {fresh}\na[0]") == {"a"}


@pytest.mark.parametrize(
    "use",
    [
        "a.append(1)",
        "a[0] = a[1]",
        "a[0] += 1",
        "a[1:2]",
        "del a[0]",
        "for i in a: pass",
        "for i, j in enumerate(a): pass",
        "for i, j in zip(a, x): pass",
        "for i, j in a.items(): pass",
        "b = [i for i in a]",
        "b = [i for i in a.values()]",
        "b = sum(i for i in a)",
        "b = len(a), sorted(a), sum(a), max(a), list(a)",
        "b = 1 in a",
        "b = a == x",
        "b = a is None",
        "if a: pass",
        "b = not a",
        "b = 1 if a else 2",
        "assert a",
        "while a: a.pop()",
        "b = f'{a}'",
        "try: a.pop()\nexcept IndexError: pass",
    ],
)
def test_use_that_lets_only_the_contents_out_keeps_a_container_confined(use):
    assert "a" in confined(f"a = []\n{use}")


def test_container_bound_anew_to_a_fresh_one_stays_confined():
    assert confined("a = []\nfor i in x:\n    a.append(i)\n    a = []") == {"a"}


@pytest.mark.parametrize(
    "use",
    [
        "return a",
        "return [a]",
        "return a, 1",
        "return {1: a}",
        "return x or a",
        "return a if x else y",
        "return x if y else a",
        "yield a",
        "yield from a",
        "raise a",
        "b = a",
        "b = a or x",
        "b = x and a",
        "b = x if y else a",
        "(b := a)",
        "b, c = a, 1",
        "b, *c = a",
        "x.attribute = a",
        "x[0] = a",
        "x[a]",
        "x += a",
        "a += x",
        "g(a)",
        "g(k=a)",
        "g(*a)",
        "g(**a)",
        "x.append(a)",
        "a.append(a)",
        "a[0] = a",
        "b = [a]",
        "b = a + x",
        "b = a * 2",
        "with a: pass",
        "with x(a) as b: pass",
        "del a",
        "for i in [a]: pass",
        "for i in iter(a): pass",
        "b = iter(a)",
        "b = zip(a)",
        "b = enumerate(a)",
        "b = map(g, a)",
        "b = reversed(a)",
        "b = a.append",
        "b = a.items()",
        "b = a.__iter__()",
        "a.__class__ = x",
        "b = max(a, x)",
        "b = min(x, a)",
        "b = max((i for i in a), x)",
        "b = sum(x, a)",
        "b = sorted(x, key=a.index)",
        "b = max(x, default=a)",
        "b = a in x",
        "b = (i for i in a)",
        "b = ((i, a) for i in x)",
        "b = (i for i in x for j in a)",
        "b = [a for i in x]",
        "b = lambda: a",
        "b = lambda i=a: i",
        "b = lambda *, i=a: i",
        "def g(i=a): pass",
        "def g(*, i=a): pass",
        "def g(i: a): pass",
        "def g() -> a: pass",
        "def g(): return a",
        "def g():\n    nonlocal a\n    a = x",
        "@x(a)\ndef g(): pass",
        "class C(a): pass",
        "class C(k=a): pass",
        "class C:\n    b = a",
        "class C:\n    def m(self): return a",
        "@x(a)\nclass C: pass",
        "match a:\n    case b: pass",
        "match x:\n    case a: pass",
        "try: x()\nexcept ValueError as a: pass",
        "for a in x: pass",
        "with x as a: pass",
        "import a",
        "a = x",
        "a, b = x",
        "a: list = x",
        "(a := x)",
        "any((a := i) for i in x)",
        "b = [a[0] for a in x]",
        "b = [a.pop() for a in x if a]",
        "b = {len(a) for a in x}",
        "b = locals()",
        "b = vars()",
        "eval(x)",
        "exec(x)",
        "b = x._getframe().f_locals",
    ],
)
def test_use_that_may_let_a_container_out_ends_its_confinement(use):
    assert "a" not in confined(f"a = []\n{use}")


def test_parameter_is_never_confined():
    assert confined("x = []\nx.append(1)") == frozenset()


def test_global_is_never_confined():
    assert confined("global a\na = []\na.append(1)") == frozenset()


def test_nonlocal_is_never_confined():
    source = "def outer():\n    a = x\n    def f():\n        nonlocal a\n        a = []\n        a.append(1)"
    tree = ast.parse(source)
    function = tree.body[0].body[1]

    assert confined_names(function, resolve_scopes(tree)[function]) == frozenset()


def test_chained_assignment_makes_an_alias():
    assert confined("a = b = []\na.append(1)") == frozenset()


@pytest.mark.parametrize(
    "head",
    [
        "def list(*x): ...",
        "from m import list",
        "from m import *",
        "import m as list",
        "list = OTHER",
        "class list: ...",
    ],
)
def test_maker_that_the_module_gives_another_meaning_makes_nothing_fresh(head):
    assert confined("a = list(x)\na.append(1)", head) == frozenset()


def test_maker_that_is_a_parameter_makes_nothing_fresh():
    assert confined("a = list(x)\na.append(1)", signature="def f(x, list)") == frozenset()


def test_maker_that_some_function_rebinds_makes_nothing_fresh():
    assert confined("a = list(x)\na.append(1)", "def g():\n    global list\n    list = None") == frozenset()


@pytest.mark.parametrize("head", ["def sorted(x): ...", "from m import sorted", "from m import *"])
def test_consumer_that_the_module_gives_another_meaning_lets_a_container_out(head):
    assert confined("a = []\nb = sorted(a)", head) == frozenset()


def test_consumer_that_is_a_parameter_lets_a_container_out():
    assert confined("a = []\nlen(a)", signature="def f(x, len)") == frozenset()


def test_comprehension_that_takes_the_name_inside_a_nested_function_counts_as_capture():
    assert confined("a = []\ndef g():\n    return [a for a in a]\nreturn g") == frozenset()


def test_lambda_has_no_confined_names():
    function = ast.parse("lambda: [i for i in x]").body[0].value

    assert confined_names(function, resolve_scopes(ast.Module([ast.Expr(function)], []))[function]) == frozenset()


def test_confined_container_has_no_hooks():
    source = """
        def f(x):
            a = []
            a.append(x)
            a[0] += 1
            a[x:] = [2]
            for i in a: pass
            return len(a), 1 in a, not a
    """

    assert hooks_in(source) == []


def test_container_that_gets_away_has_hooks():
    source = "def f(x):\n    a = []\n    a.append(1)\n    x.kept = a\n    return len(a)"

    assert hooks_in(source) == ["called append", "stored kept", "called len"]
