"""What may be named to be instrumented, and the modules it stands for."""

from __future__ import annotations

import functools
import sys
from types import ModuleType

import pytest

from harness.instrument import UnknownModuleError, is_named, module_of, resolve_targets, unwrap
from tests.instrument import corpus, shapes

pytestmark = pytest.mark.portable


@pytest.mark.parametrize(
    "target",
    [
        shapes,
        shapes.plain,
        shapes.Thing,
        shapes.Thing().method,
        shapes.partial,
        shapes.cached,
        shapes.decorated,
        shapes.dispatched,
        functools.partial(functools.partial(shapes.plain, 1)),
    ],
    ids=lambda target: type(target).__name__,
)
def test_target_leads_to_its_module(target):
    assert module_of(target) is shapes


def test_name_stands_for_the_module_and_what_is_imported_below_it():
    names = [module.__name__ for module in resolve_targets(["tests.instrument"])]

    assert names[0] == "tests.instrument"
    assert {"tests.instrument.shapes", "tests.instrument.corpus"} <= set(names)


@pytest.mark.parametrize("pattern", ["tests.instrument.s*s", "tests.*.shape[s]", "*.instrument.shapes"])
def test_pattern_stands_for_the_imported_modules_that_fit(pattern):
    assert resolve_targets([pattern]) == [shapes]


def test_package_that_a_pattern_begins_with_is_imported(monkeypatch, tmp_path):
    (tmp_path / "fitted").mkdir()
    (tmp_path / "fitted/__init__.py").write_text("from fitted import part, other")
    (tmp_path / "fitted/part.py").touch()
    (tmp_path / "fitted/other.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    assert [module.__name__ for module in resolve_targets(["fitted.p*"])] == ["fitted.part"]


def test_modules_come_once_and_in_order():
    assert resolve_targets([corpus, shapes.plain, shapes.Thing, corpus]) == [corpus, shapes]


def test_function_stands_for_its_module_alone():
    assert resolve_targets([shapes.plain]) == [shapes]


def test_pattern_that_no_module_fits_is_refused():
    with pytest.raises(UnknownModuleError, match="none that is imported fits the pattern"):
        resolve_targets(["tests.instrument.no*"])


@pytest.mark.parametrize(
    ("module", "target", "expected"),
    [
        ("gateway", "gateway", True),
        ("gateway.models", "gateway", True),
        ("gateways", "gateway", False),
        ("gateway.models", "gateway.*", True),
        ("gateway", "gateway.*", False),
        ("gateway.models.cache", "gateway.*.cache", True),
    ],
)
def test_module_is_named_by_its_own_name_a_package_or_a_pattern(module, target, expected):
    assert is_named(module, target) is expected


@pytest.mark.parametrize("name", ["tests.instrument.nothing", "no such module", "tests.instrument.shapes.plain"])
def test_name_that_cannot_be_imported_is_refused(name):
    with pytest.raises(UnknownModuleError, match="names no module") as caught:
        resolve_targets([name])

    assert caught.value.name == name


def test_object_of_no_module_is_refused():
    function = eval("lambda: 1", {"__name__": "nowhere"})

    with pytest.raises(UnknownModuleError, match="belongs to no module"):
        resolve_targets([function])


def test_function_that_claims_another_module_is_found_by_its_namespace():
    namespace = ModuleType("namespace_of_its_own")
    sys.modules[namespace.__name__] = namespace
    exec("def f(): pass\nf.__module__ = 'tests.instrument.shapes'", namespace.__dict__)
    try:
        assert module_of(namespace.f) is namespace
    finally:
        del sys.modules[namespace.__name__]


def test_function_behind_all_wrappers_is_found():
    assert unwrap(shapes.decorated) is shapes.decorated.__wrapped__.__wrapped__


def test_callable_object_leads_to_its_call():
    class Callable:
        def __call__(self):
            return 1

    assert unwrap(Callable()) is Callable.__call__


def test_wrapper_of_itself_comes_to_an_end():
    def f():
        return 1

    f.__wrapped__ = f

    assert unwrap(f) is f


def test_builtin_has_no_function_behind_it():
    assert unwrap(len) is None
