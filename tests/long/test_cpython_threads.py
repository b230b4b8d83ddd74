"""CPython's own tests of threads, locks, queues, thread-locals and thread pools judge the simulated primitives.

Each method runs alone, and again in two tasks at once or beside a task that does something else, so that each makes
choices; taking any primitive away turns some of them red.
"""

from __future__ import annotations

import importlib.util
import queue
import sys
import threading
import time
import warnings

import pytest
from cpython import run_module

from harness.sim import locks, thread_state, threads
from harness.sim.patches import Patches
from harness.sim.task import running_task

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("test.lock_tests") is None, reason="this Python comes without CPython's own tests"
)
PROCESS = "starts or forks a process, which leaves the controlled world"
NATIVE = "looks at the interpreter's own thread structures, which tasks do not have"
ERRORS = "supposes that an exception in a thread is printed and lost; here it is a failure"
THREADING = {
    **dict.fromkeys(["AtexitTests.*", "SubinterpThreadingTests.*", "ThreadJoinOnShutdown.*"], PROCESS),
    **dict.fromkeys(["ThreadingExceptionTests.test_print*", "ThreadingExceptionTests.test_recursion*"], PROCESS),
    **{f"ThreadTests.test_{name}": PROCESS for name in ("*fork*", "final*", "import_from*", "locals_at_exit")},
    **{f"ThreadTests.test_{name}": PROCESS for name in ("*_shutdown", "start_new_thread_at*")},
    **{f"ThreadTests.test_{name}": NATIVE for name in ("PyThreadState*", "tstate_lock", "shutdown_locks")},
    "ThreadTests.test_disallow_instantiation": "checks that the class of locks cannot be called",
    "ThreadTests.test_limbo_cleanup": NATIVE,
    "CRLockTests.test_signature": "checks how the C constructor takes arguments",
    "InterruptMainTests.*": "interrupts the main thread, which ends an exploration",
    "ExceptHookTests.test_*excepthook*": ERRORS,
    "ThreadRunFail.*": ERRORS,
    "MiscTestCase.test_gh112826_missing__thread__is_main_interpreter": PROCESS,
    "MiscTestCase.test__all__": "compares the module's names with those that a world replaces",
}
STEPS = "takes more steps than an execution may"
QUEUE = {
    "*SimpleQueueTest.test_many_threads*": STEPS,
    "CSimpleQueueTest.test_reentrancy": STEPS,
    "*.test_shutdown*_all_methods_in_many_threads": STEPS,
}
LOCAL = {
    "*Test.test_threading_local_clear_race": "starts threads in C, one at a time in a process",
    "_threading_local": "a doctest, which takes standard output away from all threads",
}
POOLS = {
    **{f"ThreadPoolShutdownTest.test_{name}": PROCESS for name in ("cancel_futures_wait_false", "hang_gh*")},
    "ThreadPoolShutdownTest.test_*interpreter_shutdown": PROCESS,
    "FailingInitializerResourcesTest.*": PROCESS,
    "ThreadPoolExecutorTest.test_hang_global_shutdown_lock": PROCESS,
    "ThreadPoolExecutorTest.test_idle_thread_reuse": "supposes that a worker is idle once its result is there",
    "FutureTests.test_done_callback_raises*": "reads from standard error what is logged; here it is kept",
}
# (package or module, modules to instrument beside it, what is excluded)
FILES = {
    "threading": (["test.lock_tests"], THREADING),
    "queue": ([], QUEUE),
    "threading_local": ([], LOCAL),
}
POOL_FILES = ("thread_pool", "future", "as_completed", "wait", "shutdown", "init")
# Of these two at once would disturb each other.
ALONE = {
    "ThreadTests.test_main_thread": "asks for the main thread",
    "ThreadTests.test_name": "counts the threads of all",
    "ThreadTests.test_old_threading_api": "replaces the filters of warnings",
    "ThreadTests.test_get[pt]*": "sets a hook for the threads of all",
    "ThreadPoolFailingInitializerTest.*": "replaces the handlers of a logger",
    "ThreadPoolInitializerTest.*": "sets a name of its module to say that nothing is initialized yet",
}


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(autouse=True)
def _own_queues(monkeypatch):
    """Let the tests of queues have the library's own module, of which they make themselves a second copy."""
    test_queue = importlib.import_module("test.test_queue")
    for case in vars(test_queue).values():
        if getattr(case, "queue", None) is test_queue.c_queue:
            monkeypatch.setattr(case, "queue", queue)


def judged(name, schedules, capsys, exclude, only="*", instrument=()):
    name = f"test.test_{name}"
    tally = run_module(
        name, instrument=[name, *instrument], only=only, exclude=exclude, schedules=schedules, alone=ALONE
    )
    with capsys.disabled():
        print(f"\nCPython {sys.version.split()[0]}, {name}: {tally}")
    assert tally.failed == {}, tally.failed
    return tally


@pytest.mark.parametrize("schedules", [2, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", FILES)
def test_threads_locks_queues_and_locals(name, schedules, capsys):
    instrument, exclude = FILES[name]

    tally = judged(name, schedules, capsys, exclude, instrument=instrument)

    assert tally.share_excluded <= 0.25
    assert tally.counts["passed without choices"] == 0


@pytest.mark.parametrize("schedules", [2, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.skipif(
    importlib.util.find_spec("test.test_concurrent_futures") is None, reason="this Python comes without these tests"
)
def test_thread_pools(schedules, capsys):
    tallies = [judged(f"concurrent_futures.test_{name}", schedules, capsys, POOLS, only="[!P]*") for name in POOL_FILES]

    excluded = sum(len(tally.excluded) for tally in tallies)
    assert excluded <= 0.25 * (excluded + sum(tally.counts.total() for tally in tallies))
    assert sum(tally.counts["passed without choices"] for tally in tallies) == 0


def nothing(value=None):
    return lambda *_, **__: value


def in_tasks(mutant, simulated):
    """Return the mutant for tasks; the world itself goes on with what there was."""

    def either(*args, **kwargs):
        return (simulated if running_task() is None else mutant)(*args, **kwargs)

    return either


# What is taken away: the replaced names, and the module and methods of which some must fail then.
MUTANTS = {
    "Lock": ([(locks.Lock, "acquire", nothing(True)), (locks.Lock, "release", nothing())], "threading", "LockTests.*"),
    "RLock": (
        [(locks.RLock, name, nothing(True)) for name in ("acquire", "__enter__", "release")],
        "threading",
        "CRLockTests.*",
    ),
    "Condition.wait": ([(threading.Condition, "wait", nothing(True))], "threading", "ConditionTests.test_notify"),
    "Condition.notify": ([(threading.Condition, "notify", nothing())], "threading", "ConditionTests.test_notify"),
    "Event.wait": ([(threading.Event, "wait", nothing(True))], "threading", "EventTests.*"),
    "Semaphore.acquire": (
        [(threading.Semaphore, name, nothing(True)) for name in ("acquire", "__enter__")],
        "threading",
        "SemaphoreTests.*",
    ),
    "Barrier.wait": ([(threading.Barrier, "wait", nothing(0))], "threading", "BarrierTests.*"),
    "Thread.start": ([(threading.Thread, "start", threads._real_start)], "threading", "EventTests.test_notify"),
    "Thread.join": ([(threading.Thread, "join", nothing())], "threading_local", "ThreadLocalTest.*"),
    "sleep": ([(time, "sleep", nothing())], "threading", "BarrierTests.test_*timeout"),
    "monotonic": ([(time, "monotonic", time.monotonic)], "threading", "LockTests.*"),
    "Queue.put": ([(queue.Queue, "put", nothing())], "queue", "CQueueTest.*"),
}


@pytest.mark.parametrize("primitive", MUTANTS)
def test_taking_a_primitive_away_turns_the_run_red(primitive, monkeypatch):
    replaced, name, only = MUTANTS[primitive]
    put_in = Patches.put_in

    def put_in_mutant(patches, further):
        put_in(patches, further)
        for owner, attribute, mutant in replaced:
            patches._replace(owner, attribute, in_tasks(mutant, getattr(owner, attribute)))

    monkeypatch.setattr(Patches, "put_in", put_in_mutant)

    assert failed_in(name, only)


def test_sharing_thread_locals_turns_the_run_red(monkeypatch):
    monkeypatch.setattr(thread_state, "_offsets", nothing())

    assert failed_in("threading_local", "ThreadLocalTest.*")


def failed_in(name, only):
    instrument, exclude = FILES[name]
    name = f"test.test_{name}"
    return run_module(
        name, instrument=[name, *instrument], only=only, exclude=exclude, schedules=3, alone=ALONE, patience_s=0.5
    ).failed
