"""Command line.

`app` holds the commands' arguments and turns errors into messages and exit codes. What they do is in `run` (the
catalogue put to the proof), `catalogue` (the catalogue to read), `programs` (one program) and `fleet` (a fleet file);
`program_path` finds programs, `output` prints.
"""

from __future__ import annotations

from harness.cli.app import main

__all__ = ["main"]
