"""Run the notebooks afresh and keep of their outputs what is the same on every machine.

Kept are ``text/plain``, ``text/html`` and ``image/svg+xml``; widget views and widget state go, since a notebook that is
opened but not run cannot show them. Execution counts are those of one run from top to bottom: nbval compares no outputs
of a cell without one.

``python notebooks/normalise.py`` rewrites the notebooks beside it; ``--check`` changes nothing and fails where a fresh
run differs from what is committed. Names of notebooks may be given.
"""

from __future__ import annotations

import argparse
import copy
import difflib
import json
import os
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

__all__ = ["main", "normalise", "run"]

HERE = Path(__file__).parent
ENVIRONMENT = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
KEPT_OUTPUTS = ("text/plain", "text/html", "image/svg+xml")
KEPT_METADATA = ("jupyter", "tags")
MACHINE_PATH = re.compile(r"/(?:tmp|root|home|Users|usr)/|ipykernel_\d+")


def run(notebook: NotebookNode, folder: Path = HERE) -> NotebookNode:
    """Return a copy of a notebook, executed from top to bottom in a kernel of its own that works in ``folder``."""
    fresh = copy.deepcopy(notebook)
    NotebookClient(fresh, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return fresh


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a notebook without what differs from run to run.

    Raises:
        ValueError: an output holds a path of this machine.
    """
    lean = copy.deepcopy(notebook)
    lean.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    count = 0
    for cell in lean.cells:
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in KEPT_METADATA if key in cell.metadata})
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = [_lean(output, count) for output in _joined(cell.outputs)]
    return lean


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of one stream, which come in as the kernel happens to flush them."""
    joined: list[NotebookNode] = []
    for output in outputs:
        is_more = bool(joined) and output.output_type == "stream" and joined[-1].get("name") == output.name
        if is_more:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _lean(output: NotebookNode, count: int) -> NotebookNode:
    if "execution_count" in output:
        output.execution_count = count
    if "data" in output:
        output.data = nbformat.from_dict({kind: output.data[kind] for kind in KEPT_OUTPUTS if kind in output.data})
        output.metadata = nbformat.from_dict({})
    leak = MACHINE_PATH.search(json.dumps(output))
    if leak is not None:
        raise ValueError(f"an output without paths of this machine is wanted, one holds {leak[0]!r}; print less")
    return output


def _text(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Normalise the notebooks, or check that they are; return the exit code."""
    parser = argparse.ArgumentParser(description="Run the notebooks and keep what is the same on every machine.")
    parser.add_argument("names", nargs="*", help="notebooks; all of this folder and below by default")
    parser.add_argument("--check", action="store_true", help="change nothing, fail where a fresh run differs")
    options = parser.parse_args(arguments)
    os.environ.update(ENVIRONMENT)  # for the kernels, which inherit it
    paths = [Path(name) for name in options.names] or sorted(HERE.rglob("[!.]*.ipynb"))
    different = 0
    for path in paths:
        before = path.read_text(encoding="utf-8")
        after = _text(normalise(run(nbformat.reads(before, as_version=4), path.parent)))
        different += before != after
        print(f"{path.name}: {'as committed' if before == after else 'differs' if options.check else 'written'}")
        if before != after and options.check:
            sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True), n=1))
        elif before != after:
            path.write_text(after, encoding="utf-8")
    return int(options.check and different > 0)


if __name__ == "__main__":
    sys.exit(main())
