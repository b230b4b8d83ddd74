"""Updates from two threads, by what stands between the read and the write; each runs natively too."""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass
from functools import partial

__all__ = ["LABELS", "UPDATES", "as_program"]


class Colour(enum.Enum):
    RED = 1


@dataclass(frozen=True)
class Key:
    number: int


class Odd:
    __hash__ = None

    def __eq__(self, other):
        return False


class State:
    """What the updates work on; `total` is what they count."""

    def __init__(self):
        self.n = 0
        self.hidden = 0
        self.items = {1: 0}
        self.colours = {Colour.RED: 0}
        self.keys = {Key(1): 0}
        self.odd = Odd()
        self.rows = [0]
        self.lock = threading.Lock()

    @property
    def m(self):
        return self.hidden

    @m.setter
    def m(self, value):
        self.hidden = value

    @property
    def total(self):
        return self.n + self.hidden + self.items[1] + self.colours[Colour.RED] + self.keys[Key(1)]


def attribute(o):
    o.n += 1


def item(o):
    o.items[1] += 1


def enum_key(o):
    o.colours[Colour.RED] += 1


def dataclass_key(o):
    o.keys[Key(1)] += 1


def property_(o):
    o.m += 1


def python_eq(o):
    n = o.n
    if not o.odd == 1:  # noqa: SIM201 - it is this operator that is asked
        o.n = n + 1


def length(o):
    n = o.n
    o.n = n + len(o.rows)


def append(o):
    n = o.n
    o.rows.append(n)
    o.n = n + 1


def ones():
    yield 1


def generator(o):
    n = o.n
    for one in ones():
        o.n = n + one


def file_loop(o):
    n = o.n
    with open("/dev/null") as file:
        for _ in file:
            pass
    o.n = n + 1


def with_lock(o):
    n = o.n
    with o.lock:
        o.n = n + 1


def import_(o):
    n = o.n
    import json  # noqa: F401

    o.n = n + 1


UPDATES = {
    "o.n += 1": attribute,
    "d[1] += 1": item,
    "d[enum] += 1": enum_key,
    "dataclass key": dataclass_key,
    "property": property_,
    "k == 1 with a Python __eq__": python_eq,
    "len": length,
    "list.append": append,
    "generator": generator,
    "file loop": file_loop,
    "with lock": with_lock,
    "import": import_,
}
LABELS = dict.fromkeys(UPDATES) | {
    "o.n += 1": False,
    "d[1] += 1": False,
    "d[enum] += 1": True,
    "dataclass key": True,
    "property": True,
    "k == 1 with a Python __eq__": True,
    "generator": True,
    "file loop": True,
}


def as_program(name):
    return partial(twice, UPDATES[name])


def twice(update):
    state = State()
    threads = [threading.Thread(target=update, args=(state,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.total == 2
