"""Each pitfall is found in its broken form, silent in its mended one, and its token replays."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness import pitfalls
from harness.explore import Verdict, explore, replay, stress

PITFALLS = pitfalls.all()
by_id = pytest.mark.parametrize("pitfall", PITFALLS, ids=lambda pitfall: pitfall.id)
_REPLAY = """
import sys, harness
pitfall = harness.pitfalls.get(sys.argv[1])
print(type(harness.replay(pitfall.broken, sys.argv[2]).error).__name__)
"""


@pytest.mark.portable
@by_id
def test_broken_form_is_found_and_replays(pitfall):
    failure = explore(pitfall.broken, instrument=pitfall.instrument).failure

    assert failure is not None
    again = replay(pitfall.broken, failure.token)
    assert type(again.error) is type(failure.error)
    assert without_addresses(again.error) == without_addresses(failure.error)


@by_id
def test_mended_form_holds_with_choices_to_make(pitfall):
    result = explore(pitfall.mended, strategy="random", instrument=pitfall.instrument, max_schedules=300)

    assert result.verdict is Verdict.PASSED, str(result)
    assert result.limits == ()
    assert min(result.log.choices) > 0


@by_id
def test_forms_differ_in_one_function_of_at_most_twenty_lines(pitfall):
    broken, mended = pitfall.sources()
    program = inspect.getsource(pitfall.program)

    assert broken != mended
    assert broken.endswith(program)
    assert mended.endswith(program)
    assert 0 < len(pitfall.diff().splitlines()) <= 20


def without_addresses(error: BaseException | None) -> str:
    """Return the message; pytest's explanation of an assertion shows where its objects lie in memory."""
    return re.sub(r"\b0x[0-9a-f]+", "0x…", str(error))


@by_id
def test_pitfall_is_ordinary_code(pitfall):
    tree = ast.parse(Path(inspect.getfile(pitfall.broken)).read_text())
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert not any(name.startswith(("harness.sim", "harness.explore", "harness.instrument")) for name in imported)


@by_id
def test_mended_form_holds_natively(pitfall):
    assert stress(pitfall.mended, 50).failures == 0


def test_unknown_pitfall_gives_the_near_ones():
    with pytest.raises(pitfalls.UnknownPitfallError) as unknown:
        pitfalls.get("lost-updat")

    assert (
        str(unknown.value) == "no pitfall 'lost-updat' in the catalogue of 16; near: 'lost-update', 'lost-update-async'"
    )


@pytest.mark.long
@by_id
def test_token_replays_ten_of_ten_times_in_new_processes(pitfall):
    failure = explore(pitfall.broken, instrument=pitfall.instrument).failure
    assert failure is not None

    outcomes = [
        subprocess.run(
            [sys.executable, "-c", _REPLAY, pitfall.id, failure.token], capture_output=True, text=True, check=False
        )
        for _ in range(10)
    ]

    assert [ran.stdout for ran in outcomes] == [type(failure.error).__name__ + "\n"] * 10, json.dumps(
        outcomes[0].stderr
    )
