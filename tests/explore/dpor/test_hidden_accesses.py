"""Programs whose only shared access goes through a built-in in an unusual way: found, and never proved."""

from __future__ import annotations

import pytest

import harness
from harness import Verdict
from tests.programs.hidden_accesses import PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
def test_hidden_access_is_found_and_never_proved(name):
    result = harness.explore(PROGRAMS[name], strategy="dpor", max_schedules=100)

    # What random.shuffle draws may happen to be right.
    allowed = {Verdict.FAILED, Verdict.PASSED} if "random" in name else {Verdict.FAILED}
    assert result.verdict in allowed, str(result)
