from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import harness.views

_ROOT = Path(__file__).parents[2]
_DIGEST = """
import hashlib
from harness.registry import Registry
from harness.views import graph, timeline
from tests.views.pictures import long_execution, lost_update
for execution in (long_execution(500, 12), lost_update()):
    print(hashlib.sha256(timeline(execution).svg.encode()).hexdigest())
for name in ("fleet.yaml", "model_catalogue.csv"):
    for most in (30, 150):
        svg = graph(Registry.from_file("fixtures/" + name).snapshot(), max_nodes=most).svg
        print(hashlib.sha256(svg.encode()).hexdigest())
"""


def _python(code: str, hash_seed: str = "0") -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=_ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_pictures_are_the_same_bytes_in_processes_with_different_hash_seeds() -> None:
    assert _python(_DIGEST, "1") == _python(_DIGEST, "2")


@pytest.mark.parametrize("module", ["pandas", "ipywidgets", "anywidget"])
def test_import_loads_no_notebook_library(module: str) -> None:
    assert _python(f"import sys, harness.views; print({module!r} in sys.modules)") == "False\n"


def test_public_names_are_sorted_and_present() -> None:
    assert harness.views.__all__ == sorted(harness.views.__all__)
    assert all(hasattr(harness.views, name) for name in harness.views.__all__)
