"""The model of where a GIL lets threads switch, against this interpreter: a table of native loops.

For each update, how many of the updates made natively by two threads were lost. What the model calls unreachable must
lose none in ten million; what it calls reachable must lose some, or the model claims too much. Of the others it claims
nothing: ten million are made all the same, to see what the open cases come to.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "explore"))
import gil_programs as programs

pytestmark = pytest.mark.long
MANY_UPDATES = 10_000_000
REACHABLE_UPDATES = 120_000
_SLOW = {"file loop"}  # opens a file each time
by_name = pytest.mark.parametrize("name", programs.LABELS)


def lost_natively(name, updates):
    """Return how many of so many updates by two threads are missing in the end."""
    state, update = programs.State(), programs.UPDATES[name]

    def work():
        for _ in range(updates // 2):
            update(state)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    return updates - state.total


@by_name
def test_native_loop_agrees_with_the_label(name, capsys):
    label = programs.LABELS[name]
    updates = (20_000 if name in _SLOW else REACHABLE_UPDATES) if label else MANY_UPDATES
    tries = 20 if label is True else 1  # the system's scheduler may keep two threads apart for a while
    rounds = (lost_natively(name, updates) for _ in range(tries))
    lost = next((count for count in rounds if count), 0)

    with capsys.disabled():
        print(f"\n{sys.version.split()[0]} | {name} | {label} | {updates:,} | {lost:,}")
    assert label is not False or lost == 0
    assert label is not True or lost > 0
