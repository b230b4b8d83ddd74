"""Tokens written by this interpreter replay in every other CPython found: the same failure, the same events."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_NEEDED = "import greenlet, immutables, yaml, pydantic"
_TELL = "import sys, sysconfig; print(*sys.version_info[:2], bool(sysconfig.get_config_var('Py_GIL_DISABLED')))"


def pythons() -> dict[str, str]:
    """Return paths of other CPythons from 3.11 on, by version: named in HARNESS_PYTHONS, on the PATH, in pyenv."""
    named = os.environ.get("HARNESS_PYTHONS", "").split(":")
    on_path = [shutil.which(f"python3.{minor}") for minor in range(11, 20)]
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found: dict[str, str] = {}
    for path in [*named, *on_path, *map(str, sorted(kept.glob("*/bin/python3")))]:
        done = subprocess.run([path, "-c", _TELL], capture_output=True, text=True, check=False) if path else None
        match = re.fullmatch(r"3 (\d+) False\n", done.stdout) if done is not None else None
        if match is not None and int(match[1]) >= 11 and int(match[1]) != sys.version_info[1]:
            found.setdefault(f"3.{match[1]}", str(path))
    return found


def run(python: str, text: str) -> dict[str, dict[str, object]]:
    done = subprocess.run(
        [python, "-m", "tests.long.replaying"], cwd=_ROOT, input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, dict[str, object]] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def written():
    return run(sys.executable, "")


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    """Interpreters that can import the project: as they are, or from an environment made for them."""
    ready = {}
    for version, path in pythons().items():
        if subprocess.run([path, "-c", _NEEDED], capture_output=True, check=False).returncode:
            place = tmp_path_factory.mktemp(version)
            subprocess.run([path, "-m", "venv", place], check=True)
            path = str(place / "bin" / "python")
            subprocess.run([path, "-m", "pip", "install", "-q", str(_ROOT)], check=True)
        ready[version] = path
    return ready


@pytest.fixture(scope="module")
def differing(written, environments):
    """Names of the programs whose tokens replay otherwise, by version; those without a token are not among them."""
    tokens = json.dumps({name: entry["token"] for name, entry in written.items()})
    answers = {version: run(python, tokens) for version, python in environments.items()}
    found = [name for name, entry in written.items() if entry["token"]]
    return {version: {name for name in found if read[name] != written[name]} for version, read in answers.items()}


@pytest.mark.long
def test_tokens_replay_in_other_interpreters(written, differing, capsys):
    assert differing, "no other CPython from 3.11 on was found"
    with capsys.disabled():
        for version, names in differing.items():
            alike = len(written) - len(names)
            print(f"\n{alike} of {len(written)} tokens of {sys.version.split()[0]} replay alike on {version}")

    assert all(entry["token"] for entry in written.values())
    assert not any(differing.values()), differing
