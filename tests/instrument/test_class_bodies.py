"""Which class bodies inside functions pass a hook that says that nobody sees what they do."""

from __future__ import annotations

import pytest

from tests.instrument.rewriting import hooks_in

pytestmark = pytest.mark.portable

MODULE = """\
import dataclasses, functools, shop
from enum import auto
from shop import field
shared = 0
def own(f):
    return f
def set_shared():
    global shared
    shared = 1
def f(b, items, run):
    k = 1
    class C:
        {body}
"""
UNSEEN = ["unseen the body of class C"]


@pytest.mark.parametrize(
    "body",
    [
        "'''text'''; pass",
        "x: int",
        "x: int = 1",
        "x = y = (1, 'a', -1, [2 + 3], {'k': {4}})",
        "x = [k, int]",
        "K = k",
        "x = auto()",
        "x = dataclasses.field(default_factory=list)",
        "x: list[int] = dataclasses.field(default=[])",
        "x = property(lambda self: 1)",
        "x = own(1)",
        "def m(self, x=1, *, y=k): pass",
        "@property\n        def p(self): pass\n        @p.setter\n        def p(self, v): pass",
        "@functools.lru_cache(maxsize=None)\n        def m(self): pass",
        "@own\n        def m(self): pass",
        "class D(ValueError):\n            code = 1",
    ],
)
def test_body_of_definitions_and_constants_passes_no_hook(body):
    assert hooks_in(MODULE.format(body=body))[1:] == []


@pytest.mark.parametrize(
    "body",
    [
        "x = b.n",
        "x: int = b.n",
        "b.n = 1",
        "items[0] = 1",
        "items.append(1)",
        "x = shared",
        "global shared; shared = 1",
        "x = run(1)",
        "x = len(items)",
        "x = [items[0]]",
        "x = eval('shared')",
        "x = field(1)",
        "x = shop.field(1)",
        "add = items.append\n        add(1)",
        "list = run\n        x = list(1)",
        "auto = run\n        x = auto()",
        "own = run\n        x = own(1)",
        "x = dataclasses.field(default=items)",
        "x = property(*items)",
        "x = own(1) if items else 2",
        "x = {items: 1}",
        "for x in items: pass",
        "if items: pass",
        "with b: pass",
        "import shop",
        "del x",
        "def m(self, x=b.n): pass",
        "m = lambda x=b.n: x",
        "@run\n        def m(self): pass",
        "@b.setter\n        def m(self): pass",
        "class D(b.Base): pass",
        "class D(metaclass=run): pass",
        "class D:\n            x = b.n",
    ],
)
def test_body_that_may_touch_what_is_shared_passes_one_hook(body):
    assert hooks_in(MODULE.format(body=body))[1:] == UNSEEN


def test_body_of_a_class_of_a_module_passes_no_hook():
    assert hooks_in("class C:\n    x = b.n\n    class D:\n        y = b.n") == []


def test_body_in_a_method_passes_a_hook_of_its_own():
    assert hooks_in("class C:\n    def m(self, b):\n        class D:\n            x = b.n") == [
        "unseen the body of class D"
    ]
