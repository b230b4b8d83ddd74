"""Programs named on the command line: ``PATH.py::FUNC`` or ``package.module::FUNC``.

A file is loaded as ``python PATH.py`` would load it: its directory is first on ``sys.path``, no bytecode is left beside
it. But it keeps its own name, so that nothing behind ``if __name__ == "__main__"`` runs. A module is imported with the
working directory first on ``sys.path``, as ``python -m`` does. What they print meanwhile goes to standard error.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from difflib import get_close_matches
from importlib.abc import FileLoader, SourceLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from harness.cli.errors import WrongUseError

__all__ = ["load_program"]


def load_program(place: str) -> Callable[[], object]:
    """Return the function that ``PATH.py::FUNC`` or ``package.module::FUNC`` names.

    Whether it can be explored is for the exploration to say.

    Raises:
        WrongUseError: there is no such file, module or function, or it cannot be loaded.
    """
    home, separator, name = place.partition("::")
    if not (home and separator and name):
        raise WrongUseError(
            f"a program is wanted as PATH.py::FUNC or package.module::FUNC, {place!r} is not of that form",
            "name the file or module, two colons, and the function",
        )
    module = _load_file(Path(home), name) if _is_path(home) else _import_module(home)
    return _find(module, name, home)


def _is_path(home: str) -> bool:
    if home.endswith(".py") or "/" in home or Path(home).is_file():
        return True
    return Path(home).is_dir() and not Path(home, "__init__.py").exists()  # a directory that is no package


class _ScriptLoader(FileLoader, SourceLoader):  # type: ignore[misc]  # typeshed: their common methods differ in form
    """Loads a file without reading or writing bytecode."""


def _load_file(path: Path, name: str) -> ModuleType:
    _check_file(path, name)
    path = path.resolve()
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, "__file__", None) != str(path):
        raise WrongUseError(
            f"{path.name} is to be loaded under the name {path.stem!r}, a module of that name is already loaded",
            "rename the file",
        )
    spec = spec_from_file_location(path.stem, path, loader=_ScriptLoader(path.stem, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    _put_first(path.parent)
    sys.modules[path.stem] = module
    try:
        with _loading(path.name, path):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise
    return module


def _check_file(path: Path, name: str) -> None:
    if path.is_dir():
        raise WrongUseError(f"a Python file is wanted, {str(path)!r} is a directory", f"name {path}/FILE.py::{name}")
    if not path.exists():
        raise WrongUseError(f"a Python file is wanted, there is no {str(path)!r}", "check the path")
    if path.suffix != ".py":
        raise WrongUseError(f"a Python file is wanted, {str(path)!r} does not end in .py", "name a file that does")


def _import_module(name: str) -> ModuleType:
    _put_first(Path.cwd())
    with _loading(f"module {name!r}", None):
        return importlib.import_module(name)


def _put_first(directory: Path) -> None:
    if sys.path[:1] != [str(directory)]:
        sys.path.insert(0, str(directory))


@contextmanager
def _loading(what: str, path: Path | None) -> Iterator[None]:
    """Turn whatever loading raises into wrong use; an interrupt passes."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (Exception, SystemExit) as error:
        line = "" if path is None else _line_of(error, path)
        fault = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}".rstrip(": ")
        raise WrongUseError(f"{what} is to be loaded, it raises {fault}{line}", _remedy(error, path)) from error


def _line_of(error: BaseException, path: Path) -> str:
    """Return the last line of the file that was reached, as words."""
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == str(path) else None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return "" if line is None else f" at line {line}"


def _remedy(error: BaseException, path: Path | None) -> str:
    if path is None:
        return "check the name; modules are looked for in the working directory and where Python finds them"
    if isinstance(error, ImportError) and "relative import" in str(error):
        return "name it as part of its package: package.module::FUNC"
    return "correct it"


def _find(module: ModuleType, name: str, home: str) -> Callable[[], object]:
    found = getattr(module, name, None)
    if found is None:
        names = [key for key, value in vars(module).items() if callable(value)]
        near = ", ".join(map(repr, get_close_matches(name, names)))
        raise WrongUseError(
            f"no function {name!r} in {home}", f"near: {near}" if near else "name a function at its top level"
        )
    if not callable(found):
        raise WrongUseError(
            f"a function is wanted, {name!r} in {home} is of type {type(found).__name__}", "name a function"
        )
    program: Callable[[], object] = found
    return program
