"""A thread's lock held across an await: the next task that wants it stops the loop that would release it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

from harness.pitfalls.fleet import Client
from harness.pitfalls.pitfall import Pitfall

__all__ = ["LOCK_ACROSS_AWAIT"]

PATIENCE_S = 0.001

Renew = Callable[["Provider"], Awaitable[None]]


class Provider:
    """A provider whose client is renewed now and then, by one task at a time."""

    def __init__(self) -> None:
        self.client, self.renewals = Client("0"), 0
        self.threads_lock, self.tasks_lock = threading.Lock(), asyncio.Lock()

    async def connect(self) -> None:
        """Replace the client by a new one, which a thread connects."""
        self.client = await asyncio.to_thread(Client, str(self.renewals + 1))
        self.renewals += 1


async def renew_under_a_lock_of_threads(provider: Provider) -> None:
    """Hold a lock of threads over the await; without the time-out the loop would stand still for ever."""
    if not provider.threads_lock.acquire(timeout=PATIENCE_S):
        raise TimeoutError("the loop waits for a lock that one of its own tasks holds")
    try:
        await provider.connect()
    finally:
        provider.threads_lock.release()


async def renew_under_a_lock_of_tasks(provider: Provider) -> None:
    """Hold a lock of tasks: who waits for it lets the loop go on."""
    async with provider.tasks_lock:
        await provider.connect()


def two_tasks_renew(renew: Renew) -> None:
    """Two tasks of one loop renew the client; both must get through."""

    async def main() -> Provider:
        provider = Provider()
        await asyncio.gather(renew(provider), renew(provider))
        return provider

    provider = None
    with suppress(TimeoutError):
        provider = asyncio.run(main())
    assert provider is not None, "a renewal waited for a lock that its own loop holds"
    assert provider.client.name == "2", f"renewed twice, have client {provider.client.name}"


def broken() -> None:
    """Stop the loop."""
    two_tasks_renew(renew_under_a_lock_of_threads)


def mended() -> None:
    """Get through under all schedules."""
    two_tasks_renew(renew_under_a_lock_of_tasks)


LOCK_ACROSS_AWAIT = Pitfall(
    id="lock-across-await",
    title="a task holds a thread's lock over an await, and the next one stops the loop",
    origin="flocks R27, B1",
    family="lock order",
    broken=broken,
    mended=mended,
    program=two_tasks_renew,
    replaced=(renew_under_a_lock_of_threads, renew_under_a_lock_of_tasks),
    instrument=(),
    lesson="Over an await hold only locks of the loop (asyncio.Lock); give a thread's lock back before it.",
)
