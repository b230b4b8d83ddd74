"""A program with several loops, threads and a pool fails alike in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from programs.two_loops import everybody_adds

from harness.explore import explore, replay

TESTS = Path(__file__).parents[1]
REPLAYED = """
import sys
from programs.two_loops import everybody_adds
from harness.explore import replay
execution = replay(everybody_adds, sys.argv[1])
print(execution.error)
print([(event.task_name, event.kind, event.target, event.line) for event in execution.events])
"""


def in_new_process(text, *arguments, seed):
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (TESTS, TESTS / "sim", TESTS.parent))),
            "PYTHONHASHSEED": seed,
        },
    )
    return ran.stdout


def test_update_lost_between_loops_pool_thread_and_timer_replays_in_a_new_process():
    failure = explore(everybody_adds, max_schedules=400, seed=3).failure

    assert failure is not None
    here = replay(everybody_adds, failure.token)
    events = [(event.task_name, event.kind, event.target, event.line) for event in here.events]
    assert {"pooling", "waiting", "plain"} < {event.task_name for event in here.events}
    assert in_new_process(REPLAYED, failure.token, seed="1") == f"{here.error}\n{events}\n"
    assert "entries were made" in str(here.error)
