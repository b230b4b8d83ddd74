"""Modules that the program itself imports: noted whole, rewritten, and never left in the middle."""

from __future__ import annotations

import importlib
import sys
import textwrap

import pytest

from harness import Verdict, explore

pytestmark = pytest.mark.portable


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return what writes a package and imports it; it is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(**files):
        (tmp_path / "lazy").mkdir()
        for name, text in files.items():
            (tmp_path / "lazy" / f"{name}.py").write_text(textwrap.dedent(text))
        importlib.invalidate_caches()
        return importlib.import_module("lazy")

    yield write
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("lazy", "plain_lazy"):
            del sys.modules[name]


_LAZY = """
    from importlib import import_module

    def __getattr__(name):
        return getattr(import_module("lazy.models"), name)
"""
_MODELS = """
    import lazy.parts
    from lazy.parts import Part

    class Model:
        made = 0

        @classmethod
        def make(cls):
            cls.made += 1
"""


def two_models_are_made():
    import threading

    import lazy

    threads = [threading.Thread(target=lambda: lazy.Model.make()) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lazy.Model.made == 2


def test_lazy_module_that_imports_others_is_noted_when_it_is_whole_and_rewritten(package):
    package(__init__=_LAZY, models=_MODELS, parts="class Part: pass")

    result = explore(two_models_are_made, instrument=["lazy"])

    assert type(result.failure.error) is AssertionError
    assert "Model.made" in result.failure.explain()


def test_lazy_module_that_fits_a_pattern_is_rewritten(package):
    package(__init__=_LAZY, models=_MODELS, parts="class Part: pass")

    result = explore(two_models_are_made, instrument=["lazy*"])

    assert "Model.made" in result.failure.explain()


def two_models_are_made_from_elsewhere():
    import threading

    import plain_lazy

    threads = [threading.Thread(target=plain_lazy.model().make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert plain_lazy.model().made == 2


def test_lazy_module_behind_code_that_is_not_instrumented_is_rewritten_too(package, tmp_path):
    (tmp_path / "plain_lazy.py").write_text(
        "from importlib import import_module\n\ndef model():\n    return import_module('lazy.models').Model\n"
    )
    package(__init__="", models=_MODELS, parts="class Part: pass")

    result = explore(two_models_are_made_from_elsewhere, instrument=["lazy"])

    assert result.verdict is Verdict.FAILED
    assert "Model.made" in result.failure.explain()
