"""Every token that is printed somewhere replays: in the README, the notebooks, the pictures, the tests."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from harness import pitfalls
from harness.explore import InvalidTokenError, Token, replay
from harness.explore.token import fingerprint

from .sources import ROOT
from .test_readme import BLOCKS

TOKEN = re.compile(r"(?<![\w/+-])h1[\w-]{14,}(?![\w/+=])", flags=re.ASCII)
SHOWN = (
    "README.md",
    "CHANGELOG.md",
    *("docs/**/*.md", "docs/**/*.svg", "docs/**/*.txt"),
    "notebooks/**/*.ipynb",
    *("tests/**/*.py", "tests/**/*.txt", "tests/**/*.md"),
    "harness/**/*.py",
)
WITHOUT_STRATEGIES = """
import importlib.abc, importlib.machinery, sys, types

class Gone(type):
    def __call__(cls, *args, **kwargs):
        raise AssertionError("a strategy was made")

class Nothing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.startswith("harness.explore.strategies"):
            return importlib.machinery.ModuleSpec(name, self, is_package=name.count(".") == 2)

    def exec_module(self, module):
        module.__getattr__ = lambda name: Gone(name, (), {})

sys.meta_path.insert(0, Nothing())
import harness
pitfall = harness.pitfalls.get("lost-update")
print(type(harness.replay(pitfall.broken, sys.argv[1]).error).__name__)
"""


def tokens() -> Iterator[tuple[str, str]]:
    """Yield file and token, those that are meant to be wrong left out."""
    for pattern in SHOWN:
        for file in sorted(ROOT.glob(pattern)):
            for text in sorted(set(TOKEN.findall(file.read_text(encoding="utf-8")))):
                if _is_whole(text):
                    yield str(file.relative_to(ROOT)), text


def _is_whole(text: str) -> bool:
    try:
        Token.decode(text)
    except (InvalidTokenError, ValueError):
        return False
    return True


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[bytes, Callable[[], object]]:
    """Return the programs whose tokens may be shown, by fingerprint."""
    found = [pitfall.broken for pitfall in pitfalls.all()]
    text = next(block.text for block in BLOCKS if block.file == "counter.py")
    file = tmp_path_factory.mktemp("shown") / "counter.py"
    file.write_text(text, encoding="utf-8")
    found.append(_load(file).lost_update)
    return {fingerprint(program): program for program in found}


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("shown_counter", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["shown_counter"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tokens_are_found_where_they_are_shown() -> None:
    files = {file for file, _ in tokens()}

    assert {"README.md", "docs/lost_update.svg", "notebooks/lost_update.ipynb"} <= files
    assert {f"tests/explore/expected/{file.name}" for file in (ROOT / "tests/explore/expected").iterdir()} <= files


@pytest.mark.parametrize(("file", "token"), list(tokens()))
def test_token_replays(file: str, token: str, programs: dict[bytes, Callable[[], object]]) -> None:
    program = programs.get(Token.decode(token).program)
    assert program is not None, f"{file} shows a token of a program that is gone; python -m tests.regenerate"

    assert replay(program, token).error is not None


def test_token_replays_where_every_strategy_is_gone() -> None:
    token = next(token for file, token in tokens() if file.endswith("expected/lost-update.txt"))
    command = [sys.executable, "-c", WITHOUT_STRATEGIES, token]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert ran.stdout == "AssertionError\n", ran.stderr
