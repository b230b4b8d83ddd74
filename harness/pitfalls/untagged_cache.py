"""A cache of derived values that does not know what they were derived from."""

from __future__ import annotations

from collections.abc import Callable

from harness.pitfalls.fleet import executor, run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry import Draft, ModelId, ModelSpec, ProviderId, Registry, Snapshot

__all__ = ["UNTAGGED_CACHE"]

LENGTH = 80

Get = Callable[[], str]


def describe(snapshot: Snapshot) -> str:
    """Derive a value from a state, which takes a while."""
    words: list[str] = []
    while len(words) < LENGTH:
        words.append(str(snapshot.models["fast"].upstream_model))
    return words[-1]


def cleared_on_change(registry: Registry) -> Get:
    """Clear the cache when something is published: a value under way comes in after that, and stays."""
    cache: dict[str, str] = {}
    registry.subscribe(lambda _: cache.clear())

    def get() -> str:
        text = cache.get("fast")
        if text is None:
            text = cache["fast"] = describe(registry.snapshot())
        return text

    return get


def tagged_with_version(registry: Registry) -> Get:
    """Keep with each value the version it was derived from, and serve it at that version only."""
    cache: dict[str, tuple[int, str]] = {}

    def get() -> str:
        snapshot = registry.snapshot()
        version, text = cache.get("fast", (0, ""))
        if version != snapshot.version:
            text = describe(snapshot)
            cache["fast"] = snapshot.version, text
        return text

    return get


def reader_beside_change(make_cache: Callable[[Registry], Get]) -> None:
    """One thread fills the cache while another changes what it is derived from; afterwards the new must be served."""
    registry = Registry()
    registry.register_provider("mail", executor("mail"))
    registry.register_model(ModelSpec(ModelId("fast"), ProviderId("mail"), "mail-1"))
    get = make_cache(registry)

    draft = Draft(registry.snapshot())
    draft.replace_model(ModelSpec(ModelId("fast"), ProviderId("mail"), "mail-2"))

    def change() -> None:
        registry.publish(draft)

    run_together(get, change)
    assert get() == "mail-2", f"at version {registry.version} the cache says: {get()}"


def broken() -> None:
    """Serve a stale value under some schedules."""
    reader_beside_change(cleared_on_change)


def mended() -> None:
    """Serve the current one under all."""
    reader_beside_change(tagged_with_version)


UNTAGGED_CACHE = Pitfall(
    id="untagged-cache",
    title="a value of the old version enters the cache after it was cleared",
    origin="awaken P8, R35, C49",
    family="stale cache",
    broken=broken,
    mended=mended,
    program=reader_beside_change,
    replaced=(cleared_on_change, tagged_with_version),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="Tag what is derived with the version it came from; clearing cannot reach what is under way.",
)
