"""The standard library, this project and what is installed beside it rewrite; code objects correspond one to one."""

from __future__ import annotations

import random
import sys
import sysconfig
import tokenize
import warnings
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from types import CodeType

import pytest

import harness
from harness.instrument import SiteTable
from harness.instrument.matching import CodeMap
from harness.instrument.nodes import nodes_of
from harness.instrument.rewrite import rewrite
from harness.instrument.source import SourceFile
from harness.instrument.stores import stored_names

_STANDARD = Path(sysconfig.get_path("stdlib"))
_OWN = Path(harness.__file__).parent
_SKIPPED = {"site-packages", "lib2to3", "idlelib", "turtledemo", "test", "tests", "__pycache__"}


def files_below(root: Path) -> list[Path]:
    return sorted(p for p in root.rglob("*.py") if not _SKIPPED & set(p.relative_to(root).parts[:-1]))


SAMPLE = random.Random(7).sample(files_below(_STANDARD), 120)


def codes_of(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from codes_of(constant)


def unmatched(path: Path) -> list[str]:
    """Return the functions of a file that have no rewritten counterpart."""
    with tokenize.open(path) as file:
        source = SourceFile(str(path), file.read(), "digest", 0, is_asserted=False)
    tree = source.parse()
    original = source.compile(tree)
    rewritten = rewrite(tree, file=str(path), digest="digest", stored=stored_names(nodes_of(tree)), sites=SiteTable())
    codes = CodeMap(original, source.compile(rewritten))
    return [code.co_qualname for code in codes_of(original) if codes.rewritten(code) is None]


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: str(path.relative_to(_STANDARD)))
def test_module_of_a_sample_of_the_standard_library_is_rewritten_whole(path):
    assert unmatched(path) == []


@pytest.mark.parametrize("path", files_below(_OWN), ids=lambda path: str(path.relative_to(_OWN)))
def test_own_module_is_rewritten_whole(path):
    assert unmatched(path) == []


@pytest.mark.long
@pytest.mark.portable
def test_every_module_of_the_standard_library_is_rewritten_whole(capsys):
    assert left_out(files_below(_STANDARD), "standard library", capsys) == {}


@pytest.mark.long
def test_every_module_of_every_installed_package_is_rewritten_whole(capsys):
    files = {
        Path(str(distribution.locate_file(file)))
        for distribution in distributions()
        for file in distribution.files or ()
        if file.suffix == ".py"
    }

    assert left_out(sorted(files), "installed packages", capsys) == {}


def left_out(files: list[Path], what: str, capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """Return the functions left out, by file; print how many files there are. Files that are no Python do not count."""
    found = {path: unmatched(path) for path in files if is_python(path)}
    with capsys.disabled():
        print(f"\nCPython {sys.version.split()[0]}, {what}: {len(found)} modules, {len(files) - len(found)} no Python")
    return {str(path): names for path, names in found.items() if names}


def is_python(path: Path) -> bool:
    """Return whether the interpreter compiles a file: templates and code of older Pythons it does not."""
    try:
        with tokenize.open(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(file.read(), str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, UnicodeError, FileNotFoundError):
        return False
    return True
