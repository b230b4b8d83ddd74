"""The project's files speak of the project alone, and are finished."""

from __future__ import annotations

import re
from pathlib import Path

from .sources import ROOT

KINDS = {".py", ".md", ".ipynb", ".toml", ".cfg", ".yaml", ".svg", ".js", ""}
FOLDERS = ["harness", "tests", "notebooks", "docs", "fixtures", ".ci"]
FORBIDDEN = {
    "a path of one machine": re.compile(r"/(?:root|home|Users)/\w|/t" + r"mp/\w"),
    "a note to oneself": re.compile(r"\bT" + r"ODO\b|\bFIX" + r"ME\b|\bX" + r"XX\b"),
    "a host of a package registry": re.compile(r"py" + r"pi\.org|pythonhos" + r"ted\.org|index-" + r"url"),
}


def files() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")] + list(ROOT.glob("*.*"))
    return sorted(path for path in found if path.is_file() and path.suffix in KINDS and "__pycache__" not in path.parts)


def test_no_file_holds_what_belongs_elsewhere() -> None:
    offences = [
        f"{path.relative_to(ROOT)}: {what}: {match[0]!r}"
        for path in files()
        for what, pattern in FORBIDDEN.items()
        for match in [pattern.search(path.read_text(encoding="utf-8", errors="replace"))]
        if match is not None
    ]

    assert offences == []
