"""The comparison of notebooks notices a change, so that its silence means something."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "notebooks" / "lost_update.ipynb"


def change_picture(notebook: NotebookNode) -> None:
    picture = next(data for data in shown(notebook) if "image/svg+xml" in data)
    picture["image/svg+xml"] = changed(picture["image/svg+xml"], ">preempted: ", ">pre-empted: ")


def change_text(notebook: NotebookNode) -> None:
    text = next(data for data in shown(notebook) if "PASSED" in data["text/plain"])
    text["text/plain"] = changed(text["text/plain"], "1000 schedules", "1001 schedules")


def shown(notebook: NotebookNode) -> list[NotebookNode]:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [output.data for cell in cells for output in cell.outputs if "data" in output]


def changed(text: str, old: str, new: str) -> str:
    assert old in text, "the notebook no longer says what this test changes"
    return text.replace(old, new, 1)


@pytest.mark.long
@pytest.mark.parametrize("tamper", [change_picture, change_text])
def test_one_changed_output_is_noticed(tamper: Callable[[NotebookNode], None], tmp_path: Path) -> None:
    notebook = nbformat.read(COMMITTED, as_version=4)
    tamper(notebook)
    nbformat.write(notebook, tmp_path / "tampered.ipynb")

    compared = compare(tmp_path / "tampered.ipynb")

    assert compared.returncode == 1, compared.stdout + compared.stderr
    assert "Cell outputs differ" in compared.stdout
    assert "1 failed" in compared.stdout


def compare(path: Path) -> subprocess.CompletedProcess[str]:
    rules = ROOT / "notebooks" / "sanitize.cfg"
    alone = ["-c", "/dev/null", "--rootdir", str(path.parent), "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", str(path), "--nbval", f"--nbval-sanitize-with={rules}", *alone]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=path.parent)
