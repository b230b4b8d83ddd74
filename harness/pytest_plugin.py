"""Pytest plugin: a test marked ``explore`` is explored instead of called once.

``@pytest.mark.explore(**options)`` takes the options of `harness.explore`. Fixtures are set up once and bound to the
test for all its executions. The report of a failure is pytest's own of the failing execution, with the command that
replays it. The laboratory is loaded when the first marked test runs.
"""

from __future__ import annotations

import functools
import inspect
import os
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from harness.explore import Exploration, Failure

__all__ = ["pytest_addoption", "pytest_configure", "pytest_runtest_call", "pytest_runtest_setup"]

_TEST = pytest.StashKey[Callable[..., object]]()

# Frames of these files say nothing about the program.
_NOISE = (threading.__file__, *(str(Path(__file__).parent / name) for name in ("explore", "instrument", "sim")))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options for marked tests."""
    group = parser.getgroup("explore", "exploration of marked tests")
    group.addoption("--explore-replay", metavar="TOKEN", help="replay this token instead of exploring")
    group.addoption("--explore-schedules", metavar="N", type=int, help="most executions of each marked test")
    group.addoption("--explore-seed", metavar="N", type=int, help="seed of each exploration")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and ask to be called before the plugins that run async tests in a loop of their own."""
    config.addinivalue_line("markers", "explore(**options): explore the test; the options are those of harness.explore")
    config.pluginmanager.register(_Caller(), "harness-caller")  # of all that want to be first, the last to come is


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a marked method of a ``unittest.TestCase``: unittest itself would call it, once."""
    if item.get_closest_marker("explore") is None:
        return
    from unittest import TestCase

    if issubclass(getattr(item, "cls", None) or object, TestCase):
        _fail(
            f"mark explore wants a function or a method of a plain class, {item.name!r} is in a TestCase; move it out"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Keep the test as it is: some plugins put in its place, for the call, what runs it in a real loop."""
    if isinstance(item, pytest.Function):
        item.stash[_TEST] = item.obj


class _Caller:
    """Calls marked tests, by exploring them."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Explore or replay a marked test; leave others to pytest."""
        __tracebackhide__ = True
        marker = pyfuncitem.get_closest_marker("explore")
        if marker is None:
            return None
        options = _options(marker, pyfuncitem.config)
        token = pyfuncitem.config.getoption("explore_replay")
        if token is None:
            _explore(pyfuncitem, options)
        else:
            _replay(pyfuncitem, token, options)
        return True


def _options(marker: pytest.Mark, config: pytest.Config) -> dict[str, Any]:
    """Return the marker's options, those of the command line taking precedence."""
    from harness.explore import explore

    if marker.args:
        _fail(f"mark explore wants options by name, has {marker.args[0]!r} without one; write its name before it")
    known = list(inspect.signature(explore).parameters)[1:]
    for name in marker.kwargs:
        if name not in known:
            near = get_close_matches(name, known) or known
            _fail(f"mark explore has no option {name!r}; near: {', '.join(map(repr, near))}")
    given = {"max_schedules": config.getoption("explore_schedules"), "seed": config.getoption("explore_seed")}
    return {**marker.kwargs, **{name: value for name, value in given.items() if value is not None}}


def _program(item: pytest.Function) -> Callable[[], object]:
    """Return the test with its fixtures bound."""
    test = item.stash[_TEST]
    wanted = inspect.signature(test).parameters
    return functools.partial(test, **{name: value for name, value in item.funcargs.items() if name in wanted})


def _explore(item: pytest.Function, options: dict[str, Any]) -> None:
    __tracebackhide__ = True
    from harness.explore import Verdict, explore

    with _refusals():
        result = explore(_program(item), **options)
    if result.failure is not None:
        _fail(_failure_text(item, result, result.failure))
    if result.is_interrupted:
        raise KeyboardInterrupt
    if result.verdict is Verdict.UNCONTROLLED:
        _fail(str(result))


def _replay(item: pytest.Function, token: str, options: dict[str, Any]) -> None:
    __tracebackhide__ = True
    from harness.explore import replay

    with _refusals():
        known = {name: options[name] for name in ("instrument", "isolate", "setup", "faults") if name in options}
        execution = replay(_program(item), token, **known)
    sys.stdout.write(execution.output.stdout)  # into pytest's capture, like that of any test
    sys.stderr.write(execution.output.stderr)
    if execution.kind == "interrupted":
        raise KeyboardInterrupt
    if execution.error is not None:
        raise execution.error.with_traceback(_program_part(execution.error.__traceback__))
    if execution.kind != "ok":
        _fail(str(execution))


def _failure_text(item: pytest.Function, result: Exploration, failure: Failure) -> str:
    """Return summary and limits, the failing execution as pytest reports a failing test, its output, and the replay."""
    limits = [f"limit: {limit}" for limit in result.limits]
    output = str(failure.execution.output)
    path = os.path.relpath(item.path, item.config.invocation_params.dir)
    name = str(item.nodeid).partition("::")[2]
    replay = shlex.join(["pytest", f"{path}::{name}", "--explore-replay", failure.token])
    parts = ["\n".join([result.summary(), *limits]), _error_text(item, failure.error), output, f"replay: {replay}"]
    return "\n\n".join(part for part in parts if part)


def _error_text(item: pytest.Function, error: BaseException) -> str:
    traceback = _program_part(error.__traceback__)
    if traceback is None:
        from harness.explore.error_text import text_of  # the plugin is loaded with every pytest, exploring with few

        return f"{type(error).__name__}: {text_of(error)}"
    return str(item.repr_failure(pytest.ExceptionInfo.from_exception(error.with_traceback(traceback))))


def _program_part(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the laboratory's frames."""
    frames = []
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(_NOISE):
            frames.append(traceback)
        traceback = traceback.tb_next
    return functools.reduce(
        lambda rest, entry: TracebackType(rest, entry.tb_frame, entry.tb_lasti, entry.tb_lineno), reversed(frames), None
    )


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what the laboratory refuses into a failed test without a traceback."""
    from harness.explore import ExploreError
    from harness.instrument import InstrumentError
    from harness.sim import SimError

    try:
        yield
    except (ExploreError, InstrumentError, SimError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _fail(text: str) -> NoReturn:
    pytest.fail(text, pytrace=False)
