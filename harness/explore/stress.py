"""Stress: the same program on real threads, to see how rarely chance finds what exploration finds."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.explore.errors import InvalidArgumentError
from harness.explore.program import check_program, name_of, plain
from harness.instrument import module_of
from harness.sim import Isolation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StressReport", "stress"]


@dataclass(frozen=True, slots=True)
class StressReport:
    """How often a program failed on real threads. Immutable; the numbers differ from call to call.

    Attributes:
        program: Name of the program.
        runs: Native runs.
        failures: Runs in which an exception left the program or one of its threads.
        errors: (type of the exception, number of runs), most frequent first.
        switch_interval_s: Seconds after which the interpreter was asked to switch threads.
    """

    program: str
    runs: int
    failures: int
    errors: tuple[tuple[str, int], ...]
    switch_interval_s: float

    def frame(self) -> pd.DataFrame:
        """Return the exceptions as a table: ``error`` string, ``runs`` int64, most frequent first."""
        import pandas as pd

        return pd.DataFrame(list(self.errors), columns=["error", "runs"]).astype({"error": "str", "runs": "int64"})

    def __str__(self) -> str:
        return f"{self.program}: {self.failures} failures in {self.runs} native runs"


def stress(program: Callable[[], object], runs: int = 1_000, *, switch_interval_s: float = 1e-6) -> StressReport:
    """Run a program on real threads, again and again, and count how often it fails.

    State of the program's module is put back before each run, as `explore` does. A program that hangs natively hangs
    the call.

    Args:
        program: Function without arguments, with its assertions.
        runs: Native runs, at least 1.
        switch_interval_s: Seconds between the interpreter's offers to switch threads, for the time of the call.

    Raises:
        InvalidArgumentError: an argument cannot be used.
    """
    check_program(program)
    if runs < 1:
        raise InvalidArgumentError(f"{runs=} is below 1; pass the number of native runs")
    if switch_interval_s <= 0:
        raise InvalidArgumentError(f"{switch_interval_s=} is not above 0; pass seconds")
    errors = _run_natively(plain(program), runs, switch_interval_s, program)
    failures = sum(errors.values())
    return StressReport(name_of(program), runs, failures, tuple(errors.most_common()), switch_interval_s)


def _run_natively(
    program: Callable[[], object], runs: int, switch_interval_s: float, original: Callable[[], object]
) -> Counter[str]:
    module = module_of(original)
    isolation = Isolation([] if module is None else [module], [original])
    errors: Counter[str] = Counter()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(switch_interval_s)
    try:
        for _ in range(runs):
            isolation.restore()
            errors.update(_run_once(program))
    finally:
        sys.setswitchinterval(interval)
        isolation.restore()
    return errors


def _run_once(program: Callable[[], object]) -> list[str]:
    """Run once and return the type of the first exception, if there was one."""
    with _thread_errors() as errors:
        try:
            program()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever it is, it is counted
            errors.append(error)
    return [type(error).__name__ for error in errors[:1]]


@contextmanager
def _thread_errors() -> Iterator[list[BaseException]]:
    errors: list[BaseException] = []

    def note(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            errors.append(args.exc_value)

    real = threading.excepthook
    threading.excepthook = note
    try:
        yield errors
    finally:
        threading.excepthook = real
