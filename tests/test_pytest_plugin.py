from __future__ import annotations

import re
import subprocess
import sys

import pytest

import harness.explore  # noqa: F401 - so that not every test imports it anew

pytest_plugins = ["pytester"]

OPTIONS = ("-p", "harness.pytest_plugin", "-p", "no:cacheprovider", "-W", "error")
COUNTER = """
    import threading

    import pytest

    class Counter:
        def __init__(self, start=0):
            self.n = start

        def increment(self):
            self.n += 1

    def together(*functions):
        threads = [threading.Thread(target=function) for function in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
"""
LOST_UPDATE = (
    COUNTER
    + """
    @pytest.mark.explore(max_schedules=50)
    def test_counter():
        counter = Counter()
        together(counter.increment, counter.increment)
        print("counted", counter.n)
        assert counter.n == 2
"""
)


@pytest.fixture(autouse=True)
def _no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the other plugins of this environment from being imported anew for every test."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    """Run a test file in this process."""
    pytester.makepyfile(test_it=source)
    return pytester.runpytest_inprocess(*OPTIONS, *options)


def token_in(result: pytest.RunResult) -> str:
    found = re.search(r"--explore-replay (\S+)$", result.stdout.str(), re.MULTILINE)
    assert found is not None
    return found[1]


def test_plugin_loads_nothing_heavy() -> None:
    heavy = ("greenlet", "pandas", "harness.explore", "rich", "IPython")
    code = f"import sys, harness.pytest_plugin; print([name for name in {heavy} if name in sys.modules])"

    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert finished.stdout == "[]\n"


def test_marker_is_registered(pytester: pytest.Pytester) -> None:
    run(pytester, LOST_UPDATE, "--strict-markers", "--markers").stdout.fnmatch_lines(["@pytest.mark.explore(*): *"])


def test_unmarked_test_is_called_once(pytester: pytest.Pytester) -> None:
    result = run(pytester, "calls = []\ndef test_one():\n    calls.append(1)\n    assert calls == [1]\n")

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("capture", ["--capture=fd", "--capture=sys", "-s"])
def test_failure_report_has_summary_place_output_and_replay(pytester: pytest.Pytester, capture: str) -> None:
    result = run(pytester, LOST_UPDATE, capture)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_counter: FAILED, AssertionError at schedule *, * preemption*; "
            "strategy auto (found by random), seed 0; token h1*",
            ">       assert counter.n == 2",
            "test_it.py:24: AssertionError",
            "--- stdout ---",
            "counted 1",
            "replay: pytest test_it.py::test_counter --explore-replay h1*",
        ]
    )


def test_assertion_is_explained(pytester: pytest.Pytester) -> None:
    result = run(pytester, LOST_UPDATE)

    result.stdout.fnmatch_lines(["E       assert 1 == 2", "E        +  where 1 = <test_it.Counter object at *>.n"])


def test_laboratory_is_not_in_traceback(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        COUNTER
        + """
    def fail():
        raise ValueError("late")

    @pytest.mark.explore
    def test_thread():
        together(fail)
""",
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E       ValueError: late", "test_it.py:*: ValueError"])
    result.stdout.no_re_match_line(r".*(scheduler|threading)\.py:\d+")


def test_test_that_holds_passes(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        COUNTER
        + """
    @pytest.mark.explore(max_schedules=20)
    def test_counter():
        counter = Counter()
        together(counter.increment)
        assert counter.n == 1
""",
    )

    result.assert_outcomes(passed=1)


def test_fixtures_and_parameters_are_bound(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        COUNTER
        + """
    class TestCounter:
        @pytest.fixture
        def two(self):
            return 2

        @pytest.mark.explore(max_schedules=50)
        @pytest.mark.parametrize("start", [0, 5])
        def test_start(self, start, two):
            counter = Counter(start)
            together(counter.increment, counter.increment)
            assert counter.n == start + two
""",
    )

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["replay: pytest 'test_it.py::TestCounter::test_start[[]5[]]' --explore-replay h1*"])


def test_replay_fails_with_the_original_error(pytester: pytest.Pytester) -> None:
    token = token_in(run(pytester, LOST_UPDATE))

    result = run(pytester, LOST_UPDATE, "test_it.py::test_counter", "--explore-replay", token)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E       assert 1 == 2", "test_it.py:24: AssertionError", "counted 1"])
    result.stdout.no_fnmatch_line("*: FAILED, *")


def test_replay_where_error_does_not_come_again_passes(pytester: pytest.Pytester) -> None:
    token = token_in(run(pytester, LOST_UPDATE))
    unasserted = LOST_UPDATE.replace("self.n += 1", "self.n += 2").replace("start=0", "start=1")  # 1 + 2 is not 2 ...
    mended = unasserted.replace("self.n = start", "self.n = start - 1")  # ... but 0 + 2 is, update lost

    result = run(pytester, mended, "--explore-replay", token)

    result.assert_outcomes(passed=1)


def test_replay_with_a_token_of_another_test_fails_with_one_line(pytester: pytest.Pytester) -> None:
    token = token_in(run(pytester, LOST_UPDATE))

    result = run(pytester, LOST_UPDATE.replace("test_counter", "test_other"), "--explore-replay", token)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["a token of 'test_other' is wanted, this one belongs to another program *"])


def test_command_line_overrides_schedules_and_seed(pytester: pytest.Pytester) -> None:
    result = run(pytester, LOST_UPDATE, "--explore-seed", "9")

    result.stdout.fnmatch_lines(["test_counter: FAILED, *seed 9; *"])
    refused = run(pytester, LOST_UPDATE, "--explore-schedules", "0")
    refused.stdout.fnmatch_lines(["max_schedules=0 is below 1; pass the number of executions to run"])


def test_escape_fails_with_its_limit(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import subprocess
        import pytest

        @pytest.mark.explore
        def test_escape():
            subprocess.run(["true"])
        """,
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["limit: task 'MainThread' calls subprocess.Popen, *"])


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("(max_schedule=3)", "mark explore has no option 'max_schedule'; near: 'max_schedules', 'max_seconds'"),
        ("(3)", "mark explore wants options by name, has 3 without one; write its name before it"),
        ("(strategy='rondom')", "strategy='rondom' is unknown; pass one of *"),
    ],
)
def test_wrong_option_fails_with_one_line(pytester: pytest.Pytester, mark: str, message: str) -> None:
    result = run(pytester, f"import pytest\n@pytest.mark.explore{mark}\ndef test_it(): pass\n")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_method_of_test_case_is_refused(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import unittest
        import pytest

        class TestIt(unittest.TestCase):
            @pytest.mark.explore
            def test_it(self):
                pass
        """,
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["mark explore wants a function or a method of a plain class, 'test_it' is in a *"])


def test_interrupt_ends_the_session(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pathlib
        import signal
        import pytest

        @pytest.mark.explore
        def test_interrupted():
            if not pathlib.Path("sent").exists():
                pathlib.Path("sent").touch()
                signal.getsignal(signal.SIGINT)(signal.SIGINT, None)
        """
    )

    result = pytester.runpytest_subprocess(*OPTIONS)

    assert result.ret == pytest.ExitCode.INTERRUPTED


LOST_BETWEEN_TASKS = """
    import asyncio
    import pytest

    @pytest.mark.explore(max_schedules=10)
    async def test_counter():
        async def increment():
            nonlocal n
            seen = n
            await asyncio.sleep(0)
            n = seen + 1

        n = 0
        await asyncio.gather(increment(), increment())
        assert n == 2
"""
RUNS_ASYNC_TESTS = '''
    import asyncio, functools, inspect
    import pytest

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(pyfuncitem):
        """As anyio's plugin."""
        if inspect.iscoroutinefunction(pyfuncitem.obj):
            asyncio.run(pyfuncitem.obj())
            return True

    class Synchronized(pytest.Function):
        """As pytest-asyncio's."""

        def runtest(self):
            with asyncio.Runner() as runner:
                function, _ = self.obj, runner.get_loop()
                self.obj = functools.wraps(function)(lambda: runner.run(function()))
                super().runtest()

    def pytest_pycollect_makeitem(collector, name, obj):
        if name.startswith("test_") and {wraps}:
            return Synchronized.from_parent(collector, name=name)
'''


@pytest.mark.parametrize("wraps", [False, True])
def test_async_test_is_explored_where_a_plugin_runs_such_tests_itself(pytester, wraps):
    pytester.makepyfile(runs_async_tests=RUNS_ASYNC_TESTS.replace("{wraps}", str(wraps)))
    pytester.syspathinsert()

    result = run(pytester, LOST_BETWEEN_TASKS, "-p", "runs_async_tests")

    result.stdout.fnmatch_lines(["test_counter: FAILED, AssertionError at schedule 1, *"])
    assert token_in(result)
