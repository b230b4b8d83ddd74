"""Output of tasks is kept per execution; only a failing one's is shown."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from sink import make_sink

from harness.explore import Verdict, explore

pytestmark = pytest.mark.portable


def test_streams_log_and_warnings_of_the_failing_execution_are_kept(capsys):
    def program():
        print("to out", flush=True)
        print("to err", file=sys.stderr)
        logging.getLogger("gateway").warning("retry %d", 3)
        warnings.warn("old option", DeprecationWarning, stacklevel=1)
        raise ValueError

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = explore(program)

    assert result.failure is not None
    output = result.failure.execution.output
    assert (output.stdout, output.stderr) == ("to out\n", "to err\n")
    assert output.log == ("WARNING:gateway:retry 3",)
    assert output.warnings == ("DeprecationWarning: old option",)
    assert capsys.readouterr() == ("", "")
    assert "to out" in str(result)


def test_output_of_executions_that_hold_is_dropped(capsys, caplog):
    def program():
        print("noise")
        logging.getLogger("gateway").error("noise")

    result = explore(program, max_schedules=3)

    assert "noise" not in str(result)
    assert capsys.readouterr() == ("", "")
    assert caplog.records == []


def test_handler_made_by_the_first_record_writes_to_nobody_else(monkeypatch, capsys):
    monkeypatch.setattr(logging.root, "handlers", [])

    def program():
        logging.warning("noise")
        raise ValueError("end")

    result = explore(program, max_schedules=3)

    assert "--- stderr ---\nWARNING:root:noise" in str(result)
    assert capsys.readouterr() == ("", "")


def test_handler_that_the_program_adds_is_called():
    def program():
        seen = []
        handler = logging.Handler()
        handler.emit = lambda record: seen.append(record.getMessage())
        logger = logging.getLogger("program under test")
        logger.addHandler(handler)
        try:
            logger.error("once")
        finally:
            logger.removeHandler(handler)
        assert seen == ["once"]

    assert explore(program, max_schedules=2).failure is None


def test_other_threads_write_where_they_always_did(capsys):
    go, done = threading.Event(), threading.Event()

    def foreign():
        go.wait()
        print("from outside")
        done.set()

    threading.Thread(target=foreign, daemon=True).start()
    explore(lambda: None, max_schedules=1, setup=lambda: (go.set(), done.wait()))

    assert capsys.readouterr().out == "from outside\n"


def test_what_tasks_say_while_they_are_ended_is_shown_to_nobody(capfd):
    def program():
        ThreadPoolExecutor(1).submit(threading.Event().wait).result()

    assert explore(program, max_schedules=1).verdict is Verdict.FAILED
    assert capfd.readouterr() == ("", "")


def test_how_the_program_wants_to_be_told_of_things_lasts_for_one_execution():
    note, kept = make_sink()

    def program():
        note(before == told())
        warnings.simplefilter("error")
        warnings.showwarning = sys.unraisablehook = sys.excepthook = print
        warnings.filters = list(warnings.filters)

    def told():
        return list(warnings.filters), sys.unraisablehook, sys.excepthook

    shown, filters, before = warnings.showwarning, warnings.filters, told()
    assert explore(program, strategy="random", max_schedules=3).verdict is Verdict.PASSED

    assert all(kept())
    assert told() == before
    assert warnings.showwarning is shown
    assert warnings.filters is filters
