from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import harness.registry
from harness.registry import clients, mounts

HEAVY = ("pandas", "pydantic", "sqlalchemy", "yaml")
PROBE = f"""
import sys, harness.registry, harness.registry.mounts, harness.registry.clients
print(*sorted(set({HEAVY}) & set(sys.modules)))
"""


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


@pytest.mark.portable
def test_the_package_imports_none_of_its_neighbours():
    package = Path(harness.registry.__file__).parent
    ours = {name for path in package.rglob("*.py") for name in imported_modules(path) if name.startswith("harness")}

    assert all(name.startswith("harness.registry") for name in ours)


@pytest.mark.portable
def test_importing_the_package_loads_no_heavy_library():
    answer = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == ""


@pytest.mark.portable
@pytest.mark.parametrize("package", [harness.registry, mounts, clients], ids=lambda package: package.__name__)
def test_all_is_sorted_and_complete(package):
    constants = [name for name in package.__all__ if name.isupper()]
    classes = [name for name in package.__all__ if name[0].isupper() and not name.isupper()]
    functions = [name for name in package.__all__ if name[0].islower()]

    assert package.__all__ == [*sorted(constants), *sorted(classes), *sorted(functions)]
    assert all(hasattr(package, name) for name in package.__all__)
