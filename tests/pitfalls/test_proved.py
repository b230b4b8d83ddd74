"""Which mended pitfalls are proved, and why the others are not."""

from __future__ import annotations

import pytest

from harness import Verdict, explore, pitfalls

UNPROVED = {"close-under-use", "retired-pool-served"}  # a look-up with a default that leads to shared state is opaque
NETWORKED = {"client-on-two-loops"}  # who sent what arrives is not declared


@pytest.mark.parametrize("pitfall", pitfalls.all(), ids=lambda pitfall: pitfall.id)
def test_broken_form_is_found(pitfall):
    result = explore(pitfall.broken, strategy="dpor", instrument=pitfall.instrument, max_schedules=50)

    assert result.verdict is Verdict.FAILED


@pytest.mark.parametrize("pitfall", pitfalls.all(), ids=lambda pitfall: pitfall.id)
def test_mended_form_is_proved_or_says_why_not(pitfall):
    schedules = 50 if pitfall.id in NETWORKED else 2_000

    result = explore(pitfall.mended, strategy="dpor", instrument=pitfall.instrument, max_schedules=schedules)

    assert result.schedules >= 2
    if pitfall.id in NETWORKED:
        assert result.verdict is Verdict.PASSED
        assert any("'the network'" in limit for limit in result.limits)
    elif pitfall.id in UNPROVED:
        assert result.verdict is Verdict.PASSED
        assert "may do anything" in result.limits[0]
    else:
        assert result.verdict is Verdict.PROVED, result.limits
