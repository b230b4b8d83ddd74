"""The catalogue of pitfalls, for reading."""

from __future__ import annotations

import typer

from harness import pitfalls
from harness.cli.exit_code import ExitCode
from harness.cli.output import echo_table
from harness.pitfalls import Pitfall

__all__ = ["list_pitfalls", "show_pitfall"]


def list_pitfalls() -> ExitCode:
    """Print all pitfalls, in teaching order."""
    echo_table(("pitfall", "family", "title"), [(item.id, item.family, item.title) for item in pitfalls.all()])
    return ExitCode.HOLDS


def show_pitfall(pitfall_id: str) -> ExitCode:
    """Print both forms of a pitfall, what mends it, where it was met, and what to do instead.

    Raises:
        UnknownPitfallError: no pitfall has this id.
    """
    typer.echo(_description(pitfalls.get(pitfall_id)))
    return ExitCode.HOLDS


def _description(pitfall: Pitfall) -> str:
    broken, mended = pitfall.sources()
    sections = {"broken": broken, "mended": mended, "what mends it": pitfall.diff()}
    parts = [f"{pitfall.id}: {pitfall.title}", f"family: {pitfall.family}\norigin: {pitfall.origin}"]
    parts += [f"--- {name} ---\n{text.strip()}" for name, text in sections.items()]
    return "\n\n".join([*parts, f"lesson: {pitfall.lesson}"])
