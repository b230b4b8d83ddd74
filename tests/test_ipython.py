"""The extension in shells of their own process: exploring rewrites what a shell runs, and the shell is a singleton."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

Results = dict[str, dict[str, Any]]  # by name of the cell; see SHELL
CELLS = {
    "load": "%load_ext harness",
    "counter": """\
import threading

class Counter:
    def __init__(self):
        self.n = 0

    def increment(self):
        self.n += 1
""",
    "lost update": """\
%%explore --seed 3 --max-schedules 50
counter = Counter()
threads = [threading.Thread(target=counter.increment) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert counter.n == 2, counter.n
""",
    "await": """\
%%explore --seed 3 --max-schedules 50
import asyncio
counter = Counter()
async def add():
    n = counter.n
    await asyncio.sleep(0)
    counter.n = n + 1
await asyncio.gather(add(), add())
assert counter.n == 2, counter.n
""",
    "every way to wait": """\
%%explore --max-schedules 2
import asyncio
async def count():
    for number in range(2):
        await asyncio.sleep(0)
        yield number
async with asyncio.timeout(1):
    async for number in count():
        pass
assert [number async for number in count()] == [0, 1]
""",
    "text": '''\
%%explore --max-schedules 2
text = """one
  two"""
assert text == "one\\n  two"
''',
    "own names": "%%explore --max-schedules 2\nthreading = None\n",
    "own names are own": "assert threading is not None and 'counter' not in globals()",
    "unknown option": "%%explore --sead 3\npass",
    "wrong number": "%%explore --seed three\npass",
    "open quotation": '%%explore --strategy "pct\npass',
    "wrong value": "%%explore --max-schedules 0\npass",
    "no statement": "%%explore\n# nothing",
    "await in a plain function": "%%explore\ndef f():\n    await g()\n",
    "wrong syntax": "%%explore\nx = 1\nif x\n",
    "unload": "from harness.ipython import unload_ipython_extension\nunload_ipython_extension(get_ipython())",
    "unloaded": "assert 'explore' not in get_ipython().magics_manager.magics['cell']",
}
REPLAY = CELLS["lost update"].replace("--seed 3 --max-schedules 50", "--replay TOKEN")
SHELL = """
import contextlib, io, json, sys
from IPython.core.interactiveshell import InteractiveShell

def run(cell):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        result = shell.run_cell(cell)
    value = result.result
    return {
        "value": str(value),
        "displayed": out.getvalue(),
        "said": err.getvalue(),
        "error": type(result.error_in_exec).__name__,
        "lines": [[event.line, event.source] for event in value.failure.execution.events] if found(value) else [],
        "token": value.failure.token if found(value) else None,
    }

def found(value):
    return getattr(value, "failure", None) is not None

shell = InteractiveShell.instance()
cells, replay = json.load(sys.stdin)
results = {name: run(cell) for name, cell in list(cells.items())[:3]}
results["replay"] = run(replay.replace("TOKEN", results["lost update"]["token"]))
results.update({name: run(cell) for name, cell in list(cells.items())[3:]})
json.dump(results, sys.stdout)
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What became of each cell."""
    finished = subprocess.run(
        [sys.executable, "-c", SHELL],
        input=json.dumps([CELLS, REPLAY]),
        capture_output=True,
        text=True,
        check=True,
        env={"IPYTHONDIR": str(tmp_path_factory.mktemp("ipython"))},
    )
    values: Results = json.loads(finished.stdout)
    return values


def test_race_between_cells_is_found(results: Results) -> None:
    assert results["lost update"]["value"].startswith("cell: FAILED, AssertionError at schedule ")


def test_options_of_the_line_reach_the_exploration(results: Results) -> None:
    assert "seed 3" in results["lost update"]["value"]


def test_result_is_displayed_once(results: Results) -> None:
    assert results["lost update"]["displayed"].count("cell: FAILED") == 1


def test_lines_and_their_source_are_those_of_the_cells(results: Results) -> None:
    lines = results["lost update"]["lines"]

    assert [8, "self.n += 1"] in lines
    assert [8, "assert counter.n == 2, counter.n"] in lines


def test_token_replays_in_the_same_cell(results: Results) -> None:
    assert results["replay"]["value"].startswith("cell: AssertionError in task 'MainThread', 1; ")


def test_cell_that_awaits_runs_in_a_loop_of_its_own(results: Results) -> None:
    result = results["await"]

    assert result["value"].startswith("cell: FAILED, AssertionError at schedule 1, ")
    assert [7, "counter.n = n + 1"] in result["lines"]
    assert [9, "assert counter.n == 2, counter.n"] in result["lines"]


def test_cell_may_wait_in_every_way_without_a_call(results: Results) -> None:
    assert results["every way to wait"]["value"].startswith("cell: PASSED, ")


def test_text_over_several_lines_keeps_its_indentation(results: Results) -> None:
    assert results["text"]["value"].startswith("cell: PASSED, ")


def test_names_assigned_in_the_cell_are_its_own(results: Results) -> None:
    assert results["own names are own"]["error"] == "NoneType"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("unknown option", "%%explore: unrecognized arguments: --sead 3; see %%explore?"),
        ("wrong number", "%%explore: argument --seed: invalid int value: 'three'; see %%explore?"),
        (
            "open quotation",
            "%%explore: '--strategy \"pct' cannot be read (No closing quotation); close the quotation",
        ),
        ("wrong value", "max_schedules=0 is below 1; pass the number of executions to run"),
        ("no statement", "a program is wanted below %%explore, there is no statement; write it there"),
        (
            "await in a plain function",
            "a program is wanted below %%explore, line 3: 'await' outside async function; correct it",
        ),
        ("wrong syntax", "a program is wanted below %%explore, line 3: expected ':'; correct it"),
    ],
)
def test_wrong_use_is_one_line_without_traceback(results: Results, cell: str, message: str) -> None:
    assert results[cell]["error"] == "UsageError"
    assert results[cell]["said"] == f"UsageError: {message}\n"
    assert "Traceback" not in results[cell]["displayed"]


def test_unloading_takes_the_magic_away(results: Results) -> None:
    assert results["unloaded"]["error"] == "NoneType"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The outputs of cells run in a kernel, whose own loop runs meanwhile."""
    sources = {name: CELLS[name] for name in ("load", "counter", "lost update")}
    sources["own task"] = "import asyncio\nmine = asyncio.create_task(asyncio.sleep(0, 'mine'))"
    sources["await"] = CELLS["await"]
    sources["own task ends"] = "await mine"
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
        for source in sources.values()
    ]
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    notebook = nbformat.from_dict(content)  # type: ignore[no-untyped-call]  # nbformat has types for few functions
    place = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(place))
        client = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(place)}})
        executed = client.execute()
    return {name: cell.outputs for name, cell in zip(sources, executed.cells, strict=True)}


def test_notebook_shows_verdict_and_picture(notebook: dict[str, Any]) -> None:
    (output,) = notebook["lost update"]

    assert output.data["text/plain"].startswith("cell: FAILED, AssertionError at schedule ")
    assert output.data["image/svg+xml"].startswith("<svg")


def test_cell_that_awaits_leaves_the_loop_of_the_notebook_alone(notebook: dict[str, Any]) -> None:
    (output,), (ended,) = notebook["await"], notebook["own task ends"]

    assert output.data["text/plain"].startswith("cell: FAILED, AssertionError at schedule 1, ")
    assert ended.data["text/plain"] == "'mine'"
