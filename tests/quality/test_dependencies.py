"""Dependencies point one way, and what is slow to import is imported where it is needed."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from .sources import PACKAGE, Import, imports, public_packages, python_files

ORDER = ["registry", "instrument", "sim", "explore", "pitfalls", "views"]  # each may import those before it
FACES = {"cli", "ipython", "pytest_plugin", "__main__", "__init__"}  # these may import all, and nobody imports them
LAZY_FACES = {"__init__": {"harness.ipython"}, "__main__": {"harness.cli"}}


def parts_imported(found: Import) -> str | None:
    """Return the part of the package that is imported, or ``None`` for other packages and the root's own names."""
    segments = found.name.split(".")
    if segments[0] != "harness" or len(segments) < 2:
        return None
    return segments[1] if segments[1] in {*ORDER, *FACES} else None


def is_allowed(found: Import) -> bool:
    wanted = parts_imported(found)
    if wanted is None or wanted == found.part:
        return True
    if wanted in FACES:
        return f"harness.{wanted}" in LAZY_FACES.get(found.part, set())
    return found.part in FACES or ORDER.index(wanted) < ORDER.index(found.part)


def test_every_part_has_its_place_in_the_order() -> None:
    parts = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in python_files()}

    assert parts == {*ORDER, *FACES}


def test_packages_import_only_those_below_them() -> None:
    assert [str(found) for found in imports() if not is_allowed(found)] == []


def test_registry_imports_nothing_from_its_neighbours() -> None:
    imported = {parts_imported(found) for found in imports() if found.part == "registry"}

    assert imported <= {None, "registry"}


def test_lower_parts_do_not_import_the_root() -> None:
    # `import harness` inside a part would run the root's lazy look-ups, in an order that depends on who came first.
    assert [str(found) for found in imports() if found.part in ORDER and found.name == "harness"] == []


def test_pandas_is_imported_only_inside_functions() -> None:
    eager = [str(found) for found in imports() if is_of(found, "pandas") and not (found.is_lazy or found.is_for_types)]

    assert eager == []


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("ipywidgets", {"views"}),
        ("anywidget", {"views"}),
        ("matplotlib", {"views"}),
        ("pytest", {"pytest_plugin"}),
        ("_pytest", {"pytest_plugin"}),
        ("IPython", {"ipython"}),
        ("typer", {"cli"}),
        ("rich", {"cli"}),
        ("sqlalchemy", {"registry"}),
    ],
)
def test_library_is_imported_only_where_it_belongs(library: str, places: set[str]) -> None:
    outside = [str(found) for found in imports() if is_of(found, library) and found.part not in places]

    assert outside == []


def is_of(found: Import, library: str) -> bool:
    return found.name.partition(".")[0] == library


def test_only_the_shared_fleet_of_the_pitfalls_knows_the_simulation() -> None:
    # A pitfall is ordinary code that runs natively as it is.
    knowing = {found.file for found in imports() if found.part == "pitfalls" and parts_imported(found) == "sim"}

    assert knowing <= {"pitfalls/fleet.py"}


@pytest.mark.parametrize("path", public_packages(), ids=lambda path: path.parent.relative_to(PACKAGE.parent).as_posix())
def test_package_is_a_map(path: Path) -> None:
    names = exported(path)
    module = importlib.import_module(".".join(path.parent.relative_to(PACKAGE.parent).parts))

    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert names == sorted(names, key=export_order)
    assert [name for name in names if not hasattr(module, name)] == []


def exported(path: Path) -> list[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    raise AssertionError(f"{path} has no __all__")


def export_order(name: str) -> tuple[int, str]:
    """Order as the linter wants it: constants, then classes, then the rest."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name
