"""An explanation names the accesses that raced, says what to do, and fits a screen."""

from __future__ import annotations

import asyncio
import inspect
import re
import socket
import threading
import urllib.request
from functools import cache
from pathlib import Path

import fifteen
import pytest

from harness import pitfalls
from harness.explore import explore
from harness.explore.explaining.columns import short_name
from harness.explore.shrinking import MAX_RUNS

EXPECTED = Path(__file__).parent / "expected"

# The lines that race, as whoever wrote the pitfall would point them out: text of the two lines, in either order.
RACING = {
    "lost-update": ("draft = Draft(registry.snapshot())", "registry.publish(draft)"),
    "lazy-init": ('if not state["initialised"]:', 'state["initialised"] = True'),
    "preview-then-remove": ("seen = registry.snapshot()", "registry.register_agent("),
    "replace-after-check": ("if provider_id not in registry.snapshot().providers:", "registry.remove_provider("),
    "torn-read": ("provider_id = registry.snapshot().models[model_id]", "registry.update(to_search)"),
    "listener-before-swap": ("registry.update(change)", "told.append((version, registry.version))"),
    "reader-blocked": ("with lock:", "assert lock.acquire(timeout=PATIENCE_S)"),
    "nested-update": ("if not lock.acquire(timeout=PATIENCE_S):", "if not lock.acquire(timeout=PATIENCE_S):"),
    "untagged-cache": ('text = cache.get("fast")', "cache.clear()"),
    "close-under-use": ("registry.publish(draft)", "client.call()"),
    "retired-pool-served": ("self.is_closed = True", "if self.is_closed:"),
    "phantom-singleton": ("if not sessions(registry.snapshot()):", "registry.register_backend("),
    "lost-update-async": ("draft = Draft(registry.snapshot())", "registry.publish(draft)"),
    "lock-across-await": ("if not provider.threads_lock.acquire(", "if not provider.threads_lock.acquire("),
    "client-on-two-loops": ("await provider.client.get(url)", "await provider.client.get(url)"),
    "loader-closure-cache": ("closure = loading[module] =", "closure = loading.get(module)"),
}


by_id = pytest.mark.parametrize("pitfall", [pitfalls.get(name) for name in RACING], ids=lambda pitfall: pitfall.id)


def test_every_pitfall_is_explained():
    assert {pitfall.id for pitfall in pitfalls.all()} == RACING.keys()


@cache
def failure_of(pitfall_id):
    pitfall = pitfalls.get(pitfall_id)
    failure = explore(pitfall.broken, instrument=pitfall.instrument).failure
    assert failure is not None
    return failure


@cache
def explained(pitfall_id):
    return failure_of(pitfall_id).explain()


@by_id
def test_pitfall_needs_at_most_two_preemptions_and_its_token_fits_a_line(pitfall):
    failure = failure_of(pitfall.id)

    assert failure.preemptions <= 2
    assert len(failure.token) <= 120
    assert failure.shrinking is not None
    assert failure.shrinking.runs <= MAX_RUNS


@by_id
def test_explanation_is_the_one_that_was_read(pitfall):
    assert explained(pitfall.id) + "\n" == (EXPECTED / f"{pitfall.id}.txt").read_text()


@by_id
def test_two_lines_named_are_the_racing_ones(pitfall):
    source = Path(inspect.getfile(pitfall.broken)).read_text().splitlines()
    head = explained(pitfall.id).splitlines()[:2]
    named = [re.search(r"/pitfalls/\w+\.py:(\d+)", line) for line in head]

    lines = [source[int(found[1]) - 1] for found in named if found is not None]
    assert len(lines) == 2, head
    assert all(wanted in line for wanted, line in zip(RACING[pitfall.id], lines, strict=True)), lines


@by_id
def test_third_line_says_what_kind_of_change_mends_it(pitfall):
    families = "lock|publish once|one per loop|check under the lock|read after the await|let go of the lock|wait for it"
    assert re.match(rf"Fix \(({families})\): ", explained(pitfall.id).splitlines()[2])


@by_id
def test_explanation_fits_a_screen_and_ends_in_the_replay(pitfall):
    lines = explained(pitfall.id).splitlines()

    assert len(lines) <= 40
    assert lines[-1].startswith(f"Replay: harness.replay({pitfall.broken.__module__}.broken, ")
    assert max(map(len, lines[3:-1])) <= 120


def explain(program, **options):
    failure = explore(program, **options).failure
    assert failure is not None
    return failure.explain()


def test_lost_update_is_told_with_values_and_the_preemption_between():
    text = explain(fifteen.lost_update)
    rows = [line.split("fifteen.py")[0].rstrip() for line in text.splitlines() if "Counter#1.n (" in line][2:]
    told = [re.sub(r"\s+", " ", row).strip() for row in rows]

    assert told == [
        "reads Counter#1.n (0)",
        "reads Counter#1.n (0)",
        "writes Counter#1.n (1)",
        "writes Counter#1.n (1)",
    ]
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("  ") and "reads" in line)
    assert lines[first + 1] == (
        "  ---- Thread-1 (increment) is left here, though it could go on; Thread-2 (increment) runs ----"
    )


def test_deadlock_names_who_waits_for_whom_and_the_circle():
    lines = explain(fifteen.crossed_locks).splitlines()

    assert "task 'Thread-1 (forth)' waits at" in lines[0]
    assert "for Lock#2" in lines[0]
    assert "task 'Thread-2 (back)' waits at" in lines[1]
    assert lines[2].startswith("Fix (one order of locks): ")
    assert lines[3] == "circle: Thread-1 (forth) -> Lock#2 -> Thread-2 (back) -> Lock#1 -> Thread-1 (forth)"


async def tasks_that_await_in_between():
    seen = {"n": 0}

    async def add(waits):
        before = seen["n"]
        for _ in range(waits):
            await asyncio.sleep(0)
        seen["n"] = before + 1

    async with asyncio.TaskGroup() as group:
        group.create_task(add(2), name="slow")
        group.create_task(add(1), name="fast")
    assert seen["n"] == 2


def test_tasks_of_a_loop_are_named_with_coroutine_and_the_await_that_let_the_other_in():
    lines = explain(tasks_that_await_in_between).splitlines()
    source, start = inspect.getsourcelines(tasks_that_await_in_between)
    awaited = start + next(number for number, line in enumerate(source) if "sleep(0)" in line)

    assert lines[0].startswith("slow (add) reads dict#1['n'] (0) at ")
    assert lines[0].endswith(f", and awaits at test_explain.py:{awaited}, which lets the other in:")
    assert lines[1].startswith("fast (add) writes dict#1['n'] (1) at ")
    assert ", before slow writes dict#1['n'] (1) at line " in lines[1]
    assert lines[2].startswith("Fix (read after the await): ")
    assert f"  ---- slow awaits at test_explain.py:{awaited}; fast runs ----" in lines


def with_secrets():
    first, second = ("-".join(["sk", word]) for word in ("first", "second"))
    settings = {"api_key": first, "region": "eu"}

    def change():
        settings["api_key"] = second
        settings["region"] = "us"

    def read():
        key, region = settings["api_key"], settings["region"]
        is_torn = (key == first) != (region == "eu")
        assert not is_torn, "torn"

    threads = [threading.Thread(target=function) for function in (change, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_values_named_like_secrets_are_not_shown():
    failure = explore(with_secrets).failure
    assert failure is not None

    shown = "\n".join(event.value for event in failure.execution.events)
    assert "sk-" not in shown + failure.explain()
    assert "***" in shown
    assert "'eu'" in shown


def test_objects_are_told_neither_by_address_nor_by_their_own_text():
    class Loud:
        def __repr__(self):
            raise AssertionError("nobody should ask")

    def program():
        box = {"loud": Loud(), "many": list(range(1000))}
        other = threading.Thread(target=lambda: box.update(many=[]))
        other.start()
        seen = len(box["many"]) if box["loud"] else 0
        other.join()
        assert seen

    failure = explore(program).failure
    assert failure is not None
    values = {event.value for event in failure.execution.events}
    assert {"", "list of 0"} <= values
    assert not any("0x" in value for value in values)


def waits_for_what_is_slow():
    done = threading.Event()

    def serve():
        lock = threading.Lock()
        with lock:
            pass
        done.set()

    thread = threading.Thread(target=serve)
    thread.start()
    if not done.wait(timeout=60):
        raise TimeoutError("nobody answered")
    thread.join()


def test_time_out_that_falls_due_while_a_task_could_go_on_is_called_by_its_name():
    explanation = explore(waits_for_what_is_slow).failure.explain()

    assert "TimeoutError: nobody answered" in explanation
    assert "could go on" in explanation.splitlines()[0]
    assert "a time-out falls due" in explanation.splitlines()[1]
    assert "in any order" not in explanation


def test_file_of_a_package_is_named_with_the_package():
    assert short_name(pytest.__file__) == "pytest/__init__.py"
    assert short_name(inspect.__file__) == "inspect.py"


async def asks_its_own_loop():
    async def answer():
        return 1

    loop = asyncio.get_running_loop()
    assert asyncio.run_coroutine_threadsafe(answer(), loop).result() == 1


def test_thread_that_waits_for_its_own_loop_is_told_to_await():
    lines = explore(asks_its_own_loop).failure.explain().splitlines()

    assert lines[0].endswith("for Future#1.result, and stops loop 1")
    assert lines[2].startswith("Fix (await it): ")


async def waits_for_nobody():
    await asyncio.Event().wait()


def test_deadlock_of_a_loop_names_the_await_and_no_lock():
    lines = explore(waits_for_nobody).failure.explain().splitlines()

    assert lines[0].startswith("task 'Task-1' (waits_for_nobody) of loop 1 awaits at ")
    assert lines[1].startswith("Fix (wake it): ")


async def forgets_what_fails():
    async def breaks():
        raise ValueError("alone")

    task = asyncio.create_task(breaks())
    await asyncio.sleep(1)
    del task


def test_exception_nobody_asked_for_is_told_with_coroutine_and_line():
    lines = explore(forgets_what_fails).failure.explain().splitlines()

    assert lines[0].startswith("'Task-2' ended in forgets_what_fails.<locals>.breaks() at ")
    assert f":{forgets_what_fails.__code__.co_firstlineno + 2} with ValueError: alone, which nobody asked" in lines[0]
    assert lines[1] == "Fix: await it, or ask for its exception."


def asks_with_a_time_out():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        urllib.request.urlopen(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=60)


def test_time_out_of_a_library_is_told_at_the_programs_line():
    explanation = explore(asks_with_a_time_out).failure.explain()

    assert explanation.startswith("A time-out falls due before what is waited for has come.\n")
    assert f":{asks_with_a_time_out.__code__.co_firstlineno + 2}\n" in explanation
