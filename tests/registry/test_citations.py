"""Every rule, case and known bug of the source has a test that cites it, and every race target a pitfall."""

from __future__ import annotations

import re
from pathlib import Path

from harness import pitfalls

HERE = Path(__file__).parent
RULES = [f"R{number}" for number in (*range(1, 38), 42, 43)]
CASES = [f"C{number}" for number in (*range(1, 28), 49, 54, 55)]  # the others belong to hot reload
BUGS = [f"B{number}" for number in range(1, 11)]
RACES = [f"P{number}" for number in (1, 2, 3, 4, 5, 6, 8, 11, 12)]


def cited(text: str) -> set[str]:
    """What is named after ``awaken``, as in ``# awaken R3, C8``."""
    lists = re.findall(r"awaken ((?:[BCPR]\d+(?:, )?)+)", text)
    return {name for names in lists for name in re.findall(r"[BCPR]\d+", names)}


def test_every_rule_case_and_bug_is_cited_by_a_test():
    found = cited("\n".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py")))

    assert [name for name in (*RULES, *CASES, *BUGS) if name not in found] == []


def test_every_race_has_a_pitfall():
    found = cited("\n".join(pitfall.origin for pitfall in pitfalls.all()))

    assert [name for name in RACES if name not in found] == []
