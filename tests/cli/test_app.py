from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import harness as package
from harness.cli import programs

from .conftest import Finished

Harness = Callable[..., Finished]
COMMANDS = ("run", "explore", "replay", "stress", "pitfalls", "graph", "impact")


def example_of(help_text: str) -> list[str]:
    """Return the words of the example below a help text."""
    return help_text[help_text.index("Example:") :].split()[2:]


@pytest.mark.parametrize("command", COMMANDS)
def test_example_in_help_runs(harness: Harness, command: str) -> None:
    words = example_of(harness(command, "--help").out)
    if "TOKEN" in words:
        found = harness("explore", "counter.py::lost_update").out
        token = re.search(r"token (\S+)", found)
        assert token is not None
        words[words.index("TOKEN")] = token[1]

    finished = harness(*words)

    assert words[0] == command
    assert finished.code in (0, 1)
    assert finished.out or finished.err


def test_help_names_every_command_and_shows_an_example(harness: Harness) -> None:
    finished = harness("--help")

    assert finished.code == 0
    assert all(f"\n  {command} " in finished.out for command in COMMANDS)
    assert harness(*example_of(finished.out)).code == 1


def test_version_is_the_package_version(harness: Harness) -> None:
    assert harness("--version") == Finished(0, f"harness {package.__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "missing command; see harness --help"),
        (("exlpore",), "no such command 'exlpore'"),
        (("explore",), "missing argument 'PROGRAM'; see harness explore --help"),
        (("explore", "counter.py::lost_update", "--sead", "1"), "no such option: --sead"),
        (("explore", "counter.py::lost_update", "--seed", "one"), "invalid value for '--seed'"),
    ],
)
def test_usage_error_is_one_plain_line(harness: Harness, words: tuple[str, ...], message: str) -> None:
    finished = harness(*words)

    assert (finished.code, finished.out) == (2, "")
    assert finished.err.startswith(f"harness: {message}")
    assert finished.err.count("\n") == 1


def test_own_bug_is_one_line_that_says_how_to_see_more(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> int:
        raise RuntimeError("impossible")

    monkeypatch.setattr(programs, "explore_program", fail)

    finished = harness("explore", "counter.py::lost_update")

    assert (finished.code, finished.out) == (70, "")
    assert finished.err == (
        "harness: RuntimeError: impossible; this is a bug of harness, report it with what HARNESS_TRACEBACK=1 shows\n"
    )
    monkeypatch.setenv("HARNESS_TRACEBACK", "1")
    assert harness("explore", "counter.py::lost_update").err.startswith("Traceback (most recent call last):")


def test_interrupt_exits_with_130(harness: Harness, workplace: Path) -> None:
    (workplace / "interrupted.py").write_text("raise KeyboardInterrupt\n")

    assert harness("explore", "interrupted.py::program") == Finished(130, "", "harness: interrupted\n")


def test_reader_that_goes_away_is_no_error(workplace: Path) -> None:
    command = f"{sys.executable} -m harness graph fleet.yaml; echo $? >&2"
    shell = subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert shell.stdout is not None
    shell.stdout.close()

    _, errors = shell.communicate()

    assert errors == "141\n"


def test_no_colour_output_has_no_escapes(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    finished = [harness("pitfalls"), harness("explore", "--help"), harness("explore")]

    assert not any("\x1b" in text or "╭" in text for each in finished for text in (each.out, each.err))


def test_output_survives_a_terminal_without_arrows(workplace: Path) -> None:
    environment = {"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "harness", "impact", "fleet.yaml", "mistral-docs"]

    finished = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)

    assert r"model scan \u2192 provider mistral-docs" in finished.stdout


def test_help_loads_nothing_heavy() -> None:
    heavy = ("pandas", "ipywidgets", "sqlalchemy", "yaml", "pydantic", "greenlet", "rich", "IPython", "pytest")
    code = (
        f"import sys; from harness.cli import main; main(['--help']); print([m for m in {heavy} if m in sys.modules])"
    )

    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert finished.stdout.splitlines()[-1] == "[]"
