"""Objects live as long as the program lets them, whoever follows it: weak references tell of it."""

from __future__ import annotations

import threading
import weakref

import pytest

from harness.explore import STRATEGIES, Verdict, explore

pytestmark = pytest.mark.portable


class Session:
    def __init__(self):
        self.calls = 0

    def call(self):
        self.calls += 1


class Sessions:
    """A registry that forgets a session as soon as nobody uses it."""

    def __init__(self):
        self.live = weakref.WeakValueDictionary()

    def call(self, name):
        session = Session()
        self.live[name] = session
        session.call()


def sessions_are_forgotten():
    sessions = Sessions()
    threads = [threading.Thread(target=sessions.call, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sessions.live) == 0


def sessions_are_forgotten_and_it_fails():
    sessions_are_forgotten()
    raise LookupError("what is told afterwards")


@pytest.mark.parametrize("races", ["off", "fail"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_object_is_not_kept_by_whoever_follows(strategy, races):
    result = explore(sessions_are_forgotten, strategy=strategy, races=races, max_schedules=40)

    assert result.failure is None


def test_object_is_not_kept_when_events_are():
    result = explore(sessions_are_forgotten_and_it_fails)

    assert result.verdict is Verdict.FAILED
    assert type(result.failure.error) is LookupError
    targets = set(result.failure.frame().target)
    assert {"Session#1.calls", "Session#2.calls"} <= targets


def test_identity_of_an_object_that_is_gone_is_not_taken_for_another():
    def program():
        for _ in range(3):
            session = Session()
            thread = threading.Thread(target=session.call)
            thread.start()
            session.call()
            thread.join()
            assert session.calls == 2
            del session, thread

    result = explore(program, strategy="dpor", instrument=[Session])

    assert result.verdict is Verdict.FAILED
