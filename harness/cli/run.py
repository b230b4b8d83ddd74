"""The catalogue of pitfalls, put to the proof: every broken form must be found, every mended one must hold."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Final, final

import typer

from harness import pitfalls
from harness.cli.exit_code import ExitCode
from harness.cli.output import Progress, discarding_output, echo_json, echo_table, replay_command
from harness.cli.programs import is_interrupted
from harness.explore import Exploration, StressReport, Verdict, explore, stress
from harness.pitfalls import Pitfall

__all__ = ["CatalogueReport", "Options", "PitfallReport", "run_catalogue", "select_pitfalls", "try_pitfalls"]

_NATIVE_RUNS: Final = 1_000


@final
@dataclass(frozen=True, slots=True)
class Options:
    """What `harness.explore` is told for every pitfall. Immutable."""

    seed: int = 0
    max_schedules: int = 1_000
    strategy: str = "auto"
    instrument: tuple[str, ...] = ()
    native_runs: int = _NATIVE_RUNS


@final
@dataclass(frozen=True, slots=True)
class PitfallReport:
    """What became of one pitfall. Immutable.

    Attributes:
        pitfall: The pitfall.
        broken: Exploration of the broken form.
        mended: Exploration of the mended form.
        native: Native runs of the broken form.
        explored_s: Real seconds that both explorations took.
    """

    pitfall: Pitfall
    broken: Exploration
    mended: Exploration
    native: StressReport
    explored_s: float

    @property
    def schedules(self) -> int:
        """Executions of both explorations."""
        return self.broken.schedules + self.mended.schedules

    def to_json(self) -> dict[str, object]:
        """Return the pitfall's part of the JSON object."""
        failure = self.broken.failure
        return {
            "pitfall": self.pitfall.id,
            "broken": {
                "verdict": self.broken.verdict.name,
                "schedules": self.broken.schedules,
                "preemptions": None if failure is None else failure.preemptions,
                "token": None if failure is None else failure.token,
                "reachable_under_gil": None if failure is None else failure.reachable_under_gil,
            },
            "mended": {"verdict": self.mended.verdict.name, "schedules": self.mended.schedules},
            "native": {"runs": self.native.runs, "failures": self.native.failures},
        }

    def to_row(self) -> tuple[object, ...]:
        """Return the pitfall's row of the table."""
        failure = self.broken.failure
        broken, mended = (f"{form.verdict} ({form.schedules:,})" for form in (self.broken, self.mended))
        preemptions = "" if failure is None else f"{failure.preemptions:,}"
        native = f"{self.native.failures:,} of {self.native.runs:,}"
        return self.pitfall.id, broken, preemptions, mended, native, round(self.schedules / self.explored_s)


@final
@dataclass(frozen=True, slots=True)
class CatalogueReport:
    """What became of all. Immutable."""

    reports: tuple[PitfallReport, ...]
    seed: int

    @property
    def exit_code(self) -> ExitCode:
        """Whether the catalogue holds: a form that does the contrary weighs more than one that escaped."""
        broken = {report.broken.verdict for report in self.reports}
        mended = {report.mended.verdict for report in self.reports}
        if Verdict.FAILED in mended or broken - {Verdict.FAILED, Verdict.UNCONTROLLED}:
            return ExitCode.FAILED
        return ExitCode.UNDECIDED if Verdict.UNCONTROLLED in broken | mended else ExitCode.HOLDS

    def to_json(self) -> dict[str, object]:
        """Return the JSON object. Equal seeds give equal objects, ``native`` and ``schedules_per_s`` apart."""
        schedules = sum(report.schedules for report in self.reports)
        seconds = sum(report.explored_s for report in self.reports)
        return {
            "pitfalls": [report.to_json() for report in self.reports],
            "seed": self.seed,
            "schedules_per_s": round(schedules / seconds),
        }

    def summary(self) -> str:
        """Return one line."""
        count = len(self.reports)
        found = sum(report.broken.verdict is Verdict.FAILED for report in self.reports)
        held = sum(report.mended.verdict not in (Verdict.FAILED, Verdict.UNCONTROLLED) for report in self.reports)
        return f"{found} of {count} broken forms found, {held} of {count} mended forms hold; seed {self.seed}"


def run_catalogue(ids: Sequence[str], options: Options, *, as_json: bool) -> ExitCode:
    """Try the named pitfalls, or all, and print what became of them."""
    chosen = select_pitfalls(ids)
    progress = Progress()
    try:
        report = try_pitfalls(chosen, options, progress.show)
    finally:
        progress.clear()
    if as_json:
        echo_json(report.to_json())
    else:
        _echo_report(report)
    return report.exit_code


def select_pitfalls(ids: Sequence[str]) -> tuple[Pitfall, ...]:
    """Return the named pitfalls, each once, or all.

    Raises:
        UnknownPitfallError: there is no such pitfall.
    """
    if not ids:
        return pitfalls.all()
    return tuple(pitfalls.get(pitfall_id) for pitfall_id in dict.fromkeys(ids))


def try_pitfalls(chosen: Sequence[Pitfall], options: Options, show: Callable[[str], None]) -> CatalogueReport:
    """Explore both forms of each pitfall and run the broken one natively; several pitfalls in one process a core.

    Args:
        chosen: The pitfalls.
        options: For the explorations.
        show: Told what is going on.

    Raises:
        KeyboardInterrupt: an exploration was interrupted.
    """
    processes = min(len(chosen), os.cpu_count() or 1)
    if processes > 1:
        return CatalogueReport(tuple(_try_side_by_side(chosen, options, show, processes)), options.seed)
    reports = []
    for number, pitfall in enumerate(chosen, 1):
        heading = f"{number} of {len(chosen)}: {pitfall.id}, "
        reports.append(_try_pitfall(pitfall, options, partial(_show_after, heading, show)))
    return CatalogueReport(tuple(reports), options.seed)


def _try_side_by_side(
    chosen: Sequence[Pitfall], options: Options, show: Callable[[str], None], processes: int
) -> Iterator[PitfallReport]:
    """Yield what became of each pitfall, in their order; an interrupt ends the processes."""
    show(f"0 of {len(chosen)} tried, in {processes} processes")
    with get_context("spawn").Pool(processes, initializer=_leave_interrupts_to_parent) as pool:
        reports = pool.imap(partial(_try_pitfall, options=options), chosen)
        for number, report in enumerate(reports, 1):
            show(f"{number} of {len(chosen)} tried: {report.pitfall.id}")
            yield report


def _show_after(heading: str, show: Callable[[str], None], phase: str) -> None:
    show(heading + phase)


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _try_pitfall(pitfall: Pitfall, options: Options, show: Callable[[str], None] = lambda _: None) -> PitfallReport:
    began = time.perf_counter()
    show("exploring the broken form")
    broken = _explore(pitfall, pitfall.broken, options)
    show("exploring the mended form")
    mended = _explore(pitfall, pitfall.mended, options)
    explored_s = time.perf_counter() - began
    show("running the broken form natively")
    with discarding_output():
        native = stress(pitfall.broken, options.native_runs)
    return PitfallReport(pitfall, broken, mended, native, explored_s)


def _explore(pitfall: Pitfall, program: Callable[[], None], options: Options) -> Exploration:
    result = explore(
        program,
        strategy=options.strategy,
        max_schedules=options.max_schedules,
        seed=options.seed,
        instrument=[*pitfall.instrument, *options.instrument],
    )
    if is_interrupted(result):
        raise KeyboardInterrupt
    return result


def _echo_report(report: CatalogueReport) -> None:
    echo_table(
        (
            "pitfall",
            "broken (runs)",
            "preemptions",
            "mended (runs)",
            "failed natively",
            "runs/s",
        ),
        [pitfall.to_row() for pitfall in report.reports],
    )
    for pitfall in report.reports:
        _echo_details(pitfall.pitfall.id, pitfall.pitfall.broken, pitfall.broken)
        _echo_details(pitfall.pitfall.id, pitfall.pitfall.mended, pitfall.mended)
    typer.echo(f"\n{report.summary()}")


def _echo_details(pitfall_id: str, program: Callable[[], None], result: Exploration) -> None:
    """Print how a form's failure is replayed, or what escaped; tokens are whole, on a line of their own."""
    if result.failure is not None:
        place = f"{program.__module__}::{program.__qualname__}"
        typer.echo(f"\n{pitfall_id}, replay of a failure:\n{replay_command(place, result.failure.token)}")
    elif result.verdict is Verdict.UNCONTROLLED:
        typer.echo(f"\n{pitfall_id}, {result.summary()}")
