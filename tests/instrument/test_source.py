"""Source text as the interpreter compiled it."""

from __future__ import annotations

import linecache
import sys
from types import ModuleType

import pytest

from harness.instrument.source import read_source
from tests.instrument.passing import make_module

pytestmark = pytest.mark.portable


def test_digest_depends_on_the_text_alone():
    first, second = (make_module("def f(o): return o.x\n") for _ in range(2))

    assert read_source(first.f.__code__, first).digest == read_source(second.f.__code__, second).digest


def test_digest_differs_with_the_text():
    first, second = make_module("def f(o): return o.x\n"), make_module("def f(o): return o.y\n")

    assert read_source(first.f.__code__, first).digest != read_source(second.f.__code__, second).digest


def test_future_features_of_the_original_are_kept():
    module = make_module("from __future__ import annotations\ndef f(a: b) -> c: return a\n")
    source = read_source(module.f.__code__, module)
    namespace: dict[str, object] = {}
    exec(source.compile(source.parse()), namespace)

    assert namespace["f"].__annotations__ == {"a": "b", "return": "c"}


def test_code_without_source_has_none():
    namespace: dict[str, object] = {}
    exec("def f(): pass", namespace)

    assert read_source(namespace["f"].__code__, None) is None


def test_source_that_a_loader_gives_is_read():
    class Loader:
        def get_source(self, name):
            return "def f(o):\n    return o.x\n"

    module = ModuleType("loaded")
    module.__loader__ = Loader()
    exec(compile("def f(o):\n    return o.x\n", "loaded.py", "exec"), module.__dict__)
    linecache.lazycache("loaded.py", module.__dict__)

    assert read_source(module.f.__code__, module).text == "def f(o):\n    return o.x\n"


def test_assertion_rewriting_is_noticed():
    me = sys.modules[__name__]

    assert read_source(test_assertion_rewriting_is_noticed.__code__, me).is_asserted


def test_cell_in_the_namespace_of_an_asserted_module_is_not_asserted():
    me = sys.modules[__name__]
    linecache.cache["<a cell>"] = (9, None, ["def g(o):\n", "    assert o.x\n"], "<a cell>")
    namespace: dict[str, object] = {}
    exec(compile("def g(o):\n    assert o.x\n", "<a cell>", "exec"), namespace)

    assert not read_source(namespace["g"].__code__, me).is_asserted


def test_source_of_a_program_on_the_command_line_is_no_other_code_s(monkeypatch):
    text = "pass\n"
    monkeypatch.setitem(linecache.cache, "<string>", (len(text), None, [text], "<string>"))
    namespace: dict[str, object] = {}
    exec("def f(): pass", namespace)

    assert read_source(namespace["f"].__code__, sys.modules[__name__]) is None
