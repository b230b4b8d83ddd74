"""A failure as a regression test, ready to paste."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from harness.explore.errors import InvalidArgumentError
from harness.explore.program import instrument_names
from harness.instrument import module_of

if TYPE_CHECKING:
    from harness.explore.failure import Failure
    from harness.explore.origin import Origin

__all__ = ["to_test", "world_options"]

_TEST = """import harness
from harness.explore import InvalidTokenError, ReplayDivergenceError
{imports}

TOKEN = "{token}"


def test_{name}_holds():
    # Failed with {error}, {preemptions}. Once the program is changed the schedule may fit no longer.
    try:
        error = harness.replay({name}, TOKEN{world}).error
    except (InvalidTokenError, ReplayDivergenceError):
        error = None
    assert error is None, error
    failure = harness.explore({name}{instrument}{world}{races}).failure
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
    places = [f"{module.__name__ if module is not None else '__main__'}.{name}", *_imported(origin)]
    return _TEST.format(
        imports="\n".join(
            f"from {home} import {what}" for home, _, what in (p.rpartition(".") for p in sorted(places))
        ),
        name=name,
        token=failure.token,
        error=type(failure.error).__name__,
        preemptions=preemptions(failure.preemptions),
        instrument=f", instrument={_listed(names)}" if names else "",
        world=world_options(origin),
        races=_races(origin) if failure.kind == "race" else "",
    )


def world_options(origin: Origin) -> str:
    """Return the options that make the world of a program, as they follow the other arguments of a call.

    Raises:
        InvalidArgumentError: one of them cannot be written down.
    """
    isolate = [each.__name__ if isinstance(each, ModuleType) else each for each in origin.isolate]
    texts = [f"isolate=[{', '.join(_text('isolate', each) for each in isolate)}]"] if isolate else []
    texts += [f"setup={_text('setup', origin.setup)}"] if origin.setup is not None else []
    texts += [f"faults=[{', '.join(_text('faults', each) for each in origin.faults)}]"] if origin.faults else []
    return "".join(f", {text}" for text in texts)


def _races(origin: Origin) -> str:
    pairs = ", ".join(f"({_quoted(place)}, {_quoted(reason)})" for place, reason in origin.allow)
    return ', races="fail"' + (f", allow=[{pairs}]" if pairs else "")


def _text(option: str, value: object) -> str:
    """Return an expression for a value."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, FunctionType) and value.__qualname__.isidentifier():
        return value.__qualname__
    if dataclasses.is_dataclass(value) and type(value).__qualname__.isidentifier():
        return repr(value)
    raise InvalidArgumentError(
        f"a test is wanted, {option} has {value!r}, which cannot be written into one; "
        "pass a name, a function or an object of a dataclass at the top of a module"
    )


def _imported(origin: Origin) -> Iterable[str]:
    """Return what the expressions name, with modules; of the laboratory's own faults the package."""
    for value in (*origin.isolate, origin.setup, *origin.faults):
        if value is not None and not isinstance(value, (str, ModuleType)):
            named = value if isinstance(value, FunctionType) else type(value)
            home = "harness.sim" if named.__module__.startswith("harness.sim.") else named.__module__
            yield f"{home}.{named.__qualname__}"


def _listed(names: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, names))}]"


def _quoted(text: str) -> str:
    return repr(text).replace("'", '"') if '"' not in text else repr(text)
