"""Ways out of the controlled world are named, with the program's own line."""

from __future__ import annotations

import asyncio
import os
import selectors
import socket
import subprocess
import sys

import pytest

from harness.explore import Verdict, explore

pytestmark = pytest.mark.portable


GO = [True]


def selector_loop():
    asyncio.SelectorEventLoop(selectors.SelectSelector())


def signal_handler():
    asyncio.new_event_loop().add_signal_handler(2, print)


@pytest.mark.parametrize(
    ("escape", "call"),
    [
        (lambda: subprocess.run([sys.executable, "-V"], check=True), "subprocess.Popen"),
        (lambda: os.system("true"), "os.system"),
        (lambda: socket.socketpair(), "socket.socketpair"),
        (signal_handler, "loop.add_signal_handler"),
    ],
)
def test_escape_is_uncontrolled_and_names_call_and_line(escape, call):
    def program():
        escape()

    result = explore(program)

    assert result.verdict is Verdict.UNCONTROLLED
    assert f"calls {call}, which leaves the controlled world, at " in result.limits[0]
    assert "test_escapes.py:" in result.limits[0]


def test_uncontrolled_execution_ends_the_exploration():
    result = explore(lambda: os.system("true"), max_schedules=50)

    assert result.schedules == 1
    assert "UNCONTROLLED" in result.summary()


def test_endless_loop_is_cut_and_named():
    def program():
        while GO:
            pass

    result = explore(program, max_schedules=1)

    assert result.verdict is Verdict.PASSED
    assert "took more than 100000 steps, at " in result.limits[0]
