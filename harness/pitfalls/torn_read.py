"""One request that reads two versions."""

from __future__ import annotations

from collections.abc import Callable

from harness.pitfalls.fleet import executor, run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry import Draft, ModelId, ModelSpec, ProviderId, Registry

__all__ = ["TORN_READ"]

REQUESTS = 60

Resolve = Callable[[Registry, str], object]


def resolve_in_two_reads(registry: Registry, model_id: str) -> object:
    """Look the model up, then its provider, each in what is current at that moment."""
    provider_id = registry.snapshot().models[model_id].provider_id
    return registry.snapshot().executor(provider_id)


def resolve(registry: Registry, model_id: str) -> object:
    """Take one snapshot and read all from it."""
    snapshot = registry.snapshot()
    return snapshot.executor(snapshot.models[model_id].provider_id)


def requests_beside_move(resolve: Resolve) -> None:
    """One thread resolves a model again and again while another moves it to a new provider; each must find either."""
    registry = Registry()
    registry.register_provider("mail", executor("mail"))
    registry.register_model(ModelSpec(ModelId("fast"), ProviderId("mail")))
    found: dict[int, object] = {}

    def requests() -> None:
        for number in range(REQUESTS):
            found[number] = resolve(registry, "fast")

    def move() -> None:
        def to_search(draft: Draft) -> None:
            draft.register_provider("search", executor("search"))
            draft.replace_model(ModelSpec(ModelId("fast"), ProviderId("search")))
            draft.unregister_provider("mail")

        registry.update(to_search)

    run_together(requests, move)
    assert len(found) == REQUESTS, f"request {len(found) + 1} found a model without its provider"


def broken() -> None:
    """Mix two versions under some schedules."""
    requests_beside_move(resolve_in_two_reads)


def mended() -> None:
    """Read one version under all."""
    requests_beside_move(resolve)


TORN_READ = Pitfall(
    id="torn-read",
    title="a request mixes two versions of the registry",
    origin="awaken P6, R2, C25",
    family="torn read",
    broken=broken,
    mended=mended,
    program=requests_beside_move,
    replaced=(resolve_in_two_reads, resolve),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="One request, one snapshot.",
)
