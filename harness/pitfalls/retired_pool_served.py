"""A pool that is handed out and retired before it serves."""

from __future__ import annotations

from collections.abc import Callable

from harness.pitfalls.fleet import run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry import Draft, Registry

__all__ = ["RETIRED_POOL_SERVED"]

PARTS = 100  # of a request

Serve = Callable[[Registry], str]


class BridgePool:
    """Bridges to a provider; a closed pool admits no request."""

    def __init__(self, generation: int) -> None:
        self.generation, self.is_closed, self.admitted = generation, False, 0

    def admit(self) -> str:
        """Give a bridge to a request."""
        if self.is_closed:
            raise ConnectionError(f"the pool of generation {self.generation} is closed")
        self.admitted += 1
        return f"bridge of generation {self.generation}"

    def close(self) -> None:
        """Shut the bridges down."""
        self.is_closed = True


def send(pool: object) -> str:
    """Put a request together for the pool that was selected, and send it."""
    assert isinstance(pool, BridgePool)
    body: list[int] = []
    while len(body) < PARTS:
        body.append(pool.admitted)
    return pool.admit()


def select_then_admit(registry: Registry) -> str:
    """Select the current pool, then be admitted: a reload in between has retired it."""
    pool = registry.snapshot().executor("pool")
    return send(pool)


def select_and_admit(registry: Registry) -> str:
    """Hold the generation from selection to answer."""
    with registry.lease() as generation:
        pool = generation.executor("pool")
        return send(pool)


def requests_beside_reload(serve: Serve) -> None:
    """One thread sends two requests while a reload replaces the pool; neither may fail because of it."""
    registry = Registry()
    registry.register_provider("pool", BridgePool(1))
    served: list[str] = []

    def requests() -> None:
        served.extend((serve(registry), serve(registry)))

    draft = Draft(registry.snapshot())
    draft.replace_provider("pool", BridgePool(2))

    def reload() -> None:
        registry.publish(draft)

    run_together(requests, reload)
    assert len(served) == 2, "a request was sent to a closed pool"
    assert serve(registry) == "bridge of generation 2"


def broken() -> None:
    """Fail a request under some schedules."""
    requests_beside_reload(select_then_admit)


def mended() -> None:
    """Serve every request under all."""
    requests_beside_reload(select_and_admit)


RETIRED_POOL_SERVED = Pitfall(
    id="retired-pool-served",
    title="a request is sent to a pool that a reload has just retired",
    origin="coder P1",
    family="close under use",
    broken=broken,
    mended=mended,
    program=requests_beside_reload,
    replaced=(select_then_admit, select_and_admit),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="Selection and admission are one step: count the request before anyone may retire what it selected.",
)
