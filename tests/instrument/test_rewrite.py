"""Which operations pass which hook."""

from __future__ import annotations

import ast

import pytest

from harness.instrument import SiteTable
from harness.instrument.rewrite import rewrite
from harness.instrument.scopes import stored_names
from tests.instrument.rewriting import hooks_in

pytestmark = pytest.mark.portable


@pytest.mark.parametrize(
    ("body", "hooks"),
    [
        ("o.x", ["quiet x"]),
        ("o.x = 1", ["aug x"]),
        ("self.x = g()", ["aug x"]),
        ("g().x = 1", ["attr x"]),
        ("del o.x", ["attr x"]),
        ("o.x += 1", ["attr x", "aug x"]),
        ("g().x += 1", ["attr x", "aug x"]),
        ("o[k]", ["item"]),
        ("o[1:2]", ["item"]),
        ("o[g()]", ["key"]),
        ("g()[h()]", ["pair"]),
        ("o[k] = 1", ["item"]),
        ("o[g()] = 1", ["key"]),
        ("g()[h()] = 1", ["store"]),
        ("del o[g()]", ["key"]),
        ("o[k] += 1", ["key", "augitem"]),
        ("o.m()", ["quiet m"]),
        ("o.m(k)", ["method m"]),
        ("o.m(g())", ["bare m", "args m"]),
        ("o.m(k=g())", ["bare m", "ready m"]),
        ("o.m(*g())", ["whole", "bare m", "args m"]),
        ("if o: pass", ["whole"]),
        ("while not o: pass", ["whole"]),
        ("assert o", ["whole"]),
        ("x = 1 if o else 2", ["whole"]),
        ("x = o and g()", ["whole"]),
        ("x = o or g()", ["whole"]),
        ("x = k in o", ["item"]),
        ("x = g() in o", ["whole"]),
        ("x = a < k in o", ["whole"]),
        ("for x in o: pass", ["iterate"]),
        ("x = [y for y in o if y]", ["iterate", "whole"]),
        ("x = list(y for y in o)", ["iterate"]),
        ("x = len(o)", ["whole"]),
        ("x = list(enumerate(o))", ["iterate", "whole"]),
        ("for x in zip(o, k): pass", ["iterate", "iterate", "iterate"]),
        ("for x, y in o.items(): pass", ["quiet items", "iterate"]),
        ("x = [*o]", ["whole"]),
        ("x = {**o}", ["whole"]),
        ("g(**o)", ["whole"]),
        ("x, y = o", ["whole"]),
        ("yield from o", ["iterate"]),
        ("x = f'{o}'", ["whole"]),
        ("x = ', '.join(o)", ["whole"]),
        ("match o:\n        case []: pass", ["whole"]),
        ("with o: pass", ["enter"]),
        ("o += k", ["inplace"]),
        ("x = getattr(o, 'x')", ["quiet x"]),
        ("x = hasattr(o, k)", ["attr"]),
        ("setattr(o, 'x', 1)", ["attr x"]),
        ("setattr(o, 'x', g())", ["aug x"]),
    ],
)
def test_operation_passes_these_hooks(body, hooks):
    found = hooks_in(f"def f(self, o, k, a):\n    {body}")

    assert found == hooks


@pytest.mark.parametrize(
    "body",
    [
        "g(o)",
        "x = (1, 2)[0]",
        "x = 'text'.upper()",
        "if __debug__: pass",
        "while True: break",
        "for x in (1, 2): pass",
        "for x in range(9): pass",
        "x = k in {1, 2}",
        "x = o is None",
        "g(*args, **kwargs)",
        "x = len([1])",
    ],
)
def test_operation_on_nothing_shared_passes_no_hook(body):
    assert hooks_in(f"def f(o, k, *args, **kwargs):\n    {body}") == []


def test_call_passing_on_its_arguments_has_its_hook_before_the_method():
    assert hooks_in("def f(o, *args, **kwargs):\n    o.m(*args, **kwargs)") == ["quiet m"]


def test_call_passing_on_arguments_that_were_rebound_has_its_hook_after_them():
    assert hooks_in("def f(o, *args):\n    args = g()\n    o.m(*args)")[-1] == "args m"


def test_call_with_keywords_has_its_hook_after_their_values():
    # sites are numbered inside out; what runs is bare, quiet, item, ready
    assert hooks_in("def f(o):\n    o.m(n=o.d[0])") == ["quiet d", "item", "bare m", "ready m"]


def test_key_of_an_augmented_slice_has_no_hooks_on_ours():
    assert hooks_in("def f(o):\n    o[1:2] += [3]") == ["key", "augitem"]


def test_shared_container_with_compound_key_is_hooked_after_the_key():
    source = "def f():\n    global d\n    d = {}\n    d[g()] = 1"

    assert hooks_in(source)[-1] == "store"


def test_code_of_modules_and_class_bodies_has_no_hooks():
    assert hooks_in("x = o.y[0]\nclass C:\n    z = o.y[0]\n    for i in o: pass") == []


def test_annotations_and_type_parameters_are_left_alone():
    source = "def f(a: o.x, *b: o[1]) -> o.y:\n    c: o.z = 1\n    return c"

    assert hooks_in(source) == []


def test_defaults_and_decorators_belong_to_the_scope_around():
    source = "def f(o):\n    @o.d\n    def g(x=o.y): pass"
    sites = SiteTable()
    tree = ast.parse(source)
    rewrite(tree, file="", digest="", stored=stored_names(tree), sites=sites)

    assert [(site.qualname, site.name) for site in sites.all()] == [("f", "d"), ("f", "y")]


def test_site_names_function_ordinal_and_occurrence():
    source = (
        "class C:\n    def f(self):\n        return self.a, self.b\n    def f(self):\n        return [lambda: self.c]"
    )
    sites = SiteTable()
    tree = ast.parse(source)
    rewrite(tree, file="", digest="", stored=stored_names(tree), sites=sites)

    assert [(s.qualname, s.ordinal, s.occurrence, s.name, s.line) for s in sites.all()] == [
        ("C.f", 0, 0, "a", 3),
        ("C.f", 0, 1, "b", 3),
        ("C.f.<locals>.<lambda>", 0, 0, "c", 5),
    ]


def test_same_source_gives_the_same_sites_twice():
    source = "def f(o):\n    for x in o.items():\n        o[x].y += 1"

    assert sites_of(source) == sites_of(source)


def sites_of(source: str) -> list[object]:
    sites = SiteTable()
    tree = ast.parse(source)
    rewrite(tree, file="", digest="", stored=stored_names(tree), sites=sites)
    return list(sites.all())
