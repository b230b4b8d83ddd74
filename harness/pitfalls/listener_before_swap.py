"""Listeners that are told before it is true."""

from __future__ import annotations

from collections.abc import Callable

from harness.pitfalls.fleet import executor, run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry import Draft, Registry

__all__ = ["LISTENER_BEFORE_SWAP"]

Listener = Callable[[int], None]
Register = Callable[[str], object]


def tell_while_writing(registry: Registry, listener: Listener) -> Register:
    """Tell from inside the update, when the new version is known and not yet current."""

    def register(provider_id: str) -> None:
        def change(draft: Draft) -> None:
            draft.register_provider(provider_id, executor(provider_id))
            listener(draft.version + 1)

        registry.update(change)

    return register


def tell_after_the_swap(registry: Registry, listener: Listener) -> Register:
    """Subscribe: publications are told in order, after they can be read."""
    registry.subscribe(lambda publication: listener(publication.version))

    return lambda provider_id: registry.register_provider(provider_id, executor(provider_id))


def two_writers_and_a_listener(make_register: Callable[[Registry, Listener], Register]) -> None:
    """Two threads write; whatever version a listener is told of, it must be able to read, and in order."""
    registry = Registry()
    told: list[tuple[int, int]] = []
    register = make_register(registry, lambda version: told.append((version, registry.version)))

    def mail() -> None:
        register("mail")

    def search() -> None:
        register("search")

    run_together(mail, search)
    assert [version for version, _ in told] == [2, 3], f"told of {told}"
    for version, read in told:
        assert read >= version, f"told of version {version}, read version {read}"


def broken() -> None:
    """Tell too early."""
    two_writers_and_a_listener(tell_while_writing)


def mended() -> None:
    """Tell in time under all schedules."""
    two_writers_and_a_listener(tell_after_the_swap)


LISTENER_BEFORE_SWAP = Pitfall(
    id="listener-before-swap",
    title="listeners are told of a version that cannot be read yet",
    origin="awaken P11, R37",
    family="early notice",
    broken=broken,
    mended=mended,
    program=two_writers_and_a_listener,
    replaced=(tell_while_writing, tell_after_the_swap),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="Swap first, then tell, outside of the lock and in the order of versions.",
)
