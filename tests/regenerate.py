"""Writes anew what is shown of the laboratory's own results: figures of the README, its picture, the notebooks.

``python -m tests.regenerate`` does all; ``readme``, ``picture``, ``explanations`` and ``notebooks`` name parts. Tests
compare what is committed with what happens, so run this after a change that moves a token, a count or a picture, and
read the difference before committing it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import harness

__all__ = ["main"]

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
_PICTURE = "import harness, counter; print(harness.explore(counter.lost_update).failure.timeline().svg, end='')"
_EXPLORE = ("-m", "harness", "explore", "counter.py::lost_update")


def main(names: Sequence[str]) -> None:
    """Regenerate the named parts, or all."""
    for name in names or PARTS:
        PARTS[name]()


def readme() -> None:
    """Put the output of the command and what becomes of the catalogue into the README."""
    text = README.read_text(encoding="utf-8")
    shown = next(found for found in _BLOCK.finditer(text) if found[1] == "text")
    text = text[: shown.start(2)] + _run_beside_readme(*_EXPLORE) + text[shown.end(2) :]
    for pitfall in harness.pitfalls.all():
        found = harness.explore(pitfall.broken, instrument=pitfall.instrument)
        held = harness.explore(pitfall.mended, instrument=pitfall.instrument)
        row = rf"^(\| `{pitfall.id}` \| [^|]+ \| )\d+ \| \w+ "
        text = re.sub(row, rf"\g<1>{found.schedules} | {held.verdict} ", text, flags=re.MULTILINE)
    README.write_text(text, encoding="utf-8")


def picture() -> None:
    """Draw the README's picture."""
    (ROOT / "docs/lost_update.svg").write_text(_run_beside_readme("-c", _PICTURE), encoding="utf-8")


def explanations() -> None:
    """Write what is said of each pitfall; to be read before it is committed."""
    for pitfall in harness.pitfalls.all():
        failure = harness.explore(pitfall.broken, instrument=pitfall.instrument).failure
        assert failure is not None
        file = ROOT / f"tests/explore/expected/{pitfall.id}.txt"
        if file.exists():  # one that was read before; a new one is made by hand
            file.write_text(f"{failure.explain()}\n", encoding="utf-8")


def notebooks() -> None:
    """Run the notebooks afresh."""
    subprocess.run([sys.executable, str(ROOT / "notebooks/normalise.py")], check=True, env=_environment())


def _run_beside_readme(*arguments: str) -> str:
    """Run Python in a folder with the files that the README shows; return what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        for found in _BLOCK.finditer(README.read_text(encoding="utf-8")):
            file = re.match(r"# (\S+\.py)\n", found[2])
            if file:
                (Path(folder) / file[1]).write_text(found[2], encoding="utf-8")
        command = [sys.executable, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=_environment())
        assert done.stdout, done.stderr
        return done.stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


PARTS: dict[str, Callable[[], None]] = {
    "readme": readme,
    "picture": picture,
    "explanations": explanations,
    "notebooks": notebooks,
}

if __name__ == "__main__":
    main(sys.argv[1:])
