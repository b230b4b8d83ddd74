"""Options of the test suite as a whole."""

from __future__ import annotations

import random

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tiers", "tests of the second tier")
    group.addoption("--long-sample", type=int, metavar="N", help="of the tests marked long, run N drawn by the seed")
    group.addoption("--long-seed", type=int, default=0, metavar="S", help="seed of --long-sample, 0 by default")


@pytest.hookimpl(trylast=True)  # after `-m`, so that the sample is drawn from what would run
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    size = config.getoption("--long-sample")
    if size is None:
        return
    marked = sorted(item.nodeid for item in items if item.get_closest_marker("long") is not None)
    chosen = set(random.Random(config.getoption("--long-seed")).sample(marked, min(size, len(marked))))
    is_left_out = [item for item in items if item.get_closest_marker("long") is not None and item.nodeid not in chosen]
    config.hook.pytest_deselected(items=is_left_out)
    items[:] = [item for item in items if item not in is_left_out]
