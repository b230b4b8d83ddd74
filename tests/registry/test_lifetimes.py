from __future__ import annotations

import asyncio
import gc
import logging
import threading
import warnings

import pytest

from harness.explore import Verdict, explore
from harness.registry import (
    DrainTimeoutError,
    ExecutorClosedError,
    NestedUpdateError,
    PluginSpec,
    ProviderSpec,
    Registry,
    RegistryClosedError,
    RemovalPolicy,
)

BLOCK = RemovalPolicy.BLOCK_IF_REFERENCED


class Client:
    def __init__(self, name, log=None):
        self.name, self.closed, self.log = name, 0, log

    def call(self):
        assert not self.closed, f"{self.name} is closed"

    def close(self):
        self.closed += 1
        if self.log is not None:
            self.log.append(self.name)


class AsyncClient:
    def __init__(self):
        self.loops = []

    async def aclose(self):
        await asyncio.sleep(0)
        self.loops.append(asyncio.get_running_loop())


def test_what_nobody_leases_is_closed_when_it_is_unlinked():
    # awaken R36, B9
    registry, old = Registry(), Client("old")
    registry.register_provider("p", old)
    registry.replace_provider("p", Client("new"))

    assert old.closed == 1


def test_a_lease_keeps_what_is_replaced_open_until_it_ends():
    # awaken R36, P12
    registry, old = Registry(), Client("old")
    registry.register_provider("p", old)
    with registry.lease() as first, registry.lease():
        registry.replace_provider("p", Client("new"))
        first.executor("p").call()
        first.release()
        assert (old.closed, registry.statistics().retired_executors) == (0, 1)

    assert (old.closed, registry.statistics().retired_executors) == (1, 0)


def test_it_is_closed_once_whatever_happens_to_it():
    registry, client = Registry(), Client("c")
    registry.register_provider("p", client)
    lease = registry.lease()
    registry.remove_provider("p", BLOCK)
    lease.release()
    lease.release()
    registry.close()
    registry.close()

    assert client.closed == 1


def test_a_renamed_provider_keeps_its_executor_open():
    registry, client = Registry(), Client("c")
    registry.register_provider("p", client)
    registry.rename("providers", "p", "q")

    assert client.closed == 0


def test_an_executor_that_another_provider_shares_stays_open():
    registry, client = Registry(), Client("c")
    registry.register_provider("p", client)
    registry.register_provider("q", client)
    lease = registry.lease()
    registry.remove_provider("p", BLOCK)
    registry.remove_provider("q", BLOCK)
    assert client.closed == 0
    lease.release()

    assert client.closed == 1


def test_a_rollback_takes_back_what_still_waits():
    registry, old, new = Registry(), Client("old"), Client("new")
    registry.register_provider("p", old)
    with registry.lease():
        registry.replace_provider("p", new)
        registry.rollback(2)

    assert (old.closed, new.closed) == (0, 1)
    assert registry.snapshot().executor("p") is old


def test_a_rollback_to_what_was_closed_is_refused_without_a_recipe():
    registry = Registry()
    registry.register_provider("p", Client("old"))
    registry.replace_provider("p", Client("new"))

    with pytest.raises(ExecutorClosedError, match="the executor of provider 'p' was closed"):
        registry.rollback(2)

    assert registry.version == 3
    registry.snapshot().executor("p").call()


def test_a_rollback_to_what_was_closed_makes_it_anew_from_its_recipe():
    made = []
    registry = Registry()
    registry.register_provider_spec(ProviderSpec("p", "k"), lambda spec: made.append(Client("made")) or made[-1])
    registry.snapshot().executor("p")
    registry.remove_provider("p", BLOCK)
    registry.rollback(2)
    registry.snapshot().executor("p").call()

    assert [client.closed for client in made] == [1, 0]
    registry.close()


def test_shutdown_closes_the_last_opened_first_and_refuses_writes():
    # awaken R36
    log = []
    registry = Registry()
    registry.update(
        lambda draft: [
            draft.register_provider_spec(ProviderSpec(name, "k"), lambda spec: Client(spec.id, log)) for name in "abc"
        ]
    )
    for name in "bca":
        registry.snapshot().executor(name)
    registry.close()

    assert log == ["a", "c", "b"]
    with pytest.raises(RegistryClosedError):
        registry.register_plugin(PluginSpec("x"))
    assert registry.version == 2


def test_shutdown_does_not_close_under_a_lease():
    registry, client = Registry(), Client("c")
    registry.register_provider("p", client)
    lease = registry.lease()

    with pytest.raises(DrainTimeoutError, match="leases on versions 2 did not end in 0"):
        registry.close(timeout_s=0)
    assert client.closed == 0
    lease.release()
    registry.close()
    assert client.closed == 1


def test_shutdown_inside_an_update_is_refused(registry):
    def nest(draft):
        with pytest.raises(NestedUpdateError):
            registry.close()

    registry.update(nest)


def test_a_failing_close_is_reported_and_takes_nothing_back(caplog):
    # awaken R36, R39
    class Broken(Client):
        def close(self):
            raise OSError("no route")

    registry = Registry()
    registry.register_provider("p", Broken("b"))
    with caplog.at_level(logging.ERROR, "harness.registry"):
        assert registry.replace_provider("p", Client("new")) == 3

    assert "closing the executor of provider 'p' failed" in caplog.text
    assert (registry.statistics().close_errors, registry.statistics().closed_executors) == (1, 1)


def test_an_asynchronous_close_runs_on_the_loop_that_opened_the_executor():
    registry, client = Registry(), AsyncClient()

    async def main():
        registry.register_provider("p", client)
        lease = registry.lease()
        other = threading.Thread(target=registry.replace_provider, args=("p", object()))
        other.start()
        await asyncio.to_thread(other.join)
        assert not await registry.adrain(timeout_s=0)
        threading.Thread(target=lease.release).start()
        assert await registry.adrain()
        return asyncio.get_running_loop()

    assert client.loops == [asyncio.run(main())]


def test_asynchronous_shutdown_closes_what_is_current():
    registry, client = Registry(), AsyncClient()

    async def main():
        registry.register_provider("p", client)
        await registry.aclose()

    asyncio.run(main())

    assert len(client.loops) == 1


@pytest.mark.parametrize("is_inside", [True, False])
def test_an_asynchronous_close_without_its_loop_is_reported(caplog, is_inside):
    registry = Registry()

    async def main():
        registry.register_provider("p", AsyncClient())

    if is_inside:
        asyncio.run(main())
    else:
        registry.register_provider("p", AsyncClient())
    with caplog.at_level(logging.ERROR, "harness.registry"):
        registry.remove_provider("p", BLOCK)

    assert "wants the event loop that opened it" in caplog.text
    assert registry.statistics().close_errors == 1


def test_a_lease_that_is_never_ended_warns():
    registry = Registry()
    with pytest.warns(ResourceWarning, match=r"lease on version 1 was never ended; use `with` or call release\(\)"):
        registry.lease()


def test_a_registry_that_leaves_its_own_executors_open_warns():
    def forget_one():
        registry = Registry()
        registry.register_provider_spec(ProviderSpec("p", "k"), lambda spec: Client("c"))
        registry.snapshot().executor("p")
        del registry
        gc.collect()

    with pytest.warns(ResourceWarning, match=r"executors of p were never closed; call close\(\), or await aclose\(\)"):
        forget_one()


def test_a_registry_with_executors_of_others_does_not_warn():
    registry = Registry()
    registry.register_provider("p", Client("c"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del registry
        gc.collect()


def test_statistics_count(registry):
    registry.subscribe(lambda publication: None)
    with registry.lease():
        registry.replace_provider("p", Client("c"))
        numbers = registry.statistics()

    assert (numbers.version, numbers.leases, numbers.leased_versions, numbers.subscriptions) == (2, 1, (1,), 1)
    assert registry.statistics().leases == 0


def leases_beside_a_replacement():
    registry = Registry()
    registry.register_provider("p", Client("one"))
    old = registry.snapshot().executor("p")

    def use():
        with registry.lease() as lease:
            lease.executor("p").call()
            lease.executor("p").call()

    threads = [threading.Thread(target=use) for _ in range(2)]
    threads.append(threading.Thread(target=registry.replace_provider, args=("p", Client("two"))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert old.closed == 1
    assert registry.statistics().retired_executors == 0


def test_no_schedule_closes_under_use_or_twice_or_never():
    # awaken P12
    result = explore(leases_beside_a_replacement, instrument=["harness.registry"], max_schedules=500)

    assert result.verdict is Verdict.PASSED, str(result)
