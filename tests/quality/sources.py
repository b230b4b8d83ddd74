"""The project's own files, read as text and as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "harness"


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement's target, as an absolute name."""

    file: str  # relative to the package
    line: int
    name: str
    is_lazy: bool  # inside a function, so not run when the file is imported
    is_for_types: bool  # under `if TYPE_CHECKING:`

    def __str__(self) -> str:
        return f"harness/{self.file}:{self.line} imports {self.name}"

    @property
    def part(self) -> str:
        """Top-level part of the package that the importing file belongs to."""
        return self.file.partition("/")[0].removesuffix(".py")


def python_files(folder: Path = PACKAGE) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def public_packages() -> list[Path]:
    return [path for path in python_files() if path.name == "__init__.py"]


@cache
def imports() -> tuple[Import, ...]:
    return tuple(found for path in python_files() for found in imports_of(path))


def imports_of(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    file = path.relative_to(PACKAGE).as_posix()
    lazy = {id(node) for function in ast.walk(tree) if is_function(function) for node in ast.walk(function)}
    typed = {id(node) for guard in ast.walk(tree) if is_type_guard(guard) for node in ast.walk(guard)}
    for node in ast.walk(tree):
        for name in names_of(node, file):
            yield Import(file, node.lineno, name, id(node) in lazy, id(node) in typed)  # type: ignore[attr-defined]


def is_function(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


def is_type_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def names_of(node: ast.AST, file: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    package = ["harness", *file.split("/")[:-1]]
    base = package[: len(package) - node.level + 1] if node.level else []
    module = ".".join([*base, *([node.module] if node.module else [])])
    # `from harness import views` imports the part, not a name of the root.
    return [f"{module}.{alias.name}" for alias in node.names] if module == "harness" else [module]
