"""One program: explored, replayed, stressed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import typer

from harness.cli.exit_code import ExitCode
from harness.cli.output import discarding_output, echo_json, echo_table, replay_command, short_file
from harness.cli.program_path import load_program
from harness.explore import Execution, Exploration, Verdict, explore, replay, stress
from harness.explore.error_text import text_of

__all__ = ["explore_program", "is_interrupted", "replay_program", "stress_program"]

_EXPLAINED = 3  # lines: the accesses and what mends them


def explore_program(
    place: str,
    *,
    seed: int,
    max_schedules: int,
    strategy: str,
    instrument: Sequence[str],
    check_determinism: bool,
    as_json: bool,
) -> ExitCode:
    """Explore a program and print what was found.

    Args:
        place: ``PATH.py::FUNC`` or ``package.module::FUNC``.
        seed: As for `harness.explore`, like the other options.
        max_schedules: Most executions.
        strategy: Name of the strategy.
        instrument: Names of further modules.
        check_determinism: Run each schedule twice, and compare.
        as_json: Print one JSON object instead of text.
    """
    program = load_program(place)
    result = explore(
        program,
        seed=seed,
        max_schedules=max_schedules,
        strategy=strategy,
        instrument=instrument,
        check_determinism=check_determinism,
    )
    if as_json:
        echo_json(_exploration_json(result))
    else:
        typer.echo(_exploration_text(result, place))
    if is_interrupted(result):
        raise KeyboardInterrupt
    verdicts = {Verdict.FAILED: ExitCode.FAILED, Verdict.UNCONTROLLED: ExitCode.UNDECIDED}
    return verdicts.get(result.verdict, ExitCode.HOLDS)


def replay_program(place: str, token: str, *, instrument: Sequence[str], as_json: bool) -> ExitCode:
    """Replay a token and print the events of the execution."""
    execution = replay(load_program(place), token, instrument=instrument)
    if as_json:
        echo_json(_execution_json(execution))
    else:
        _echo_execution(execution)
    if execution.kind == "interrupted":
        raise KeyboardInterrupt
    if execution.kind in ("cut", "uncontrolled"):
        return ExitCode.UNDECIDED
    return ExitCode.HOLDS if execution.kind == "ok" else ExitCode.FAILED


def stress_program(place: str, *, runs: int, as_json: bool) -> ExitCode:
    """Run a program on real threads and print how often it failed. What it prints itself is dropped."""
    program = load_program(place)
    with discarding_output():
        report = stress(program, runs)
    if as_json:
        echo_json({**asdict(report), "errors": [{"error": error, "runs": count} for error, count in report.errors]})
    else:
        typer.echo(str(report))
        for error, count in report.errors:
            typer.echo(f"{error}: {count}")
    return ExitCode.FAILED if report.failures else ExitCode.HOLDS


def is_interrupted(result: Exploration) -> bool:
    """Whether Ctrl-C ended the exploration; it gives what it has instead of raising."""
    return result.failure is None and result.is_interrupted


def _exploration_text(result: Exploration, place: str) -> str:
    if result.failure is None:
        return str(result)
    execution = result.failure.execution
    lines = [result.summary(), *(f"limit: {limit}" for limit in result.limits), _failed(execution)]
    lines += result.failure.explain().splitlines()[:_EXPLAINED]
    lines += [str(execution.output), f"replay: {replay_command(place, result.failure.token)}"]
    return "\n".join(line for line in lines if line)


def _failed(execution: Execution) -> str:
    """Return what the failure says, and the line it comes from where there is one."""
    said = f"failed: {_describe(execution.error)}"
    at = next((event for event in reversed(execution.events) if event.kind == "error" and event.line), None)
    return said if at is None else f"{said}, at {short_file(at.file)}:{at.line} in {at.function}"


def _exploration_json(result: Exploration) -> dict[str, object]:
    failure = result.failure
    return {
        "program": result.program,
        "verdict": result.verdict.name,
        "schedules": result.schedules,
        "seed": result.seed,
        "strategy": result.strategy,
        "found_by": result.found_by or None,
        "claim": result.claim,
        "failure": None
        if failure is None
        else {
            "kind": failure.kind,
            "error": _describe(failure.error),
            "token": failure.token,
            "preemptions": failure.preemptions,
            "reachable_under_gil": failure.reachable_under_gil,
            "explanation": failure.explain(),
        },
        "races": [
            {"location": race.location, "places": [race.first.place, race.second.place]} for race in result.races
        ],
        "limits": list(result.limits),
    }


def _echo_execution(execution: Execution) -> None:
    typer.echo(str(execution))
    rows = [
        (
            event.task_name,
            f"{event.kind}, preempted" if event.preempted else event.kind,
            event.target,
            f"{short_file(event.file)}:{event.line}" if event.line else "",
            event.source,
        )
        for event in execution.events
    ]
    echo_table(("task", "kind", "target", "line", "source"), rows, unfolded="line")
    output = str(execution.output)
    if output:
        typer.echo(output)


def _execution_json(execution: Execution) -> dict[str, object]:
    return {
        "program": execution.program,
        "kind": execution.kind,
        "error": None if execution.error is None else _describe(execution.error),
        "task": execution.task,
        "preemptions": execution.preemptions,
        "events": [{**asdict(event), "source": event.source} for event in execution.events],
    }


def _describe(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {text_of(error) if error is not None else None}".rstrip(": ")
