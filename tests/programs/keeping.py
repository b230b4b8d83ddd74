"""A module that is not instrumented: functions that keep something between calls, and functions that do not."""

from __future__ import annotations

import threading
from collections.abc import Callable

TOTAL = 0
TABLE: dict[str, int] = {}
STEP = 1


class Shelf:
    """Keeps one value for all, and a table for all instances."""

    value = 0
    table: dict[str, int] = {}  # noqa: RUF012 - shared on purpose

    def put(self, value: int) -> None:
        """Store it for all instances."""
        self.table["it"] = value

    def get(self) -> int:
        """Return what any instance stored."""
        return self.table.get("it", 0)


class Registered:
    """Counts its instances in a global."""

    def __init__(self) -> None:
        put_global(get_global() + 1)


def put_global(value: int) -> None:
    """Store a global."""
    global TOTAL
    TOTAL = value


def get_global() -> int:
    """Return it."""
    return TOTAL


def put_item(value: int) -> None:
    """Store an item of a global table."""
    TABLE["it"] = value


def get_item() -> int:
    """Return it."""
    return TABLE.get("it", 0)


def put_indirectly(value: int) -> None:
    """Store by another function."""
    put_item(value)


def put_on_class(value: int) -> None:
    """Store an attribute of a class."""
    Shelf.value = value


def get_from_class() -> int:
    """Return it."""
    return Shelf.value


def make_pair() -> tuple[Callable[[int], None], Callable[[], int]]:
    """Return two functions that share a variable."""
    kept = 0

    def put(value: int) -> None:
        nonlocal kept
        kept = value

    return put, lambda: kept


def make_listed_pair() -> tuple[Callable[[int], None], Callable[[], int]]:
    """Return two functions that share a list."""
    kept = [0]

    def put(value: int) -> None:
        kept[0] = value

    return put, lambda: kept[0]


def start_both(put: Callable[[int], None], seen: list[int]) -> None:
    """Run two functions of this module in threads of their own."""
    threads = [threading.Thread(target=put, args=(1,)), threading.Thread(target=lambda: seen.append(get_global()))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def double(value: int) -> int:
    """Return a number made of nothing but the argument, constants and other such functions."""
    if value < 0:
        raise ValueError(value)
    return value * 2 if value < STEP else double(value - STEP) + 2 * STEP


def forget() -> None:
    """Put all back."""
    put_global(0)
    TABLE.clear()
    Shelf.value = 0
    Shelf.table.clear()
