"""Objects whose class is told by code of the program, as lazy proxies do, are not asked for it."""

from __future__ import annotations

import threading

import pytest

from harness.explore import explore

pytestmark = pytest.mark.portable


class Proxy:
    asked = 0

    @property
    def __class__(self):
        Proxy.asked += 1
        return dict

    def __init__(self):
        self.client = None

    def load(self):
        if self.client is None:
            self.client = object()
        return self.client


def two_load():
    proxy, found = Proxy(), []
    threads = [threading.Thread(target=lambda: found.append(proxy.load())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Proxy.asked == 0, "asked"
    assert found[0] is found[1], "two"


@pytest.mark.parametrize("strategy", ["random", "dpor"])
def test_proxy_is_not_asked_for_its_class(strategy):
    result = explore(two_load, strategy=strategy, races="report")

    assert str(result.failure.error).startswith("two")
    assert result.limits == ()
    assert "Proxy#1.client" in result.failure.explain()
