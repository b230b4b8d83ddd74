"""CPython's own tests of the language hold when their code is rewritten."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_NAMES = "grammar generators coroutines patma named_expressions unpack_ex augassign property dataclasses with scope"


def run(module: str, *, plain: bool) -> dict[str, object]:
    """Run a test module in a process of its own, rewritten or as it is."""
    command = [sys.executable, "-m", "tests.long.rewritten", module, *(["plain"] if plain else [])]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counts: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return counts


@pytest.mark.long
@pytest.mark.skipif(importlib.util.find_spec("test.test_with") is None, reason="this Python comes without its tests")
@pytest.mark.parametrize("name", _NAMES.split())
def test_module_passes_when_rewritten(name, capsys):
    plain, rewritten = (run(f"test.test_{name}", plain=is_plain) for is_plain in (True, False))

    with capsys.disabled():
        print(f"\nCPython {sys.version.split()[0]}, test_{name}: {rewritten['run']} run, {rewritten['sites']} sites")
    assert rewritten["bad"] == plain["bad"] == []
    assert rewritten["run"] == plain["run"]
    assert rewritten["skipped"] == plain["skipped"]
    assert rewritten["sites"]
    assert rewritten["limits"] == []
