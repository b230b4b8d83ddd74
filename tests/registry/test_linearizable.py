"""The registry as one object: whatever its callers get, one caller alone could have got."""

from __future__ import annotations

from functools import partial
from itertools import combinations_with_replacement
from threading import Thread

import pytest

from harness.explore import History, Verdict, check_linearizable, explore, stress
from harness.registry import (
    AlreadyRegisteredError,
    Draft,
    NotFoundError,
    Registry,
    RemovalPolicy,
    VersionConflictError,
)

BLOCK = RemovalPolicy.BLOCK_IF_REFERENCED

CALLS = {
    "read": lambda registry: read(registry.snapshot()),
    "register p": lambda registry: registry.register_provider("p", "new"),
    "register q": lambda registry: registry.register_provider("q", "new"),
    "replace p": lambda registry: registry.replace_provider("p", "other"),
    "remove p": lambda registry: registry.remove_provider("p", BLOCK).version,
    "expect 2": lambda registry: registry.publish(Draft(), 2),
    "rollback 1": lambda registry: registry.rollback(1),
    "edit r": lambda registry: edit(registry),
}


def read(snapshot):
    return snapshot.version, tuple(snapshot.providers)


def edit(registry):
    registry.update(lambda draft: draft.register_provider("r", "new"))
    return "done"


def model(state, call):
    """The registry with one caller: state is (version, ids of providers)."""
    version, ids = state
    verb, _, what = call.partition(" ")
    if verb == "read":
        return state, state
    if verb in ("register", "edit"):
        if what in ids:
            return AlreadyRegisteredError, state
        following = (version + 1, tuple(sorted({*ids, what})))
        return ("done" if verb == "edit" else version + 1), following
    if verb in ("replace", "remove"):
        if what not in ids:
            return NotFoundError, state
        kept = ids if verb == "replace" else tuple(entry for entry in ids if entry != what)
        return version + 1, (version + 1, kept)
    if verb == "expect" and version != int(what):
        return VersionConflictError, state
    return version + 1, (version + 1, ())  # the empty draft, and the empty version 1


def run(scripts):
    """Run each script on a thread of its own, over a registry with provider p, and check what all of them got."""
    registry, history = Registry(), History()
    registry.register_provider("p", "old")

    def follow(script):
        for call in script:
            history.call(call, partial(CALLS[call], registry))

    threads = [Thread(target=follow, args=(script,)) for script in scripts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_linearizable(history, model, (2, ("p",)))


PAIRS = list(combinations_with_replacement(CALLS, 2))
SEEN = ["harness.registry", "harness.explore.linearizability"]  # so that nothing of the program is out of sight


def pair_of(pair):
    def program():
        run([[pair[0]], [pair[1]]])

    return program


@pytest.mark.parametrize("pair", PAIRS, ids=" | ".join)
def test_every_pair_of_operations_is_linearizable(pair):
    # awaken P1, P5, C9
    result = explore(pair_of(pair), instrument=["harness.registry"], max_schedules=60)

    assert result.verdict is Verdict.PASSED, str(result)


@pytest.mark.parametrize("pair", PAIRS[::7], ids=" | ".join)
def test_pair_of_operations_is_proved_linearizable(pair):
    result = explore(pair_of(pair), instrument=SEEN, strategy="dpor", max_schedules=400)

    assert result.verdict is Verdict.PROVED, str(result)


@pytest.mark.long
@pytest.mark.parametrize("pair", PAIRS, ids=" | ".join)
def test_every_pair_of_operations_is_proved_linearizable(pair):
    result = explore(pair_of(pair), instrument=SEEN, strategy="dpor", max_schedules=400)

    assert result.verdict is Verdict.PROVED, str(result)


def mixed():
    run([["register q", "read"], ["replace p", "remove p"], ["rollback 1", "expect 2"]])


def mixed_otherwise():
    run([["edit r", "rollback 1"], ["remove p", "register p"], ["register q", "read"]])


def test_mixed_operations_of_three_tasks_are_linearizable():
    result = explore(mixed, instrument=["harness.registry"], max_schedules=300)

    assert result.verdict is Verdict.PASSED, str(result)


@pytest.mark.long
@pytest.mark.parametrize("program", [mixed, mixed_otherwise])
def test_mixed_operations_of_three_tasks_are_linearizable_in_ten_thousand_schedules(program):
    result = explore(program, instrument=["harness.registry"], max_schedules=10_000)

    assert (result.verdict, result.schedules) == (Verdict.PASSED, 10_000), str(result)


def test_mixed_operations_are_linearizable_natively():
    assert stress(mixed, 300).failures == 0


def sixteen_registrations():
    registry = Registry()
    ids = [f"p{number:02}" for number in range(16)]
    threads = [Thread(target=registry.register_provider, args=(provider_id, object())) for provider_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(registry.snapshot().providers) == ids
    assert registry.version == 17


def test_sixteen_registrations_all_survive():
    # awaken C4
    result = explore(sixteen_registrations, instrument=["harness.registry"], max_schedules=50)

    assert result.verdict is Verdict.PASSED, str(result)
    assert stress(sixteen_registrations, 100).failures == 0
