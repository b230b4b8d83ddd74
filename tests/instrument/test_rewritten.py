"""Rewritten code is kept for the next exploration, under all that it depends on."""

from __future__ import annotations

import ast

import pytest

from harness.instrument import SiteTable
from harness.instrument import rewritten as module
from harness.instrument.rewritten import rewrite_sources
from harness.instrument.source import SourceFile
from tests.instrument.passing import instrumented, make_module

TEXT = "def f(o):\n    return o.x\n"
STORING = "def g(o):\n    o.x = 1\n"


def source(text: str, file: str, **changed: object) -> SourceFile:
    given = {"digest": "d", "flags": 0, "is_asserted": False, **changed}
    return SourceFile(file, text, **given)


@pytest.fixture
def parses(monkeypatch):
    """The files parsed since the test began, with nothing kept from before."""
    files: list[str] = []
    parse = SourceFile.parse

    def noting(self: SourceFile) -> ast.Module:
        files.append(self.file)
        return parse(self)

    monkeypatch.setattr(SourceFile, "parse", noting)
    monkeypatch.setattr(module, "_NAMES", module._Recent())
    monkeypatch.setattr(module, "_CODES", module._Recent())
    return files


def code_of(*sources: SourceFile, sites: SiteTable | None = None):
    """Return the rewritten code of the one function in the first source."""
    done = rewrite_sources(sources, SiteTable() if sites is None else sites)
    assert done.failures == {}
    return next(done.codes[sources[0].file].pairs())[1]


def test_second_exploration_of_the_same_sources_parses_nothing(parses):
    sites, again = SiteTable(), SiteTable()
    first = code_of(source(TEXT, "f.py"), source(STORING, "g.py"), sites=sites)
    parses.clear()

    assert code_of(source(TEXT, "f.py"), source(STORING, "g.py"), sites=again) is first
    assert again.all() == sites.all()
    assert parses == []


def test_each_source_is_parsed_once_the_first_time(parses):
    code_of(source(TEXT, "f.py"), source(STORING, "g.py"))

    assert parses == ["f.py", "g.py"]


def test_code_of_other_text_file_flags_or_names_stored_is_made_anew(parses):
    kept = code_of(source(TEXT, "f.py"))
    others = [
        code_of(source(TEXT.replace("x", "y"), "f.py", digest="e")),
        code_of(source(TEXT, "other.py")),
        code_of(source(TEXT, "f.py", flags=0x1000000)),
        code_of(source(TEXT, "f.py"), source(STORING, "g.py")),
    ]

    assert all(other is not kept for other in others)
    assert code_of(source(TEXT, "f.py")) is kept


def test_code_of_a_package_is_kept_when_the_program_beside_it_changes(parses):
    kept = code_of(source(TEXT, "f.py"), source("def p(o):\n    return o.first\n", "program.py"))
    parses.clear()
    changed = source("def p(o):\n    o.second = g(o)\n    return o.second\n", "program.py", digest="e")

    assert code_of(source(TEXT, "f.py"), changed) is kept
    assert parses == ["program.py"]


def test_no_two_sources_share_the_number_of_a_site(parses):
    sites = SiteTable()
    done = rewrite_sources([source(STORING, "g.py"), source(TEXT, "f.py")], sites)
    for file in ("f.py", "g.py"):
        code = next(done.codes[file].pairs())[1]
        numbers = [n for n in code.co_consts if isinstance(n, int) and n != 1]

        assert [sites[n].file for n in numbers] == [file]


@pytest.mark.parametrize(
    "text",
    [
        "class C:\n    def f(self, o):\n        return o.__name\n",
        "def f(o):\n    return o._C__name\n",
        "def f(o):\n    return getattr(o, 'the_' 'name')\n",
        "def f(o):\n    return o.\ufb01ne\n",
        "def f():\n    return shared\n",
    ],
)
def test_name_stored_elsewhere_reaches_code_that_mentions_it(text, parses):
    storing = "class C:\n def g(self, o):\n  global shared\n  shared = o.__name = o.the_name = o.fine = 1\n"
    alone, beside = SiteTable(), SiteTable()
    kept = rewrite_sources([source(text, "f.py")], alone)
    other = rewrite_sources([source(text, "f.py"), source(storing, "g.py")], beside)
    hooks = [[*done.codes["f.py"].pairs()][-1][1].co_names for done in (kept, other)]

    assert hooks[0] != hooks[1]


def test_source_that_is_no_python_fails_each_time(parses):
    first, second = (rewrite_sources([source("def f(:\n", "f.py")], SiteTable()) for _ in range(2))

    assert "SyntaxError" in first.failures["f.py"]
    assert second.failures == first.failures


def test_only_the_sources_used_last_are_kept(monkeypatch, parses):
    monkeypatch.setattr(module, "_MOST_SOURCES", 2)
    for name in ("a.py", "b.py", "a.py", "c.py"):
        code_of(source(TEXT, name))
    parses.clear()
    for name in ("a.py", "c.py", "b.py"):
        code_of(source(TEXT, name))

    assert parses == ["b.py"]


def test_function_instrumented_twice_runs_the_same_code_and_gets_its_own_back():
    sample = make_module(TEXT)
    original = sample.f.__code__
    with instrumented(sample):
        first = sample.f.__code__
    between = sample.f.__code__
    with instrumented(sample):
        second = sample.f.__code__

    assert first is second
    assert first is not original
    assert between is sample.f.__code__ is original
