from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.cli.errors import WrongUseError
from harness.cli.program_path import load_program


def test_file_is_loaded_under_its_own_name(workplace: Path) -> None:
    program = load_program("counter.py::lost_update")

    assert (program.__module__, program.__qualname__) == ("counter", "lost_update")


def test_module_is_imported_from_working_directory(workplace: Path) -> None:
    (workplace / "shop").mkdir()
    (workplace / "shop/orders.py").write_text("def place(): pass\n")

    assert load_program("shop.orders::place").__module__ == "shop.orders"


def test_package_in_working_directory_is_imported(workplace: Path) -> None:
    (workplace / "shop").mkdir()
    (workplace / "shop/__init__.py").write_text("def place(): pass\n")

    assert load_program("shop::place").__module__ == "shop"


def test_file_finds_modules_beside_it(workplace: Path) -> None:
    (workplace / "programs").mkdir()
    (workplace / "programs/beside.py").write_text("limit = 3\n")
    (workplace / "programs/first.py").write_text("import beside\ndef program(): return beside.limit\n")

    assert load_program("programs/first.py::program")() == 3


def test_loading_leaves_no_bytecode_beside_file(workplace: Path) -> None:
    load_program("counter.py::lost_update")

    assert not (workplace / "__pycache__").exists()


def test_file_saved_again_is_loaded_anew(workplace: Path) -> None:
    (workplace / "again.py").write_text("def program(): return 1\n")
    load_program("again.py::program")
    (workplace / "again.py").write_text("def program(): return 2\n")

    assert load_program("again.py::program")() == 2


def test_what_file_prints_goes_to_standard_error(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workplace / "loud.py").write_text("print('loading')\ndef program(): pass\n")

    load_program("loud.py::program")

    assert capsys.readouterr() == ("", "loading\n")


def test_file_that_fails_to_load_leaves_no_module(workplace: Path) -> None:
    (workplace / "boom.py").write_text("1 / 0\n")

    with pytest.raises(WrongUseError):
        load_program("boom.py::program")
    assert "boom" not in sys.modules


FILES = {
    "syntax.py": "def program(:\n",
    "boom.py": "def fail():\n    raise ValueError('no key')\n\nfail()\n",
    "leaves.py": "import sys\nsys.exit(4)\n",
    "relative.py": "from . import other\n",
    "value.py": "limit = 3\ndef program(): pass\n",
    "json.py": "def program(): pass\n",
    "notes.txt": "",
}
MESSAGES = {
    "counter.py": "a program is wanted as PATH.py::FUNC or package.module::FUNC, 'counter.py' is not of that form; "
    "name the file or module, two colons, and the function",
    "missing.py::program": "a Python file is wanted, there is no 'missing.py'; check the path",
    ".::program": "a Python file is wanted, '.' is a directory; name ./FILE.py::program",
    "notes.txt::program": "a Python file is wanted, 'notes.txt' does not end in .py; name a file that does",
    "syntax.py::program": "syntax.py is to be loaded, it raises SyntaxError: invalid syntax at line 1; correct it",
    "boom.py::program": "boom.py is to be loaded, it raises ValueError: no key at line 2; correct it",
    "leaves.py::program": "leaves.py is to be loaded, it raises SystemExit: 4 at line 2; correct it",
    "relative.py::program": "relative.py is to be loaded, it raises ImportError: attempted relative import with no "
    "known parent package at line 1; name it as part of its package: package.module::FUNC",
    "json.py::program": "json.py is to be loaded under the name 'json', a module of that name is already loaded; "
    "rename the file",
    "nowhere.at.all::program": "module 'nowhere.at.all' is to be loaded, it raises ModuleNotFoundError: No module "
    "named 'nowhere'; check the name; modules are looked for in the working directory and where Python finds them",
    "value.py::progam": "no function 'progam' in value.py; near: 'program'",
    "value.py::zzz": "no function 'zzz' in value.py; name a function at its top level",
    "value.py::limit": "a function is wanted, 'limit' in value.py is of type int; name a function",
}


@pytest.mark.parametrize("place", MESSAGES)
def test_message_says_what_was_wanted_what_is_so_and_what_to_do(workplace: Path, place: str) -> None:
    for name, text in FILES.items():
        (workplace / name).write_text(text)

    with pytest.raises(WrongUseError) as caught:
        load_program(place)
    assert str(caught.value) == MESSAGES[place]
