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
NOTEBOOKS = ROOT / "notebooks"


def change_impact_picture(notebook: NotebookNode) -> None:
    picture = next(data for data in shown(notebook) if "image/svg+xml" in data)
    picture["image/svg+xml"] = changed(picture["image/svg+xml"], "broken: its model goes", "kept: its model goes")


def change_graph_picture(notebook: NotebookNode) -> None:
    picture = next(data for data in shown(notebook) if "image/svg+xml" in data)
    picture["image/svg+xml"] = changed(picture["image/svg+xml"], ">triage<", ">triale<")


def change_printed_line(notebook: NotebookNode) -> None:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    table = next(output for cell in cells for output in cell.outputs if "anthropic-eu" in output.get("text", ""))
    table.text = changed(table.text, "anthropic-eu      14", "anthropic-eu      13")


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
@pytest.mark.parametrize(
    ("name", "tamper"),
    [
        ("lost_update.ipynb", change_picture),
        ("lost_update.ipynb", change_text),
        ("dependency_graph.ipynb", change_graph_picture),
        ("removal_impact.ipynb", change_impact_picture),
        ("regression/impact_of_every_provider.ipynb", change_printed_line),
    ],
)
def test_one_changed_output_is_noticed(name: str, tamper: Callable[[NotebookNode], None], tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    tamper(notebook)
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    (tmp_path / "notebooks" / name).parent.mkdir(parents=True)
    nbformat.write(notebook, tmp_path / "notebooks" / name)

    compared = compare(tmp_path / "notebooks" / name)

    assert compared.returncode == 1, compared.stdout + compared.stderr
    assert "Cell outputs differ" in compared.stdout
    assert "1 failed" in compared.stdout


def compare(path: Path) -> subprocess.CompletedProcess[str]:
    rules = ROOT / "notebooks" / "sanitize.cfg"
    alone = ["-c", "/dev/null", "--rootdir", str(path.parent), "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", str(path), "--nbval", f"--nbval-sanitize-with={rules}", *alone]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=path.parent)
