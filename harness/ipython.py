"""IPython extension: ``%load_ext harness`` brings ``%%explore``, which explores the cell's body.

The body becomes a function without arguments whose globals are the notebook's, so that it sees what other cells define;
what it assigns is its own. Its first line is that of the magic, so that line numbers are those of the cell. A body that
awaits becomes a coroutine function, run in a loop of its own: the notebook's takes no part in the exploration.
"""

from __future__ import annotations

import argparse
import ast
import shlex
from typing import TYPE_CHECKING, NoReturn, final

from IPython.core.error import UsageError

from harness.explore import Execution, Exploration, ExploreError, explore, replay
from harness.instrument import InstrumentError
from harness.sim import SimError

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["explore_cell", "load_ipython_extension", "make_program", "unload_ipython_extension"]

_MAGIC = "explore"


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Register ``%%explore``; called by ``%load_ext harness``."""

    def magic(line: str, cell: str) -> Exploration | Execution:
        return explore_cell(ipython, line, cell)

    magic.__doc__ = f"Run the cell's body under many schedules of its threads.\n\n{_parser().format_help()}"
    ipython.magics_manager.register_function(magic, magic_kind="cell", magic_name=_MAGIC)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Take ``%%explore`` away."""
    ipython.magics_manager.magics["cell"].pop(_MAGIC, None)


def explore_cell(shell: InteractiveShell, line: str, cell: str) -> Exploration | Execution:
    """Run the cell's body under many schedules of its threads, and return what was found.

    Args:
        shell: The notebook's.
        line: Options, as after ``%%explore``.
        cell: The program.

    Raises:
        UsageError: an option or the program cannot be used.
    """
    options = _parser().parse_args(_words(line))
    program = make_program(shell, cell)
    try:
        if options.replay is not None:
            return replay(program, options.replay, instrument=options.instrument)
        return explore(
            program,
            seed=options.seed,
            max_schedules=options.max_schedules,
            strategy=options.strategy,
            instrument=options.instrument,
        )
    except (ExploreError, InstrumentError, SimError) as error:
        raise UsageError(str(error)) from error


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"%%explore: {line.strip()!r} cannot be read ({error}); close the quotation") from error


def make_program(shell: InteractiveShell, cell: str) -> Callable[[], object]:
    """Return a cell's body as a function in the notebook's namespace, its source known to ``linecache``.

    Raises:
        UsageError: the body is empty, or not that of a Python function.
    """
    defined: dict[str, Callable[[], object]] = {}
    try:
        tree = ast.parse(f"\n{cell}")  # the magic's line counts
        if not tree.body:
            raise UsageError("a program is wanted below %%explore, there is no statement; write it there")
        source = _as_function(_indented(cell, tree))
        code = shell.compile(source, shell.compile.cache(source, shell.execution_count), "exec")
    except SyntaxError as error:
        fault = f"line {error.lineno}: {error.msg}"
        raise UsageError(f"a program is wanted below %%explore, {fault}; correct it") from error
    exec(code, shell.user_ns, defined)  # noqa: S102 - running what a cell holds is the purpose of a shell
    return defined["cell"]


def _as_function(body: str) -> str:
    """Return the source of a function with this body, of a coroutine function where no other can have it."""
    source = f"def cell():\n{body}\n"
    try:
        compile(source, "<cell>", "exec")
    except SyntaxError:
        return f"async {source}"
    return source


def _indented(cell: str, tree: ast.Module) -> str:
    """Return the body one level deeper; lines that begin inside a string stay as they are."""
    inside = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno is not None
        for line in range(node.lineno + 1, node.end_lineno + 1)
    }
    lines = enumerate(cell.split("\n"), 2)
    return "\n".join(line if number in inside else f"    {line}" for number, line in lines)


@final
class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%%explore: {message}; see %%explore?")


def _parser() -> _Parser:
    parser = _Parser(prog=f"%%{_MAGIC}", usage="%(prog)s [options]", add_help=False)
    parser.add_argument("--seed", type=int, default=0, help="start of the random stream")
    parser.add_argument("--max-schedules", type=int, default=1_000, metavar="N", help="most executions")
    parser.add_argument(
        "--strategy",
        default="auto",
        metavar="NAME",
        help="who goes on at each choice: auto, random, pct, pos, surw, delay, preemption or dpor",
    )
    parser.add_argument("--instrument", action="append", default=[], metavar="MODULE", help="instrument it too")
    parser.add_argument("--replay", metavar="TOKEN", help="replay this token instead")
    return parser
