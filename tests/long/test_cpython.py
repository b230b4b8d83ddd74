"""CPython's own tests judge the simulated primitives."""

from __future__ import annotations

import importlib.util
import sys
import warnings

import pytest
from cpython import run_module

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("test.lock_tests") is None, reason="this Python comes without CPython's own tests"
)
PROCESS = "starts or forks a process, which leaves the controlled world"
NATIVE = "looks at the interpreter's own thread structures, which tasks do not have"
ERRORS = "supposes that an exception in a thread is printed and lost; here it is a failure"
SECOND_COPY = "uses a second copy of the C module, whose blocking calls no name leads to"


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def judged(name, capsys, **options):
    tally = run_module(name, **options)
    with capsys.disabled():
        print(f"\nCPython {sys.version.split()[0]}, {name}: {tally}")
    assert tally.failed == {}
    return tally


INTERRUPT = "interrupts the main thread, which ends an exploration"
UNIX = "connects to a path of the file system, which leads out of the controlled world"
ASYNCIO = {
    **dict.fromkeys(["RunTests.test_asyncio_run_without_uncancel", "RunnerTests.test_interrupt_*"], INTERRUPT),
    "RunTests.test_loop_factory_default_event_loop": "asks for the class of the loop, which is the world's own",
    "*GatherTests.test_env_var_debug": PROCESS,
    **dict.fromkeys(["StreamTests.test_open_unix_*", "StreamTests.test_start_unix_server"], UNIX),
    "StreamTests.test_read_all_from_pipe_reader": "reads from a pipe, which leads out of the controlled world",
    "StreamTests.test_open_connection_no_loop_ssl": "has a blocking TLS server, which wants the system's sockets",
}


def judged_asyncio(name, capsys, schedules):
    tally = judged(f"test.test_asyncio.test_{name}", capsys, exclude=ASYNCIO, schedules=schedules)

    assert len(tally.excluded) <= 0.25 * (len(tally.excluded) + tally.counts.total())


@pytest.mark.parametrize("name", ["locks", "queues", "tasks", "streams"])
def test_asyncio_primitives(name, capsys):
    judged_asyncio(name, capsys, schedules=1)


@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["locks", "queues", "tasks", "streams", "timeouts", "taskgroups", "waitfor", "runners"]
)
def test_asyncio(name, capsys):
    judged_asyncio(name, capsys, schedules=20)
