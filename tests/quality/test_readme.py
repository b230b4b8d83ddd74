"""What the README shows is what happens."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import harness

from .sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTALL = ['pip install -e ".[lab]" && harness run', 'pip install -e ".[test]" && pytest']


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of the README."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """Name in the first line's comment."""
        found = re.match(r"# (\S+\.py)\n", self.text)
        return found[1] if found else None


BLOCKS = [Block(*found) for found in re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)]
COMMANDS = [line for block in BLOCKS if block.language == "sh" for line in block.text.splitlines()]
FAILING = "harness explore counter.py::lost_update"  # exit code 1 says that it found what it looked for


def block(file: str) -> Block:
    return next(found for found in BLOCKS if found.file == file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the README's files and the fixtures it mentions."""
    for found in BLOCKS:
        if found.file is not None:
            (tmp_path / found.file).write_text(found.text, encoding="utf-8")
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)


def harness_command(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(line)
    assert program == "harness"
    return run(folder, "-m", "harness", *arguments)


def test_it_is_short() -> None:
    assert len(README.splitlines()) < 200


def test_install_commands_stand_alone_below_the_virtual_environment() -> None:
    texts = [found.text.strip() for found in BLOCKS]

    assert texts[:3] == ["python3 -m venv .venv && . .venv/bin/activate", *INSTALL]


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    unknown = [found for found in BLOCKS if found.language not in {"sh", "python", "ipython", "text"}]

    assert unknown == []
    assert all(found.file is not None for found in BLOCKS if found.language == "python")


def test_every_command_line_is_run_by_a_test_or_installs() -> None:
    others = [line for line in COMMANDS if not line.startswith("harness ")]

    assert others == ["python3 -m venv .venv && . .venv/bin/activate", *INSTALL]


def test_explore_prints_what_the_readme_says(folder: Path) -> None:
    shown = next(found.text for found in BLOCKS if found.language == "text")

    done = harness_command(folder, FAILING)

    assert done.stdout == shown, done.stderr
    assert done.returncode == 1


def test_printed_replay_command_brings_the_failure_back(folder: Path) -> None:
    shown = next(found.text for found in BLOCKS if found.language == "text")
    command = re.search(r"^replay: (.+)$", shown, flags=re.MULTILINE)
    assert command is not None

    done = harness_command(folder, command[1])

    assert done.returncode == 1, done.stderr
    assert "two increments, counter at 1" in done.stdout


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("harness ") and line != FAILING])
def test_command_succeeds(line: str, folder: Path) -> None:
    done = harness_command(folder, line)

    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_python_code_runs(folder: Path) -> None:
    done = run(folder, block("look.py").file or "")

    assert done.returncode == 0, done.stderr


def test_marked_test_fails_with_a_token(folder: Path) -> None:
    done = run(folder, "-m", "pytest", "test_counter.py", "-q", "-p", "no:cacheprovider", *plugin_if_not_installed())

    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED, AssertionError" in done.stdout
    assert "--explore-replay h1" in done.stdout


def plugin_if_not_installed() -> list[str]:
    from importlib.metadata import entry_points

    return [] if entry_points(group="pytest11", name="harness") else ["-p", "harness.pytest_plugin"]


def test_notebook_cells_run(folder: Path) -> None:
    cells = [found.text for found in BLOCKS if found.language == "ipython"]
    script = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        f"for cell in {cells!r}:\n"
        "    done = shell.run_cell(cell, store_history=True)\n"
        "    done.raise_error()\n"
        "print(done.result.verdict)\n"
    )

    done = run(folder, "-c", script)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "FAILED"


def test_picture_is_that_of_the_program(folder: Path) -> None:
    script = "import harness, counter; print(harness.explore(counter.lost_update).failure.timeline().svg, end='')"
    named = re.search(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert named is not None

    done = run(folder, "-c", script)

    assert done.stdout == (ROOT / named[1]).read_text(encoding="utf-8"), done.stderr


def test_links_are_relative_and_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


ROWS = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", README, flags=re.MULTILINE))


def test_table_lists_the_catalogue() -> None:
    titles = {pitfall.id: pitfall.title for pitfall in harness.pitfalls.all()}

    assert {name: row.split(" | ")[0] for name, row in ROWS.items()} == titles


@pytest.mark.parametrize("name", list(ROWS))
def test_table_says_at_which_schedule_each_is_found(name: str) -> None:
    pitfall = harness.pitfalls.get(name)

    found = harness.explore(pitfall.broken, instrument=pitfall.instrument)

    assert found.verdict is harness.Verdict.FAILED
    assert found.schedules == int(ROWS[name].split(" | ")[1])


@pytest.mark.parametrize("name", list(ROWS))
def test_table_says_which_mended_forms_are_proved(name: str) -> None:
    pitfall = harness.pitfalls.get(name)
    said = harness.Verdict[ROWS[name].split(" | ")[2]]

    enough = 1_000 if said is harness.Verdict.PROVED else 100
    held = harness.explore(pitfall.mended, instrument=pitfall.instrument, max_schedules=enough)

    assert held.verdict is said, held.summary()


def test_every_command_is_in_the_table() -> None:
    from harness.cli.app import app

    listed = re.findall(r"^\| `harness (\w+)", README, flags=re.MULTILINE)

    assert sorted(listed) == sorted(command.name or "" for command in app.registered_commands)
