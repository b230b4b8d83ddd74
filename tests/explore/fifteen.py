"""Fifteen small programs with a failure each, to shrink."""

from __future__ import annotations

import queue
import threading
import time


def together(*functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Counter:
    def __init__(self):
        self.n = 0

    def increment(self):
        self.n += 1


def lost_update():
    counter = Counter()
    together(counter.increment, counter.increment)
    assert counter.n == 2


def lost_update_of_three():
    counter = Counter()
    together(counter.increment, counter.increment, counter.increment)
    assert counter.n == 3


def lost_update_in_loops():
    counter = Counter()

    def five():
        for _ in range(5):
            counter.increment()

    together(five, five)
    assert counter.n == 10


def all_but_one_lost():
    counter = Counter()

    def twice():
        counter.increment()
        counter.increment()

    together(twice, twice)
    assert counter.n > 2


def lazy_init():
    state = {"ready": False}
    table = {}
    seen = []

    def get():
        if not state["ready"]:
            state["ready"] = True
            table["mail"] = 1
        seen.append(table.get("mail"))

    together(get, get)
    assert seen == [1, 1]


def check_then_act():
    seats = {"left": 1}

    def book():
        if seats["left"] > 0:
            seats["left"] -= 1

    together(book, book)
    assert seats["left"] == 0


def torn_read():
    pair = {"x": 0, "y": 0}
    seen = []

    def write():
        pair["x"] = 1
        pair["y"] = 1

    def read():
        seen.append((pair["x"], pair["y"]))

    together(write, read)
    assert seen[0] in {(0, 0), (1, 1)}


def made_twice():
    made = []
    cache = {}

    def get():
        if "client" not in cache:
            made.append("client")
            cache["client"] = len(made)

    together(get, get)
    assert made == ["client"]


def crossed_locks():
    first, second = threading.Lock(), threading.Lock()

    def forth():
        with first, second:
            pass

    def back():
        with second, first:
            pass

    together(forth, back)


def dining(philosophers):
    forks = [threading.Lock() for _ in range(philosophers)]

    def philosopher(seat):
        def dine():
            with forks[seat], forks[(seat + 1) % philosophers]:
                pass

        return dine

    together(*map(philosopher, range(philosophers)))


def dining_of_three():
    dining(3)


def withdraw_before_deposit():
    account = {"balance": 0}
    lock = threading.Lock()
    refused = []

    def deposit():
        with lock:
            account["balance"] += 10

    def withdraw():
        with lock:
            if account["balance"] < 10:
                refused.append(account["balance"])

    together(deposit, withdraw)
    assert refused == []


def order_of_puts():
    line = queue.Queue()
    together(lambda: line.put(1), lambda: line.put(2))
    assert [line.get(), line.get()] == [1, 2]


def lost_wake_up():
    condition = threading.Condition()
    state = {"full": False}

    def consumer():
        if not state["full"]:
            with condition:
                condition.wait()

    def producer():
        state["full"] = True
        with condition:
            condition.notify()

    together(consumer, producer)


def time_out_too_short():
    done = threading.Event()
    late = []

    def wait():
        late.append(not done.wait(1.0))

    def work():
        time.sleep(0.1)
        done.set()

    together(wait, work)
    assert late == [False]


def used_after_close():
    client = {"open": True}
    together(lambda: check_and_call(client), lambda: client.update(open=False))


def check_and_call(client):
    if client["open"]:
        assert client["open"], "closed in the middle of a call"


PROGRAMS = (
    lost_update,
    lost_update_of_three,
    lost_update_in_loops,
    all_but_one_lost,
    lazy_init,
    check_then_act,
    torn_read,
    made_twice,
    crossed_locks,
    dining_of_three,
    withdraw_before_deposit,
    order_of_puts,
    lost_wake_up,
    time_out_too_short,
    used_after_close,
)
