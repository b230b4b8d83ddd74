"""Small states that the tests start from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest

from harness.registry import AgentSpec, Draft, ModelSpec, Registry

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture
def fixtures() -> Path:
    return FIXTURES


@pytest.fixture
def draft() -> Draft:
    """Provider p, model m on p, agent a on m."""
    draft = Draft()
    draft.register_provider("p", "executor of p")
    draft.register_model(ModelSpec("m", "p"))
    draft.register_agent(AgentSpec("a", "m"))
    return draft


@pytest.fixture
def registry(draft: Draft) -> Registry:
    return Registry(draft.freeze())


@pytest.fixture
def together() -> Callable[[list[Callable[[], object]]], list[object]]:
    return run_together


def run_together(calls: list[Callable[[], object]]) -> list[object]:
    """What the calls return or raise, each on a thread of its own, all begun at once."""
    outcomes: list[object] = [None] * len(calls)
    barrier = Barrier(len(calls))

    def run(position: int) -> None:
        barrier.wait()
        try:
            outcomes[position] = calls[position]()
        except Exception as error:
            outcomes[position] = error

    threads = [Thread(target=run, args=(position,)) for position in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
