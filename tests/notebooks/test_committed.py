"""What a notebook in the repository must look like, whatever it teaches."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median

import nbformat
import pytest
from nbformat import NotebookNode

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
REGRESSION = sorted((FOLDER / "regression").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> NotebookNode:
    return nbformat.read(request.param, as_version=4)


@pytest.fixture(params=[*NOTEBOOKS, *REGRESSION], ids=lambda path: path.stem)
def any_notebook(request: pytest.FixtureRequest) -> NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS


def test_title_asks_a_question(notebook: NotebookNode) -> None:
    title = notebook.cells[0].source.partition("\n")[0]

    assert title.startswith("# ")
    assert title.endswith("?")


def test_arc_is_complete_and_in_order(notebook: NotebookNode) -> None:
    wanted = ["What we need", "Try by hand", "Take control", "What we learned", "Exercises", "Next", "Solutions"]

    headings = re.findall(r"^#{2,3} (.+)$", prose(notebook), flags=re.MULTILINE)

    assert [heading for heading in headings if heading in wanted] == wanted


def test_lesson_is_three_lines(notebook: NotebookNode) -> None:
    learned = prose(notebook).partition("## What we learned\n")[2].partition("\n## ")[0]

    assert len([line for line in learned.splitlines() if line]) == 3


def test_prose_has_the_length_of_a_lesson(notebook: NotebookNode) -> None:
    assert 1_000 <= len(re.findall(r"\w[\w'-]*", prose(notebook))) <= 3_500


def test_cells_are_short(notebook: NotebookNode) -> None:
    lengths = [len(cell.source.splitlines()) for cell in code_cells(notebook)]

    assert median(lengths) < 5
    assert max(lengths) <= 15


def test_every_cell_ran_in_order(any_notebook: NotebookNode) -> None:
    # nbval compares no outputs of a cell without a count.
    counts = [cell.execution_count for cell in code_cells(any_notebook)]

    assert counts == list(range(1, len(counts) + 1))


def test_outputs_are_pictures_and_text_alone(any_notebook: NotebookNode) -> None:
    outputs = [output for cell in code_cells(any_notebook) for output in cell.outputs]

    kinds = {kind for output in outputs for kind in output.get("data", {})}

    assert kinds <= {"text/plain", "text/html", "image/svg+xml"}
    assert "image/svg+xml" in kinds
    assert "widgets" not in any_notebook.metadata


def test_outputs_name_no_path_of_the_machine(any_notebook: NotebookNode) -> None:
    outputs = json.dumps([output for cell in code_cells(any_notebook) for output in cell.outputs])

    assert not re.search(r"/(?:tmp|root|home|Users|usr)/|ipykernel_\d", outputs)
