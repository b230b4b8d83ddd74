"""What the commands print: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final, final

import typer

__all__ = ["Progress", "discarding_output", "echo_json", "echo_table", "replay_command", "short_file"]

_CLEAR_LINE: Final = "\r\x1b[2K"
_WIDEST: Final = 10_000  # columns; no row of ours is longer


def echo_json(value: object) -> None:
    """Print one JSON object."""
    typer.echo(json.dumps(value, indent=2))


def echo_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, unfolded: str = "") -> None:
    """Print a table. In a terminal wide cells are folded, never cut; elsewhere a row is one line, for ``grep``.

    Args:
        columns: Headings.
        rows: Cells, as many as there are headings; whole numbers are set to the right.
        unfolded: Heading of the column that is not even folded; the first one if left out.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    cells = [list(row) for row in rows]
    for position, column in enumerate(columns):
        table.add_column(
            column,
            overflow="fold",
            no_wrap=column == (unfolded or columns[0]),
            min_width=max(map(len, column.split())),
            justify="right" if cells and all(isinstance(row[position], int) for row in cells) else "left",
        )
    for row in cells:
        table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))  # no markup
    is_folded = sys.stdout.isatty() or "COLUMNS" in os.environ
    Console(width=None if is_folded else _WIDEST, highlight=False).print(table, crop=False)


def replay_command(place: str, token: str) -> str:
    """Return the command that replays a token, ready for a shell."""
    return shlex.join(["harness", "replay", place, token])


def short_file(file: str) -> str:
    """Return a file's path as seen from the working directory, if it is below it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


@contextmanager
def discarding_output() -> Iterator[None]:
    """Drop what the program prints: of a thousand native runs nobody can read it."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


@final
class Progress:
    """Tells on standard error what is going on: in a terminal on one line, elsewhere line by line. Confined.

    Writes only when told, from the calling thread: a thread of its own would disturb the native runs.
    """

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def show(self, text: str) -> None:
        """Replace what is shown."""
        sys.stderr.write(f"{_CLEAR_LINE}{text}" if self._is_live else f"{text}\n")
        sys.stderr.flush()

    def clear(self) -> None:
        """Show nothing any more."""
        if self._is_live:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()
