from __future__ import annotations

import pytest

from harness.registry import Registry, display


def test_snapshot_displays_as_its_graph() -> None:
    bundle = Registry().snapshot()._repr_mimebundle_()

    assert bundle["text/plain"] == "registry version 1: no entries"
    assert str(bundle["image/svg+xml"]).startswith("<svg")


def test_snapshot_without_views_displays_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "entry_points", lambda **_: ())

    assert set(Registry().snapshot()._repr_mimebundle_()) == {"text/plain"}
