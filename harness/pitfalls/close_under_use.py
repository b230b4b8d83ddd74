"""A client that is closed while somebody uses it."""

from __future__ import annotations

from collections.abc import Callable

from harness.pitfalls.fleet import Client, run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry import Draft, Registry

__all__ = ["CLOSE_UNDER_USE"]

CALLS = 60

Use = Callable[[Registry, str], None]


def call_again_and_again(client: object) -> None:
    """What a run does with its client."""
    assert isinstance(client, Client)
    for _ in range(CALLS):
        client.call()


def use_what_is_current(registry: Registry, provider_id: str) -> None:
    """Take the client out of the current snapshot: nobody knows that it is in use."""
    call_again_and_again(registry.snapshot().executor(provider_id))


def use_under_a_lease(registry: Registry, provider_id: str) -> None:
    """Take it under a lease: it is closed after that."""
    with registry.lease() as lease:
        call_again_and_again(lease.executor(provider_id))


def run_beside_replacement(use: Use) -> None:
    """One thread is in a run while another replaces the client; the old one must be closed once, after the run."""
    registry, old = Registry(), Client("old")
    registry.register_provider("mail", old)

    def run() -> None:
        use(registry, "mail")

    draft = Draft(registry.snapshot())
    draft.replace_provider("mail", Client("new"))

    def replace() -> None:
        registry.publish(draft)

    run_together(run, replace)
    assert old.closed == 1, f"the old client was closed {old.closed} times"


def broken() -> None:
    """Call a closed client under some schedules."""
    run_beside_replacement(use_what_is_current)


def mended() -> None:
    """Close it after its last use under all."""
    run_beside_replacement(use_under_a_lease)


CLOSE_UNDER_USE = Pitfall(
    id="close-under-use",
    title="a replacement closes a client in the middle of a run",
    origin="awaken P12, R36",
    family="close under use",
    broken=broken,
    mended=mended,
    program=run_beside_replacement,
    replaced=(use_what_is_current, use_under_a_lease),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="Who uses a shared client holds a lease; whoever ends the last one closes it.",
)
