"""`import harness` costs little, because what is big is loaded when it is used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROBE = "import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
BIG = {"pandas", "numpy", "ipywidgets", "sqlalchemy", "anywidget", "matplotlib", "yaml", "pydantic", "httpx", "pytest"}


def loaded_by(statement: str) -> set[str]:
    command = [sys.executable, "-c", PROBE.format(statement=statement)]
    return set(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


@pytest.mark.portable
def test_importing_the_package_loads_nothing_big() -> None:
    assert loaded_by("import harness") & BIG == set()


@pytest.mark.portable
def test_exploring_loads_neither_data_frames_nor_widgets() -> None:
    loaded = loaded_by("import harness; harness.explore; harness.replay; harness.stress")

    assert loaded & {"pandas", "ipywidgets", "anywidget", "matplotlib", "sqlalchemy", "yaml"} == set()


@pytest.mark.portable
@pytest.mark.parametrize("first", ["harness.stress", "harness.Verdict", "harness.pitfalls", "import harness.explore"])
def test_explore_is_the_function_whatever_was_used_before(first: str) -> None:
    loaded_by(f"import harness; {first}; assert callable(harness.explore)")
