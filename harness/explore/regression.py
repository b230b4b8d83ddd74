"""A failure as a regression test, ready to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explore.errors import InvalidArgumentError
from harness.explore.program import instrument_names
from harness.instrument import module_of

if TYPE_CHECKING:
    from harness.explore.failure import Failure

__all__ = ["to_test"]

_TEST = """import harness
from harness.explore import InvalidTokenError, ReplayDivergenceError
from {module} import {name}

TOKEN = "{token}"


def test_{name}_holds():
    # Failed with {error}, {preemptions}. Once the program is changed the schedule may fit no longer.
    try:
        error = harness.replay({name}, TOKEN).error
    except (InvalidTokenError, ReplayDivergenceError):
        error = None
    assert error is None, error
    failure = harness.explore({name}{instrument}).failure
    assert failure is None, failure.explain()
"""


def to_test(failure: Failure) -> str:
    """Return the text of a module with one test."""
    from harness.explore.execution import preemptions

    origin, module = failure.origin, module_of(failure.origin.program)
    name = failure.execution.program
    if "<" in name or "." in name:
        raise InvalidArgumentError(
            f"a function at the top of a module is wanted, program {name!r} is none, so that no test can import it; "
            "move it there"
        )
    names = instrument_names(origin.instrument)
    return _TEST.format(
        module=module.__name__ if module is not None else "__main__",
        name=name,
        token=failure.token,
        error=type(failure.error).__name__,
        preemptions=preemptions(failure.preemptions),
        instrument=f", instrument={list(names)!r}".replace("'", '"') if names else "",
    )
