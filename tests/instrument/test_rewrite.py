"""Which operations pass which hook."""

from __future__ import annotations

import ast

import pytest

from harness.instrument import SiteTable
from harness.instrument.nodes import nodes_of
from harness.instrument.rewrite import rewrite
from harness.instrument.stores import stored_names
from tests.instrument.rewriting import hooks_in

pytestmark = pytest.mark.portable


@pytest.mark.parametrize(
    ("body", "hooks"),
    [
        ("o.x", ["quiet x"]),
        ("o.x = 1", ["stored x"]),
        ("self.x = g()", ["stored x"]),
        ("g().x = 1", ["attr x"]),
        ("del o.x", ["attr x"]),
        ("o.x += 1", ["attr x", "operand __iadd__", "attr x"]),
        ("g().x += 1", ["attr x", "operand __iadd__", "attr x"]),
        ("o[k]", ["item"]),
        ("o[1:2]", ["item"]),
        ("o[g()]", ["key"]),
        ("g()[h()]", ["pair"]),
        ("o[k] = 1", ["item"]),
        ("o[g()] = 1", ["key"]),
        ("g()[h()] = 1", ["store"]),
        ("del o[g()]", ["key"]),
        ("o[k] += 1", ["key", "operand __iadd__", "storeditem"]),
        ("o.m()", ["called m"]),
        ("o.m(k)", ["called m"]),
        ("o.m(g())", ["args m"]),
        ("o.m(k=g())", ["ready m"]),
        ("o.m(*g())", ["whole __iter__", "args m"]),
        ("if o: pass", ["whole __bool__"]),
        ("while not o: pass", ["whole __bool__"]),
        ("assert o", ["whole __bool__"]),
        ("x = 1 if o else 2", ["whole __bool__"]),
        ("x = o and g()", ["whole __bool__"]),
        ("x = o or g()", ["whole __bool__"]),
        ("x = k in o", ["within __contains__"]),
        ("x = g() in o", ["member __contains__"]),
        ("x = a < k in o", ["operand __lt__", "operand __lt__", "whole __contains__"]),
        ("for x in o: pass", ["iterate __iter__"]),
        ("x = [y for y in o if y]", ["iterate __iter__", "whole __bool__"]),
        ("x = list(y for y in o)", ["iterate __iter__", "args list"]),
        ("x = len(o)", ["called len"]),
        ("x = list(enumerate(o))", ["iterate __iter__", "args enumerate", "args list"]),
        ("for x in zip(o, k): pass", ["iterate __iter__", "iterate __iter__", "args zip", "iterate __iter__"]),
        ("for x, y in o.items(): pass", ["called items", "iterate __iter__", "spread __iter__"]),
        ("x = [*o]", ["whole __iter__"]),
        ("x = {**o}", ["whole keys"]),
        ("g(**o)", ["whole keys", "ready g"]),
        ("x, y = o", ["whole __iter__"]),
        ("yield from o", ["delegate __iter__"]),
        ("x = f'{o}'", ["text __format__"]),
        ("x = ', '.join(o)", ["called join"]),
        ("match o:\n        case []: pass", ["matched match"]),
        ("with o: pass", ["enter"]),
        ("o += k", ["inplace __iadd__"]),
        ("x = getattr(o, 'x')", ["quiet x"]),
        ("x = hasattr(o, k)", ["attr"]),
        ("setattr(o, 'x', 1)", ["attr x"]),
        ("setattr(o, 'x', g())", ["stored x"]),
    ],
)
def test_operation_passes_these_hooks(body, hooks):
    found = hooks_in(f"def f(self, o, k, a):\n    {body}")

    assert found == hooks


@pytest.mark.parametrize(
    "body",
    [
        "int('3')",
        "isinstance(o, int)",
        "raise ValueError(o)",
        "x = (1, 2)[0]",
        "x = 'text'.upper()",
        "if __debug__: pass",
        "while True: break",
        "for x in (1, 2): pass",
        "for x in range(9): pass",
        "x = k in {1, 2}",
        "x = o is None",
        "x = 1 + 2",
        "x = len([1])",
    ],
)
def test_operation_on_nothing_shared_passes_no_hook(body):
    assert hooks_in(f"def f(o, k, *args, **kwargs):\n    {body}") == []


def test_call_passing_on_its_arguments_has_its_hook_before_the_method():
    assert hooks_in("def f(o, *args, **kwargs):\n    o.m(*args, **kwargs)") == ["called_with m"]
    assert hooks_in("def f(o, a, b, c):\n    o.m(a, b)\n    o.m(a, b, c)") == ["called m", "called_with m"]


def test_call_passing_on_arguments_that_were_rebound_has_its_hook_after_them():
    assert hooks_in("def f(o, *args):\n    args = g()\n    o.m(*args)")[-1] == "args m"


def test_call_with_keywords_has_its_hook_after_their_values():
    # sites are numbered inside out
    assert hooks_in("def f(o):\n    o.m(n=o.d[0])") == ["quiet d", "item", "ready m"]


def test_key_of_an_augmented_slice_has_no_hooks_on_ours():
    assert hooks_in("def f(o):\n    o[1:2] += [3]") == ["key", "operands __iadd__", "storeditem"]


def test_call_of_a_plain_function_of_the_module_passes_no_hook():
    assert hooks_in("def g(x): pass\ndef f(o):\n    return g(o)") == []


def test_call_of_a_decorated_function_of_the_module_passes_a_hook():
    assert hooks_in("@d\ndef g(x): pass\ndef f(o):\n    return g(o)") == ["called g"]


def test_attribute_that_only_its_constructor_stores_passes_no_hook():
    source = "class C:\n    def __init__(self, n):\n        self.n = n\ndef f(c):\n    return c.n"

    assert hooks_in(source) == ["quiet n"]


@pytest.mark.parametrize(
    "rest",
    [
        "        keep(self)",
        "        self.start()",
        "        super().start()",
        "        self.m = lambda: self.n",
        "    def other(self):\n        self.n = 2",
        "    def __new__(cls, n):\n        return cls.only",
        "    def __setattr__(self, name, value):\n        keep(self)",
        "class D(C):\n    def __init__(self, n):\n        keep(self)\n        super().__init__(n)",
        "def again(c):\n    c.__init__(3)",
        "def other(c):\n    setattr(c, 'n', 2)",
    ],
)
def test_attribute_of_an_object_that_others_may_have_passes_a_hook(rest):
    source = f"class C:\n    def __init__(self, n):\n        self.n = n\n{rest}\ndef f(c):\n    return c.n"

    assert hooks_in(source, "f") == ["attr n"]


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
    rewrite(tree, file="", digest="", stored=stored_names(nodes_of(tree)), sites=sites)

    assert [(site.qualname, site.name) for site in sites.all()] == [("f", "d"), ("f", "d"), ("f", "y")]


def test_site_names_function_ordinal_and_occurrence():
    source = (
        "class C:\n    def f(self):\n        return self.a, self.b\n    def f(self):\n        return [lambda: self.c]"
    )
    sites = SiteTable()
    tree = ast.parse(source)
    rewrite(tree, file="", digest="", stored=stored_names(nodes_of(tree)), sites=sites)

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
    rewrite(tree, file="", digest="", stored=stored_names(nodes_of(tree)), sites=sites)
    return list(sites.all())
