"""What an exhaustive explorer must find, and the mended twins that it must prove."""

from __future__ import annotations

import asyncio
import itertools
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from xml.etree import ElementTree

import pytest

import harness
from harness import Verdict


def run_all(*bodies: Callable[[], object]) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# Two tasks under one lock, one order of which fails


class Account:
    def __init__(self, *, allowed: int) -> None:
        self.balance = 0
        self.lock = threading.Lock()
        self.refused = 0
        self.allowed = allowed

    def deposit(self) -> None:
        with self.lock:
            self.balance += 1

    def withdraw_if_enough(self) -> None:
        with self.lock:
            if self.balance >= 1:
                self.balance -= 1
            else:
                self.refused += 1


def withdraw_may_be_refused() -> None:
    account = Account(allowed=0)
    run_all(account.deposit, account.withdraw_if_enough)
    assert account.refused <= account.allowed


def refusal_is_allowed() -> None:
    account = Account(allowed=1)
    run_all(account.deposit, account.withdraw_if_enough)
    assert account.refused <= account.allowed
    assert account.balance in (0, 1)


# Two puts whose order is asserted


def puts_in_any_order() -> None:
    box: queue.Queue[int] = queue.Queue()
    run_all(lambda: box.put(1), lambda: box.put(2))
    assert box.get() == 1


def puts_in_turn() -> None:
    box: queue.Queue[int] = queue.Queue()
    is_first_in = threading.Event()

    def first() -> None:
        box.put(1)
        is_first_in.set()

    def second() -> None:
        is_first_in.wait()
        box.put(2)

    run_all(first, second)
    assert box.get() == 1


# A timer against a thread


class Session:
    def __init__(self) -> None:
        self.is_open = True
        self.lock = threading.Lock()
        self.uses = 0


def timer_closes_under_use() -> None:
    session = Session()

    def close() -> None:
        session.is_open = False

    timer = threading.Timer(1.0, close)
    timer.start()

    def use() -> None:
        if session.is_open:
            session.uses += 1
            assert session.is_open

    run_all(use)
    timer.join()


def timer_closes_under_lock() -> None:
    session = Session()

    def close() -> None:
        with session.lock:
            session.is_open = False

    timer = threading.Timer(1.0, close)
    timer.start()

    def use() -> None:
        with session.lock:
            if session.is_open:
                session.uses += 1
                assert session.is_open

    run_all(use)
    timer.join()


# A wake-up lost on a condition


class Mailbox:
    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.letters = 0


def wake_up_is_lost() -> None:
    box = Mailbox()

    def receive() -> None:
        with box.condition:
            box.condition.wait()  # the letter may have come before

    def send() -> None:
        with box.condition:
            box.letters += 1
            box.condition.notify()

    run_all(receive, send)


def wake_up_is_checked() -> None:
    box = Mailbox()

    def receive() -> None:
        with box.condition:
            while not box.letters:
                box.condition.wait()

    def send() -> None:
        with box.condition:
            box.letters += 1
            box.condition.notify()

    run_all(receive, send)


# A queue whose task_done is missed on one path


class Done:
    def __init__(self) -> None:
        self.is_over = False


def task_done_is_missed() -> None:
    jobs: queue.Queue[int] = queue.Queue()
    done = Done()

    def work() -> None:
        jobs.get()
        if not done.is_over:
            jobs.task_done()

    def give() -> None:
        jobs.put(1)
        done.is_over = True
        jobs.join()

    run_all(work, give)


def task_done_is_made() -> None:
    jobs: queue.Queue[int] = queue.Queue()
    done = Done()

    def work() -> None:
        jobs.get()
        jobs.task_done()

    def give() -> None:
        jobs.put(1)
        done.is_over = True
        jobs.join()

    run_all(work, give)


# Three locks taken in a circle


def locked_in_order(*pairs: tuple[int, int]) -> None:
    locks = [threading.Lock() for _ in range(3)]

    def take(first: int, second: int) -> Callable[[], None]:
        def body() -> None:
            with locks[first], locks[second]:
                pass

        return body

    run_all(*(take(first, second) for first, second in pairs))


def locks_in_a_circle() -> None:
    locked_in_order((0, 1), (1, 2), (2, 0))


def locks_in_one_order() -> None:
    locked_in_order((0, 1), (1, 2), (0, 2))


# A daemon that the end of the program overtakes


class Report:
    def __init__(self) -> None:
        self.is_written = self.is_asked_for = False


def daemon_fails_late() -> None:
    report = Report()

    def write() -> None:
        report.is_written = True
        raise ValueError("the disk is full")

    threading.Thread(target=write, daemon=True).start()
    report.is_asked_for = True


def daemon_is_cut_off() -> None:
    def write() -> None:
        raise ValueError("the disk is full")

    threading.Thread(target=write, daemon=True).start()


# A time-out against a hand-over


def time_out_is_no_failure() -> None:
    box: queue.Queue[int] = queue.Queue()

    def take() -> None:
        with suppress(queue.Empty):
            assert box.get(timeout=1) == 7

    run_all(take, lambda: box.put(7))


def time_out_is_not_expected() -> None:
    box: queue.Queue[int] = queue.Queue()
    run_all(lambda: box.get(timeout=1), lambda: box.put(7))


def slow_task_is_late() -> None:
    began = time.monotonic()

    def sleep() -> None:
        time.sleep(1)

    def check() -> None:
        assert time.monotonic() == began

    run_all(sleep, check)


# An asyncio.Lock held across an await, with a thread beside it


class Tally:
    def __init__(self) -> None:
        self.n, self.lock, self.is_asked = 0, asyncio.Lock(), asyncio.Event()

    def increment(self) -> None:
        self.n += 1

    async def add(self) -> None:
        async with self.lock:
            n = self.n
            await asyncio.sleep(0)
            self.n = n + 1

    async def add_for_another(self) -> None:
        await self.add()
        self.is_asked.set()


def loop_lock_keeps_no_thread_out() -> None:
    async def main() -> int:
        tally = Tally()
        thread = threading.Thread(target=tally.increment)
        thread.start()
        await tally.add()
        thread.join()
        return tally.n

    assert asyncio.run(main()) == 2


def thread_asks_the_loop() -> None:
    async def main() -> int:
        tally, loop = Tally(), asyncio.get_running_loop()

        def ask() -> None:
            asyncio.run_coroutine_threadsafe(tally.add_for_another(), loop)

        thread = threading.Thread(target=ask)
        thread.start()
        await tally.add()
        await tally.is_asked.wait()
        thread.join()
        return tally.n

    assert asyncio.run(main()) == 2


BROKEN = [
    withdraw_may_be_refused,
    puts_in_any_order,
    timer_closes_under_use,
    wake_up_is_lost,
    task_done_is_missed,
    locks_in_a_circle,
    daemon_fails_late,
    time_out_is_not_expected,
    slow_task_is_late,
    loop_lock_keeps_no_thread_out,
]
MENDED = [
    refusal_is_allowed,
    puts_in_turn,
    timer_closes_under_lock,
    wake_up_is_checked,
    task_done_is_made,
    locks_in_one_order,
    time_out_is_no_failure,
    thread_asks_the_loop,
]


@pytest.mark.parametrize("strategy", ["dpor", "auto"])
@pytest.mark.parametrize("program", BROKEN, ids=lambda program: program.__name__)
def test_broken_program_is_found_and_its_token_replays(program: Callable[[], None], strategy: str) -> None:
    result = harness.explore(program, strategy=strategy, max_schedules=200)

    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    again = harness.replay(program, result.failure.token)
    assert type(again.error) is type(result.failure.error)


@pytest.mark.parametrize("program", MENDED, ids=lambda program: program.__name__)
def test_mended_program_is_proved(program: Callable[[], None]) -> None:
    result = harness.explore(program, strategy="dpor", max_schedules=2_000)

    assert result.verdict is Verdict.PROVED, result.limits
    assert result.schedules >= (1 if program in (puts_in_turn, task_done_is_made) else 2)


def test_daemon_that_had_no_chance_to_run_withholds_the_proof() -> None:
    result = harness.explore(daemon_is_cut_off, strategy="dpor")

    assert result.verdict is Verdict.PASSED
    assert "daemon" in result.limits[0]


# Reads of a dict that is filled by key


class Table:
    def __init__(self) -> None:
        self.rows: dict[str, int] = {}


READS: dict[str, Callable[[dict[str, int]], bool]] = {
    "in": lambda rows: "a" in rows,
    "truth": lambda rows: bool(rows),
    "get": lambda rows: rows.get("a") is not None,
    "len": lambda rows: len(rows) > 0,
    "iteration": lambda rows: any(True for _ in rows),
    "subscript": lambda rows: has_row(rows),
    "items": lambda rows: list(rows.items()) != [],
}


def has_row(rows: dict[str, int]) -> bool:
    try:
        return rows["a"] == 1
    except KeyError:
        return False


@pytest.mark.parametrize("read", READS)
def test_read_of_a_filled_dict_is_seen_in_both_orders(read: str) -> None:
    look = READS[read]

    def is_there_first() -> None:
        table = Table()
        seen = []

        def store() -> None:
            table.rows["a"] = 1

        run_all(store, lambda: seen.append(look(table.rows)))
        assert seen == [True]

    def is_there_last() -> None:
        table = Table()
        seen = []

        def store() -> None:
            table.rows["a"] = 1

        run_all(store, lambda: seen.append(look(table.rows)))
        assert seen == [False]

    assert harness.explore(is_there_first, strategy="dpor").verdict is Verdict.FAILED
    assert harness.explore(is_there_last, strategy="dpor").verdict is Verdict.FAILED


def test_data_drawn_is_enumerated_and_a_draw_that_fails_is_found() -> None:
    def draws() -> None:
        size = harness.choose([0, 1, 2])
        other = harness.choose([0, 1])
        assert (size, other) != (2, 1)

    result = harness.explore(draws, strategy="dpor")

    assert result.verdict is Verdict.FAILED
    assert result.schedules == 6
    assert isinstance(harness.replay(draws, result.failure.token).error, AssertionError)  # type: ignore[union-attr]


# What a thread calls where none of it is rewritten: no hook comes before it.


def shrinks_while_it_is_read():
    items = [1, 2, 3]

    def read():
        seen = 0
        for _ in items:
            seen += 1
        assert seen == len(items)

    threads = [threading.Thread(target=read), threading.Thread(target=items.pop)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def opaque_for_both():
    tree = ElementTree.Element("fleet")
    threads = [threading.Thread(target=tree.set, args=("n", value)) for value in "12"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tree.get("n") in ("1", "2")


@pytest.mark.parametrize("strategy", ["dpor", "auto"])
def test_thread_that_calls_a_method_of_a_list_conflicts_with_who_reads_it(strategy):
    assert harness.explore(shrinks_while_it_is_read, strategy=strategy).verdict is Verdict.FAILED


@pytest.mark.parametrize("strategy", ["dpor", "auto"])
def test_thread_that_calls_what_nobody_knows_withholds_a_proof(strategy):
    result = harness.explore(opaque_for_both, strategy=strategy, max_schedules=60)

    assert result.verdict is Verdict.PASSED
    assert result.limits == ("set may do anything to an object that two tasks touch",)


# The store of what the program's own function made for a missing key comes in a later step than the look-up.


class Entry:
    def __init__(self):
        self.n = 0


def filled(make):
    def program():
        entries = defaultdict(make)
        found = []
        threads = [threading.Thread(target=lambda: found.append(entries["a"])) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 2

    return program


def test_function_that_fills_a_dict_in_several_steps_withholds_a_proof():
    result = harness.explore(filled(Entry), strategy="dpor")

    assert result.verdict is Verdict.PASSED
    assert result.limits == ("default_factory may do anything to an object that two tasks touch",)


def test_method_that_fills_a_dict_withholds_a_proof():
    def program():
        entries = defaultdict(itertools.count().__next__)
        threads = [threading.Thread(target=lambda key=key: entries[key]) for key in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(entries) == 2

    assert harness.explore(program, strategy="dpor").verdict is Verdict.PASSED


@pytest.mark.parametrize("make", [int, list, lambda: 0])
def test_function_that_fills_a_dict_at_once_withholds_none(make):
    assert harness.explore(filled(make), strategy="dpor").verdict is Verdict.PROVED
