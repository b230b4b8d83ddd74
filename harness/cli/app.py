"""The commands with their arguments and options, and how errors become messages and exit codes.

Help must come at once: what a command needs is imported when it is called.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

import typer

from harness import __version__
from harness.cli.errors import WrongUseError
from harness.cli.exit_code import ExitCode

__all__ = ["app", "main"]

_TRACEBACK: Final = "HARNESS_TRACEBACK"  # environment variable: show our own bugs in full

_USAGE_ERROR: Final[type[Exception]] = typer.BadParameter.__mro__[1]  # typer does not export its UsageError

app = typer.Typer(name="harness", add_completion=False, rich_markup_mode=None)

Program = Annotated[str, typer.Argument(metavar="PROGRAM", help="PATH.py::FUNC or package.module::FUNC.")]
Fleet = Annotated[str, typer.Argument(metavar="FLEET", help="Fleet file (.yaml) or model catalogue (.csv).")]
Seed = Annotated[int, typer.Option("--seed", help="Start of the random stream; equal seeds give equal results.")]
MaxSchedules = Annotated[int, typer.Option("--max-schedules", help="Most executions of a program.")]
Strategy = Annotated[
    str, typer.Option("--strategy", help="Makes the choices: auto, random, pct, pos, surw, delay, preemption, dpor.")
]
Instrument = Annotated[
    list[str] | None,
    typer.Option("--instrument", metavar="MODULE", help="Module or package to instrument too; may be repeated."),
]
Output = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Write a file; its ending says of what kind.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")]
Dark = Annotated[bool, typer.Option("--dark", help="Draw an .svg for a dark ground.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def _example(arguments: str) -> str:
    return f"\b\nExample:\n  harness {arguments}"


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"harness {__version__}")
        raise typer.Exit


@app.callback(epilog=_example("explore counter.py::lost_update"))
def _harness(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find, replay and explain races in Python programs and provider registries.

    Exit codes: 0 holds, 1 a failure was found, 2 wrong use, 3 not decided, 70 a bug of harness, 130 interrupted.
    """


@app.command("run", epilog=_example("run lost-update --max-schedules 200"))
def _run(
    pitfall: Annotated[list[str] | None, typer.Argument(metavar="[PITFALL]...", help="Ids; all if none.")] = None,
    seed: Seed = 0,
    max_schedules: MaxSchedules = 1_000,
    strategy: Strategy = "auto",
    instrument: Instrument = None,
    as_json: Json = False,
) -> int:
    """Put the catalogue of pitfalls to the proof.

    Every broken form must be found, every mended one must hold. The broken forms also run natively, to see how rarely
    chance finds them.
    """
    from harness.cli.run import Options, run_catalogue

    options = Options(seed, max_schedules, strategy, tuple(instrument or ()))
    return run_catalogue(pitfall or (), options, as_json=as_json)


@app.command("explore", epilog=_example("explore counter.py::lost_update --max-schedules 200"))
def _explore(
    program: Program,
    seed: Seed = 0,
    max_schedules: MaxSchedules = 1_000,
    strategy: Strategy = "auto",
    instrument: Instrument = None,
    check_determinism: Annotated[
        bool, typer.Option("--check-determinism", help="Run each schedule twice; name the first step that differs.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Look for a schedule that makes a program fail.

    The program's threads run under many schedules; the first that makes it fail is reported with a token for `replay`.
    """
    from harness.cli.programs import explore_program

    return explore_program(
        program,
        seed=seed,
        max_schedules=max_schedules,
        strategy=strategy,
        instrument=instrument or (),
        check_determinism=check_determinism,
        as_json=as_json,
    )


@app.command("replay", epilog=_example("replay counter.py::lost_update TOKEN"))
def _replay(
    program: Program,
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="What a failure printed.")],
    instrument: Instrument = None,
    as_json: Json = False,
) -> int:
    """Run a program along a token's schedule.

    Lists the events. Exit code 1 says that the failure came again, 3 that the program left the schedule.
    """
    from harness.cli.programs import replay_program

    return replay_program(program, token, instrument=instrument or (), as_json=as_json)


@app.command("stress", epilog=_example("stress counter.py::lost_update --runs 500"))
def _stress(
    program: Program,
    runs: Annotated[int, typer.Option("--runs", help="Native runs.")] = 1_000,
    as_json: Json = False,
) -> int:
    """Count how often a program fails natively.

    It runs on real threads, again and again; what it prints is dropped. One that hangs hangs the command.
    """
    from harness.cli.programs import stress_program

    return stress_program(program, runs=runs, as_json=as_json)


@app.command("pitfalls", epilog=_example("pitfalls lost-update"))
def _pitfalls(pitfall: Annotated[str | None, typer.Argument(metavar="[ID]", help="Which to show.")] = None) -> int:
    """List the pitfalls, or show one.

    Of one: both forms, what mends it, where it was met, and what to do instead.
    """
    from harness.cli.catalogue import list_pitfalls, show_pitfall

    return list_pitfalls() if pitfall is None else show_pitfall(pitfall)


@app.command("graph", epilog=_example("graph fleet.yaml --focus triage -o fleet.svg"))
def _graph(
    fleet: Fleet,
    focus: Annotated[str | None, typer.Option("--focus", metavar="ID", help="Show what is around this entry.")] = None,
    path_to: Annotated[str | None, typer.Option("--path-to", metavar="ID", help="Show all ways from there.")] = None,
    up: Annotated[int, typer.Option("--up", help="Levels of those who need it.")] = 3,
    down: Annotated[int, typer.Option("--down", help="Levels of what it needs.")] = 3,
    output: Output = None,
    dark: Dark = False,
    force: Force = False,
) -> int:
    """Show who needs whom in a fleet.

    Prints text, or writes a file with -o: a picture (.svg), a page to click in (.html), mermaid (.mmd), a table (.csv).
    """
    from harness.cli.fleet import show_graph

    asked = {"focus": focus, "path_to": path_to, "up": up, "down": down}
    return show_graph(fleet, asked, output=output, dark=dark, force=force)


@app.command("impact", epilog=_example("impact fleet.yaml anthropic-eu"))
def _impact(
    fleet: Fleet,
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="Id of the provider.")],
    policy: Annotated[str | None, typer.Option("--policy", help="Draw what this policy would do.")] = None,
    output: Output = None,
    dark: Dark = False,
    force: Force = False,
    as_json: Json = False,
) -> int:
    """Show what removing a provider would do.

    What each policy would take along, what blocks it, and who needs the provider by which path. With -o a picture
    (.svg), a page (.html) or a table (.csv).
    """
    from harness.cli.fleet import show_impact

    return show_impact(fleet, provider, policy=policy, output=output, dark=dark, force=force, as_json=as_json)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: Words after ``harness``; those of the process if left out.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no arrow still gets the line
    command = typer.main.get_command(app)
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with command.make_context("harness", words) as context:
            code: int = command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that the flush at the interpreter's end does not fail too
        return ExitCode.READER_GONE
    except Exception as error:
        return _report(error)
    return code


def _report(error: Exception) -> ExitCode:
    """Say what is wrong and return the exit code."""
    if isinstance(error, _USAGE_ERROR):
        return _complain(_usage_message(error), ExitCode.WRONG_USE)
    for kinds, code in _expected_errors():
        if isinstance(error, kinds):
            return _complain(str(error), code)
    if os.environ.get(_TRACEBACK):
        traceback.print_exception(error)
    bug = "".join(traceback.format_exception_only(error)).strip()
    return _complain(f"{bug}; this is a bug of harness, report it with what {_TRACEBACK}=1 shows", ExitCode.OUR_BUG)


def _complain(message: str, code: ExitCode) -> ExitCode:
    typer.echo(f"harness: {message}", err=True)
    return code


def _expected_errors() -> Iterator[tuple[tuple[type[Exception], ...], ExitCode]]:
    """Yield kinds of errors that are no bug of ours, and their exit codes; the first that fits counts."""
    from harness.explore import ExploreError, ReplayDivergenceError
    from harness.instrument import InstrumentError
    from harness.pitfalls import PitfallError
    from harness.registry import RegistryError
    from harness.sim import SimError

    yield (ReplayDivergenceError,), ExitCode.UNDECIDED
    yield (WrongUseError, ExploreError, InstrumentError, PitfallError, RegistryError, SimError), ExitCode.WRONG_USE


def _usage_message(error: Any) -> str:
    """Return typer's words in the form of ours."""
    command = "harness" if error.ctx is None else error.ctx.command_path
    text = error.format_message().rstrip(".")
    return f"{text[:1].lower()}{text[1:]}; see {command} --help"
