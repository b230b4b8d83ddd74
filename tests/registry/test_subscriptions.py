from __future__ import annotations

import asyncio
import gc
import logging
from threading import Event, Thread

import pytest

from harness.explore import Verdict, explore
from harness.registry import NoRunningLoopError, PluginSpec, Registry

pytestmark = pytest.mark.portable


def publish(registry, *names):
    for name in names:
        registry.register_plugin(PluginSpec(name))


def test_a_subscriber_is_told_old_and_new_and_reads_the_new(registry):
    # awaken R37, P11
    told = []
    registry.subscribe(lambda publication: told.append((publication, registry.version)))
    publish(registry, "x")

    ((publication, version_read),) = told
    assert (publication.old.version, publication.version, version_read) == (1, 2, 2)
    assert publication.new is registry.snapshot()
    assert publication.diff().added == (("plugins", "x"),)


def test_a_rollback_is_told_as_one(registry):
    told = []
    publish(registry, "x")
    registry.subscribe(told.append)
    registry.rollback(1)

    assert [(publication.version, publication.restored_from) for publication in told] == [(3, 1)]


def test_what_is_not_published_is_not_told(registry):
    told = []
    registry.subscribe(told.append)
    registry.update(lambda draft: None, if_changed=True)
    with pytest.raises(ZeroDivisionError):
        registry.update(lambda draft: 1 // 0)

    assert told == []


def test_a_failing_subscriber_is_reported_and_stops_nothing(caplog):
    # awaken R37
    registry, told = Registry(), []
    failing = registry.subscribe(lambda publication: 1 // 0)
    registry.subscribe(told.append)
    with caplog.at_level(logging.ERROR, "harness.registry"):
        publish(registry, "x")

    assert registry.version == 2
    assert len(told) == 1
    assert isinstance(failing.last_error, ZeroDivisionError)
    assert "a subscriber failed on version 2" in caplog.text


def test_failures_go_to_the_handler_whose_own_are_logged(caplog):
    reported = []

    def handle(error, publication):
        reported.append((type(error), publication.version))
        raise KeyError

    registry = Registry(on_subscriber_error=handle)
    registry.subscribe(lambda publication: 1 // 0)
    with caplog.at_level(logging.ERROR, "harness.registry"):
        publish(registry, "x")

    assert reported == [(ZeroDivisionError, 2)]
    assert "the error handler failed on version 2" in caplog.text


def test_an_interrupt_passes_on_after_all_others_were_told():
    registry, told = Registry(), []

    def interrupt(publication):
        raise KeyboardInterrupt

    subscription = registry.subscribe(interrupt)
    registry.subscribe(told.append)
    with pytest.raises(KeyboardInterrupt):
        publish(registry, "x")
    subscription.cancel()
    publish(registry, "y")

    assert [publication.version for publication in told] == [2, 3]


def test_a_subscriber_may_write_and_versions_stay_in_order():
    registry, told = Registry(), []

    def echo(publication):
        if publication.version < 5:
            publish(registry, f"x{publication.version}")

    registry.subscribe(echo)
    registry.subscribe(lambda publication: told.append(publication.version))
    publish(registry, "x")

    assert told == [2, 3, 4, 5]


def test_a_publisher_does_not_wait_for_another_ones_subscribers():
    registry, inside, release, told = Registry(), Event(), Event(), []

    def slow(publication):
        told.append(publication.version)
        inside.set()
        release.wait()

    registry.subscribe(slow)
    first = Thread(target=publish, args=(registry, "x"))
    first.start()
    inside.wait()
    publish(registry, "y")  # returns although the subscriber is still at version 2
    before = list(told)
    release.set()
    first.join()

    assert (before, told) == ([2], [2, 3])


def test_a_coalescing_subscriber_is_told_the_newest_with_the_oldest_old():
    registry, inside, release, told = Registry(), Event(), Event(), []

    def slow(publication):
        inside.set()
        release.wait()

    registry.subscribe(slow)
    registry.subscribe(lambda publication: told.append((publication.old.version, publication.version)), coalesce=True)
    first = Thread(target=publish, args=(registry, "x"))
    first.start()
    inside.wait()
    publish(registry, "y", "z")
    release.set()
    first.join()

    assert told == [(1, 4)]


def test_cancelling_ends_it():
    registry, told = Registry(), []
    with registry.subscribe(told.append) as subscription:
        publish(registry, "x")
        assert subscription.is_active
    subscription.cancel()
    publish(registry, "y")

    assert (len(told), subscription.is_active, subscription.since) == (1, False, 1)


def test_a_weak_subscription_ends_with_its_object():
    class Cache:
        versions: list[int] = []  # noqa: RUF012

        def forget(self, publication):
            self.versions.append(publication.version)

    registry, cache = Registry(), Cache()
    subscription = registry.subscribe(cache.forget, weak=True)
    publish(registry, "x")
    del cache
    gc.collect()
    publish(registry, "y")

    assert Cache.versions == [2]
    assert not subscription.is_active


def test_a_coroutine_function_wants_a_loop():
    async def listen(publication): ...

    with pytest.raises(NoRunningLoopError, match="wants a running event loop, there is none"):
        Registry().subscribe(listen)


def test_a_coroutine_function_runs_on_the_loop_that_subscribed_one_call_at_a_time():
    registry, told = Registry(), []
    done = asyncio.Event()

    async def listen(publication):
        told.append((publication.version, asyncio.get_running_loop()))
        await asyncio.sleep(0)
        told.append((publication.version, asyncio.get_running_loop()))
        if publication.version == 4:
            done.set()

    async def main():
        registry.subscribe(listen)
        other = Thread(target=publish, args=(registry, "x", "y", "z"))
        other.start()
        await done.wait()
        other.join()
        return asyncio.get_running_loop()

    loop = asyncio.run(main())

    assert told == [(version, loop) for version in (2, 2, 3, 3, 4, 4)]


def test_a_failing_coroutine_is_reported_and_goes_on():
    reported = []
    registry = Registry(on_subscriber_error=lambda error, publication: reported.append(publication.version))
    told = []

    async def listen(publication):
        told.append(publication.version)
        raise ValueError

    async def main():
        registry.subscribe(listen)
        publish(registry, "x", "y")
        while len(reported) < 2:
            await asyncio.sleep(0)

    asyncio.run(main())

    assert told == reported == [2, 3]


def test_a_subscription_whose_loop_is_closed_is_reported_and_ends():
    reported = []
    registry = Registry(on_subscriber_error=lambda error, publication: reported.append(str(error)))

    async def listen(publication): ...

    async def main():
        return registry.subscribe(listen)

    subscription = asyncio.run(main())
    publish(registry, "x", "y")

    assert reported == ["Event loop is closed"]
    assert not subscription.is_active


def two_publishers_and_a_subscriber():
    registry, told = Registry(), []
    subscriptions = []

    def subscribe():
        subscriptions.append(registry.subscribe(lambda publication: told.append(publication.version)))

    threads = [
        Thread(target=subscribe),
        Thread(target=publish, args=(registry, "x")),
        Thread(target=publish, args=(registry, "y")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == list(range(subscriptions[0].since + 1, 4)), f"since {subscriptions[0].since}, told {told}"


def test_each_version_after_the_first_seen_is_told_once_and_in_order():
    # Whichever of the two publishers drains, and wherever the subscription falls.
    result = explore(two_publishers_and_a_subscriber, instrument=["harness.registry"], max_schedules=500)

    assert result.verdict is Verdict.PASSED, str(result)
