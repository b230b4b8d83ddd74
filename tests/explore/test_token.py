"""Tokens hold a schedule, survive the way through other hands, and refuse what they are not for."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.explore import InvalidTokenError, ReplayDivergenceError, Schedule, Token, explore, replay
from harness.explore.token import fingerprint

pytestmark = pytest.mark.portable
PROGRAMS = Path(__file__).parent.parent / "programs"
STATE = {"threads": 2}


def together(*functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def increments():
    state = {"n": 0}

    def add():
        state["n"] = state["n"] + 1

    together(*[add] * STATE["threads"])
    assert state["n"] == STATE["threads"]


def other():
    pass


@functools.cache
def token_of(program):
    failure = explore(program).failure
    assert failure is not None
    return failure.token


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(0, ()),
        Schedule(5, ((0, 2), (4, 0))),
        Schedule(100_000, ((0, 1), (99_999, 40), (100_000, 0))),
    ],
)
@pytest.mark.parametrize("instrument", [(), ("cachetools",), ("harness.registry", "größe")])
def test_token_says_what_was_put_in(schedule, instrument):
    token = Token(b"abcd", instrument, schedule)

    assert Token.decode(token.encode()) == token


def test_token_is_url_safe_text():
    assert set(token_of(increments)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("cut", range(20))
def test_cut_token_is_refused(cut):
    token = token_of(increments)

    with pytest.raises(InvalidTokenError, match="copy it whole"):
        Token.decode(token[: -1 - cut])


def test_every_wrong_letter_is_noticed():
    token = token_of(increments)

    for position in range(len(token)):
        wrong = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        # The last letter may carry bits that base64 does not use.
        if position < len(token) - 1:
            with pytest.raises(InvalidTokenError):
                Token.decode(wrong)


def test_token_of_another_program_is_refused():
    with pytest.raises(InvalidTokenError) as refused:
        replay(other, token_of(increments))

    assert str(refused.value) == (
        "a token of 'other' is wanted, this one belongs to another program or to an older text of it; "
        "explore 'other' again for a new token"
    )


def test_fingerprint_does_not_depend_on_the_file():
    source = "def program():\n    return 1\n"
    made = []
    for file in ("a.py", "b.py"):
        import linecache

        namespace = {"__name__": "made"}
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec"), namespace)
        made.append(fingerprint(namespace["program"]))

    assert made[0] == made[1]


def test_replay_makes_the_same_events_each_time():
    token = token_of(increments)

    first, second = replay(increments, token), replay(increments, token)

    assert first.events == second.events
    assert isinstance(first.error, AssertionError)


def test_token_replays_in_another_process():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import counter, harness; "
        "print(type(harness.replay(counter.lost_update, sys.argv[2]).error).__name__)"
    )
    sys.path.insert(0, str(PROGRAMS))
    try:
        import counter

        token = token_of(counter.lost_update)
    finally:
        sys.path.remove(str(PROGRAMS))
        sys.modules.pop("counter", None)
    ran = subprocess.run(
        [sys.executable, "-c", code, str(PROGRAMS), token], capture_output=True, text=True, check=False
    )

    assert (ran.stdout, ran.stderr) == ("AssertionError\n", "")


def test_task_that_is_not_there_is_a_divergence_that_names_step_and_tasks():
    token = token_of(increments)
    STATE["threads"] = 1
    try:
        with pytest.raises(ReplayDivergenceError) as diverged:
            replay(increments, token)
    finally:
        STATE["threads"] = 2

    assert str(diverged.value).startswith("step ") or "the program made" in str(diverged.value)
    assert "the program changed or reads a clock, randomness or state we do not control" in str(diverged.value)


def divergence_of(program, *deviations):
    token = Token(fingerprint(program), (), Schedule(20, deviations)).encode()
    with pytest.raises(ReplayDivergenceError) as diverged:
        replay(program, token)
    return diverged.value


# Choices of `increments`: who begins, and who goes on before each access; the main task waits for the first thread.
@pytest.mark.parametrize(
    ("deviation", "runnable", "reason", "place"),
    [
        (
            (1, 9),
            "'Thread-1 (add)', 'Thread-2 (add)'",
            "only 3 tasks have been started",
            "'Thread-1 (add)' is at {add}",
        ),
        (
            *((1, 1), "'Thread-1 (add)', 'Thread-2 (add)'"),
            *("'MainThread' waits at {join} for the end of task 'Thread-1 (add)'", "'Thread-1 (add)' is at {add}"),
        ),
        (
            *((0, 1), "'Thread-1 (add)', 'Thread-2 (add)'"),
            *("'MainThread' waits for the end of task 'Thread-1 (add)'", "'MainThread' is at {join} in together"),
        ),
        ((3, 2), "'MainThread', 'Thread-2 (add)'", "'Thread-1 (add)' has ended", ""),
        ((1, 0), "'Thread-1 (add)', 'Thread-2 (add)'", "no timer is set", "'Thread-1 (add)' is at {add}"),
    ],
)
def test_divergence_says_why_the_wanted_task_cannot_go_on_and_which_line_was_reached(
    deviation, runnable, reason, place
):
    error = divergence_of(increments, deviation)
    add = increments.__code__.co_firstlineno + 4
    places = {
        "join": f"test_token.py:{together.__code__.co_firstlineno + 5}",
        "add": f"test_token.py:{add} in increments.<locals>.add",
    }

    assert str(error).startswith(f"step {deviation[0]} wants task ")
    assert f", runnable are {runnable}; {reason.format(**places)}; " in str(error)
    assert error.details == tuple(text.format(**places) for text in (reason, place) if text)


def test_schedule_with_more_choices_than_the_program_makes_is_a_divergence():
    token = Token(fingerprint(other), (), Schedule(4, ())).encode()

    with pytest.raises(ReplayDivergenceError, match="the schedule has 4 choices, the program made 0"):
        replay(other, token)
