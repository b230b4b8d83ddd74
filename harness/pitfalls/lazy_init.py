"""Lazy initialisation that says it is done before it is."""

from __future__ import annotations

from collections.abc import Callable

from harness.pitfalls.fleet import executor, run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry import Registry
from harness.registry.clients import LazyRegistry

__all__ = ["LAZY_INIT"]

BUILT_IN = ("anthropic", "mistral", "openai")
GetRegistry = Callable[[], Registry]


def fill(registry: Registry) -> Registry:
    """Register the built-in providers and return the registry."""
    for provider_id in BUILT_IN:
        registry.register_provider(provider_id, executor(provider_id))
    return registry


def lazily_with_early_flag() -> GetRegistry:
    """Set the flag, then fill: whoever comes in between takes an unfilled registry for a filled one."""
    registry = Registry()
    state = {"initialised": False}

    def get() -> Registry:
        if not state["initialised"]:
            state["initialised"] = True
            fill(registry)
        return registry

    return get


def lazily() -> GetRegistry:
    """Build aside, publish once: whoever comes finds nothing or all."""
    return LazyRegistry(lambda: fill(Registry())).get


def two_first_users(make_lazy: Callable[[], GetRegistry]) -> None:
    """Two threads use the registry for the first time; each must find every built-in provider."""
    get = make_lazy()
    found: dict[str, list[str]] = {}

    def session() -> None:
        found["session"] = list(get().snapshot().providers)

    def workflow() -> None:
        found["workflow"] = list(get().snapshot().providers)

    run_together(session, workflow)
    for user, providers in found.items():
        assert providers == list(BUILT_IN), f"{user} found {providers}"


def broken() -> None:
    """Show a user an unfilled registry under some schedules."""
    two_first_users(lazily_with_early_flag)


def mended() -> None:
    """Show every user a filled one under all."""
    two_first_users(lazily)


LAZY_INIT = Pitfall(
    id="lazy-init",
    title="a flag is set before the table is filled",
    origin="flocks P1, R1",
    family="early flag",
    broken=broken,
    mended=mended,
    program=two_first_users,
    replaced=(lazily_with_early_flag, lazily),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="Build aside and publish in one assignment; check again under the lock.",
)
