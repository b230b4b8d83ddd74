"""Updates that vanish on one loop: between copy and publish there is an await, and another task comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from harness.pitfalls.fleet import executor
from harness.pitfalls.pitfall import Pitfall
from harness.registry import Draft, Registry

__all__ = ["LOST_UPDATE_ASYNC"]

Register = Callable[[Registry, str], Awaitable[object]]


def ping(provider_id: str) -> None:
    """Ask a provider for a sign of life, in a thread, as blocking clients have to be."""
    assert executor(provider_id).complete("ping")


async def register_across_an_await(registry: Registry, provider_id: str) -> None:
    """Copy, ping, publish: during the ping other tasks publish too."""
    draft = Draft(registry.snapshot())
    draft.register_provider(provider_id, executor(provider_id))
    await asyncio.to_thread(ping, provider_id)
    registry.publish(draft)


async def register_after_the_await(registry: Registry, provider_id: str) -> None:
    """Ping first; copy, change and publish as one update."""
    await asyncio.to_thread(ping, provider_id)
    registry.register_provider(provider_id, executor(provider_id))


def two_tasks_register(register: Register) -> None:
    """Two tasks of one loop register a provider each; afterwards both must be there."""
    registry = Registry()

    async def main() -> None:
        await asyncio.gather(register(registry, "mail"), register(registry, "search"))

    asyncio.run(main())
    registered = sorted(registry.snapshot().providers)
    assert registered == ["mail", "search"], f"registered mail and search, have {registered}"


def broken() -> None:
    """Lose a registration under some schedules."""
    two_tasks_register(register_across_an_await)


def mended() -> None:
    """Keep both under all."""
    two_tasks_register(register_after_the_await)


LOST_UPDATE_ASYNC = Pitfall(
    id="lost-update-async",
    title="a registration vanishes because there is an await between copy and publish",
    origin="awaken P1, flocks P12",
    family="lost update",
    broken=broken,
    mended=mended,
    program=two_tasks_register,
    replaced=(register_across_an_await, register_after_the_await),
    instrument=("harness.registry",),
    lesson="An await is where other tasks run: read what an update rests on after the last one, not before.",
)
