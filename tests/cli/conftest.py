"""The command line, called in this process, in a directory that holds a program and a fleet."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.cli import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Finished:
    code: int
    out: str
    err: str


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Working directory with counter.py and fleet.yaml; modules loaded from it are forgotten afterwards."""
    shutil.copy(ROOT / "tests/programs/counter.py", tmp_path)
    shutil.copy(ROOT / "fixtures/fleet.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # whoever runs several processes of tests sets it
    monkeypatch.setattr(sys, "path", [*sys.path])
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        module = sys.modules[name]
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]  # a namespace has no file
        if any(str(place).startswith(str(tmp_path)) for place in places):
            del sys.modules[name]


@pytest.fixture
def harness(workplace: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Run one command and return its exit code and what it printed."""

    def run(*words: str) -> Finished:
        capsys.readouterr()
        code = main(words)
        printed = capsys.readouterr()
        return Finished(code, printed.out, printed.err)

    return run
