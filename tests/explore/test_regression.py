"""A failure becomes a test that fails until the program is mended; a debugger stops inside a replay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import fifteen
import pytest

from harness.explore import InvalidArgumentError, explore

ROOT = Path(__file__).parents[2]
PROGRAM = """import threading


class Counter:
    def __init__(self):
        self.n = 0
        self.lock = threading.Lock()

    def increment(self):
        self.n += 1


def lost_update():
    counter = Counter()
    threads = [threading.Thread(target=counter.increment) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.n == 2
"""
MENDED = PROGRAM.replace("        self.n += 1\n", "        with self.lock:\n            self.n += 1\n")
MAKE = "import counting, harness; print(harness.explore(counting.lost_update).failure.to_test(), end='')"
TOKEN = "import counting, harness; print(harness.explore(counting.lost_update).failure.token, end='')"
REPLAY = "import sys, counting, harness; print(repr(harness.replay(counting.lost_update, sys.argv[1]).error))"


def run(folder, *arguments, text=""):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        input=text,
        env={"PYTHONPATH": f"{ROOT}:{folder}", "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )


def pytest_in(folder):
    """Run the made test with our plugin alone: loading all that is installed takes longer than the test."""
    return run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "harness.pytest_plugin", "test_made.py")


def test_made_test_fails_until_the_program_is_mended(tmp_path):
    (tmp_path / "counting.py").write_text(PROGRAM)
    (tmp_path / "test_made.py").write_text(run(tmp_path, "-c", MAKE).stdout)

    failing = pytest_in(tmp_path)
    assert failing.returncode == 1, failing.stdout + failing.stderr
    assert "test_lost_update_holds" in failing.stdout

    (tmp_path / "counting.py").write_text(MENDED)
    passing = pytest_in(tmp_path)
    assert passing.returncode == 0, passing.stdout + passing.stderr


def test_made_test_looks_again_where_another_fault_took_the_place_of_the_first(tmp_path):
    (tmp_path / "counting.py").write_text(PROGRAM)
    (tmp_path / "test_made.py").write_text(run(tmp_path, "-c", MAKE).stdout)
    (tmp_path / "counting.py").write_text(PROGRAM.replace("self.n += 1", "n = self.n\n        self.n = n + 1"))

    assert pytest_in(tmp_path).returncode == 1


def test_program_that_no_test_can_import_is_refused():
    def local():
        counter = fifteen.Counter()
        fifteen.together(counter.increment, counter.increment)
        assert counter.n == 2

    failure = explore(local, instrument=["fifteen"]).failure
    assert failure is not None
    with pytest.raises(InvalidArgumentError, match="a function at the top of a module is wanted"):
        failure.to_test()


@pytest.mark.parametrize("place", ["        self.n += 1\n", "    counter = Counter()\n"])
def test_debugger_stops_inside_a_replay_and_lets_it_end_as_before(tmp_path, place):
    (tmp_path / "counting.py").write_text(PROGRAM)
    token = run(tmp_path, "-c", TOKEN).stdout
    indent = place[: len(place) - len(place.lstrip())]
    (tmp_path / "counting.py").write_text(PROGRAM.replace(place, f"{indent}breakpoint()\n{place}"))

    done = run(tmp_path, "-c", REPLAY, token, text="p 'looked'\nn\nc\np 'again'\nc\nc\n")

    assert "'looked'" in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1].endswith("AssertionError()"), done.stdout + done.stderr
