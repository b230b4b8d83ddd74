"""Arguments of calls are looked at without running code of the program."""

from __future__ import annotations

import threading

import pytest

from harness.explore import Verdict, explore

pytestmark = pytest.mark.portable


class Loud:
    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        raise AssertionError("nobody should ask")

    __hash__ = None

    def __lt__(self, other):
        return self.number < other.number


def greatest():
    threads = [threading.Thread(target=lambda: max(Loud(1), Loud(2))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_no_argument_is_asked_whether_it_is_equal():
    assert explore(greatest, strategy="dpor").verdict is Verdict.PROVED
