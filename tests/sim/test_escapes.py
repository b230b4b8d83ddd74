"""Every way out of the controlled world is named with the program's own line, refused, or right; none hangs."""

from __future__ import annotations

import _thread
import asyncio
import concurrent.futures
import contextlib
import ctypes
import fcntl
import functools
import importlib
import logging
import multiprocessing
import multiprocessing.connection
import os
import platform
import queue
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sink import make_sink

from harness.explore import Verdict, explore
from harness.explore.program import make_world

pytestmark = pytest.mark.portable
GO = [True]
LOCK, RLOCK = threading.Lock(), threading.RLock()
CONDITION, EVENT = threading.Condition(), threading.Event()
SEMAPHORE, BOUNDED = threading.Semaphore(0), threading.BoundedSemaphore(1)
BARRIER = threading.Barrier(2)
QUEUE: queue.Queue[int] = queue.Queue(maxsize=1)
SIMPLE_QUEUE: queue.SimpleQueue[int] = queue.SimpleQueue()
POOL = concurrent.futures.ThreadPoolExecutor(2)
FUTURE: concurrent.futures.Future[int] = concurrent.futures.Future()
DONE: concurrent.futures.Future[int] = concurrent.futures.Future()
DONE_TOO: concurrent.futures.Future[int] = concurrent.futures.Future()
DONE.set_result(1)
DONE_TOO.set_result(2)
acquire, release, put, get = LOCK.acquire, LOCK.release, SIMPLE_QUEUE.put, SIMPLE_QUEUE.get


def together(*functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def verdict_of(program):
    return explore(program, strategy="random", max_schedules=40)


class Outside:
    """What a program may meet outside: pipes, files, a database, an OS thread that serves requests."""

    def __init__(self, folder):
        self.reading, self.writing = os.pipe()
        self.near, self.far = socket.socketpair()
        self.fifo, self.file, self.database = (str(folder / name) for name in ("fifo", "file", "database"))
        os.mkfifo(self.fifo)
        with open(self.file, "w"):
            pass
        with sqlite3.connect(self.database) as connection:
            connection.execute("create table sent (n)")
        connection.close()
        self.held = threading.Lock()
        self.held.acquire()
        self.requests = queue.Queue()
        self.used_pool = concurrent.futures.ThreadPoolExecutor(1)
        self.used_pool.submit(int).result()
        self.server = threading.Thread(target=self.serve)
        self.server.start()
        while not self.requests.not_empty._waiters:  # until it waits, with the queue unlocked
            os.sched_yield()
        with self.requests.mutex:
            pass

    def serve(self):
        for request in iter(self.requests.get, None):
            request.set()

    def close(self):
        self.requests.put(None)
        self.server.join()
        self.used_pool.shutdown()
        for end in (self.near, self.far):
            end.close()
        os.close(self.reading)
        os.close(self.writing)


@pytest.fixture
def outside(tmp_path):
    outside = Outside(tmp_path)
    yield outside
    outside.close()


def ask_server(outside):
    answered = threading.Event()
    outside.requests.put(answered)
    answered.wait()


def wait_for_descriptor(outside):
    poll = select.poll()
    poll.register(outside.reading)
    poll.poll()


def lock_file_twice(outside):
    with open(outside.file) as first, open(outside.file) as second:
        fcntl.flock(first, fcntl.LOCK_EX)
        fcntl.flock(second, fcntl.LOCK_EX)


def start_process(outside):
    multiprocessing.get_context("fork").Process(target=int).start()


def take(lock):
    with lock:
        pass


# What leads out, and how the message calls it.
ESCAPES = {
    "pipe": (lambda outside: os.read(outside.reading, 1), "calls os.read, which"),
    "pipe opened": (lambda outside: Path(outside.fifo).read_bytes(), "calls open, which"),
    "socket": (lambda outside: outside.near.recv(1), "calls socket.recv, which"),
    "connection": (lambda _: socket.create_connection(("192.0.2.1", 9)), "connects to 192.0.2.1:9, which"),
    "name of an address": (lambda _: socket.getnameinfo(("127.0.0.1", 80), 0), "calls socket.getnameinfo, which"),
    "signal handler of a loop": (
        lambda _: asyncio.new_event_loop().add_signal_handler(2, print),
        "calls loop.add_signal_handler, which",
    ),
    "queue of processes": (lambda _: multiprocessing.get_context("fork").Queue().get(), "calls os.read, which"),
    "select": (lambda outside: select.select([outside.reading], [], []), "calls select.select, which"),
    "poll": (wait_for_descriptor, "calls select.poll, which"),
    "subprocess": (lambda _: subprocess.run([sys.executable, "-V"], check=True), "calls subprocess.Popen, which"),
    "os.system": (lambda _: os.system("true"), "calls os.system, which"),
    "os.fork": (lambda _: os.fork(), "calls os.fork, which"),
    "os.posix_spawn": (lambda _: os.posix_spawn("/bin/true", ["true"], {}), "calls os.posix_spawn, which"),
    "os.waitpid": (lambda _: os.waitpid(-1, 0), "calls os.waitpid, which"),
    "multiprocessing": (start_process, "calls os.fork, which"),
    "signal handler": (lambda _: signal.signal(signal.SIGUSR1, signal.SIG_IGN), "calls signal.signal, which"),
    "signal timer": (lambda _: signal.alarm(60), "calls signal.alarm, which"),
    "signal wait": (lambda _: signal.pause(), "calls signal.pause, which"),
    "interrupt": (lambda _: _thread.interrupt_main(), "calls _thread.interrupt_main, which"),
    "selector loop": (lambda _: asyncio.SelectorEventLoop(select), "makes a"),
    "file lock": (lock_file_twice, "waits in fcntl.flock for a file that is locked"),
    "lock held outside, in C": (
        lambda outside: functools.partial(outside.held.acquire)(),
        "waits for a real Lock held outside the exploration",
    ),
    "lock held outside": (lambda outside: take(outside.held), "waits for a real Lock held outside the exploration"),
    "thread outside": (ask_server, "started outside the exploration"),
    "pool with threads outside": (
        lambda outside: outside.used_pool.submit(int).result(),
        "submits to a ThreadPoolExecutor whose threads were started outside the exploration",
    ),
}


@pytest.mark.parametrize("way", ESCAPES)
def test_way_out_is_uncontrolled_and_names_call_and_line(way, outside):
    leave, call = ESCAPES[way]

    def program():
        leave(outside)

    result = verdict_of(program)

    assert result.verdict is Verdict.UNCONTROLLED, str(result)
    assert call in result.limits[0]
    assert "test_escapes.py:" in result.limits[0]
    assert result.schedules == 1
    assert "UNCONTROLLED" in result.summary()


def test_what_is_captured_by_a_default_of_the_library_is_itself_again_afterwards():
    functions = [multiprocessing.connection.Connection._recv, multiprocessing.connection.Connection._send]
    before = [function.__defaults__ for function in functions]
    note, noted = make_sink()

    def program():
        note([function.__defaults__ for function in functions])

    verdict_of(program)

    assert before == [(os.read,), (os.write,)]
    assert all(defaults not in before for within in noted() for defaults in within)
    assert noted()
    assert [function.__defaults__ for function in functions] == before


def lock_database_twice(outside):
    first = sqlite3.connect(outside.database)
    first.execute("begin exclusive")
    second = sqlite3.connect(outside.database, timeout=1)
    try:
        together(lambda: second.execute("begin exclusive"))
    finally:
        first.close()
        second.close()


# What no name leads to: the watchdog's, which names the line.
STUCK = {
    "sleep in C": lambda _: ctypes.CDLL(None).usleep(900_000),
    "database": lock_database_twice,
}


@pytest.mark.parametrize("way", STUCK)
def test_way_out_in_native_code_is_ended_by_the_watchdog(way, outside):
    leave = STUCK[way]

    def program():
        leave(outside)

    with make_world(program, (), patience_s=0.2) as world:
        outcome = world.execute(lambda candidates, current: current if current in candidates else candidates[0])

    assert outcome.kind == "uncontrolled"
    assert outcome.text.startswith("no scheduling point for 0.2 s: a task waits or computes out of sight, at ")
    assert "test_escapes.py:" in outcome.text


def use_lock():
    state = {"n": 0}

    def add():
        with LOCK:
            state["n"] = state["n"] + 1

    together(add, add)
    assert state["n"] == 2


def use_names_of_methods():
    state = {"n": 0}

    def add():
        acquire()
        state["n"] = state["n"] + 1
        put(state["n"])
        release()

    together(add, add)
    assert sorted([get(), get()]) == [1, 2]


def use_rlock():
    state = {"n": 0}

    def add():
        with RLOCK, RLOCK:
            state["n"] = state["n"] + 1

    together(add, add)
    assert state["n"] == 2


def use_condition():
    state = {"n": 0}

    def wait():
        with CONDITION:
            CONDITION.wait_for(lambda: state["n"])

    def tell():
        with CONDITION:
            state["n"] = 1
            CONDITION.notify()

    together(wait, tell)


def use_event_and_semaphores():
    def wait():
        EVENT.wait()
        SEMAPHORE.acquire()
        with BOUNDED:
            pass

    def tell():
        EVENT.set()
        SEMAPHORE.release()

    together(wait, tell)
    EVENT.clear()


def use_barrier():
    together(BARRIER.wait, BARRIER.wait)


def use_queue():
    got = []
    together(lambda: [QUEUE.put(n) for n in range(3)], lambda: [got.append(QUEUE.get()) for _ in range(3)])
    assert got == [0, 1, 2]


def use_simple_queue():
    got = []
    together(
        lambda: [SIMPLE_QUEUE.put(n) for n in range(3)], lambda: [got.append(SIMPLE_QUEUE.get()) for _ in range(3)]
    )
    assert got == [0, 1, 2]
    with pytest.raises(queue.Empty):
        SIMPLE_QUEUE.get(timeout=1)
    SIMPLE_QUEUE.put(4)  # not there in the next execution


def use_several_futures():
    together(*[lambda: concurrent.futures.wait([DONE, DONE_TOO], timeout=1)] * 2)
    together(*[lambda: list(concurrent.futures.as_completed([DONE, DONE_TOO]))] * 2)


def use_pool():
    assert list(POOL.map(abs, [-1, -2, -3])) == [1, 2, 3]
    POOL.shutdown()  # open again in the next execution


def use_future():
    together(lambda: FUTURE.set_result(1), lambda: FUTURE.result())
    assert FUTURE.result(timeout=1) == 1


class Cached:
    computed = 0

    @functools.cached_property
    def value(self):
        Cached.computed = Cached.computed + 1
        return Cached.computed


def use_cached_property():
    Cached.computed, cached, values = 0, Cached(), []
    together(lambda: values.append(cached.value), lambda: values.append(cached.value))
    if sys.version_info < (3, 12):  # later ones compute without a lock
        assert (values, Cached.computed) == ([1, 1], 1)


class Log(logging.Handler):
    inside = most = 0

    def emit(self, record):
        self.inside = self.inside + 1
        self.most = max(self.most, self.inside)
        self.inside = self.inside - 1


OLD_LOG = Log()


def use_logging_handler():
    for handler in (OLD_LOG, Log()):
        record = logging.makeLogRecord({})
        together(lambda: handler.handle(record), lambda: handler.handle(record))  # noqa: B023 - joined in the iteration
        assert handler.most == 1


def use_imports():
    def load():
        sys.modules.pop("colorsys", None)
        assert importlib.import_module("colorsys").rgb_to_hls(0, 0, 0) == (0, 0, 0)
        import colorsys

        assert colorsys.ONE_THIRD

    together(load, load)


def look_for_ended_children():
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG) == (0, 0)


def use_regular_file():
    with open(__file__, "rb") as file:
        assert os.read(file.fileno(), 3) == b'"""'


@pytest.mark.parametrize(
    "program",
    [
        *(use_lock, use_names_of_methods, use_rlock, use_condition, use_event_and_semaphores, use_barrier, use_queue),
        *(
            use_simple_queue,
            use_several_futures,
            use_pool,
            use_future,
            use_cached_property,
            use_logging_handler,
            use_imports,
        ),
        *(look_for_ended_children, use_regular_file),
    ],
)
def test_what_was_made_before_the_world_is_right_in_it(program):
    result = verdict_of(program)

    assert result.verdict is Verdict.PASSED, str(result)
    assert result.limits == ()


def pass_items(items):
    got = []
    together(lambda: items.put(1), lambda: items.put(2), lambda: got.append(items.get()))
    items.get()


def wait_for_news(condition):
    news = []

    def wait():
        with condition:
            condition.wait_for(lambda: news)

    def tell():
        with condition:
            news.append(1)
            condition.notify()

    together(wait, tell)


def use_up_pool(pool):
    last = [pool.submit(abs, -1), pool.submit(abs, -2)][-1]
    pool.shutdown()
    assert last.result() == 2


def new_pool():
    return concurrent.futures.ThreadPoolExecutor(1)


@pytest.mark.parametrize(
    ("use", "make"),
    [(pass_items, queue.SimpleQueue), (wait_for_news, threading.Condition), (use_up_pool, new_pool)],
)
def test_what_was_made_before_the_world_declares_its_steps_as_what_is_made_in_it(use, make):
    before = make()

    new = explore(lambda: use(make()), strategy="dpor")
    old = explore(lambda: use(before), strategy="dpor")

    assert new.verdict is old.verdict is Verdict.PROVED
    assert old.schedules == new.schedules > 1


def test_endless_loop_is_cut_and_named():
    def program():
        while GO:
            pass

    result = explore(program, max_schedules=1)

    assert result.verdict is Verdict.PASSED
    assert "took more than 100000 steps, at " in result.limits[0]
    assert "test_escapes.py:" in result.limits[0]


def test_what_the_interpreter_runs_on_is_asked_of_the_system_inside_a_world(monkeypatch):
    monkeypatch.setattr(platform, "_uname_cache", None)
    monkeypatch.setattr(platform, "_platform_cache", {})

    result = verdict_of(lambda: platform.uname().processor + platform.platform())

    assert result.verdict is Verdict.PASSED, str(result)
