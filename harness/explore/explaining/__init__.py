"""A failure in words: which accesses raced, what mends it, and the interleaving in columns.

`race` picks the accesses out of the events, `columns` lays the events that matter out beside each other, `explain` puts
the text together.
"""

from __future__ import annotations

from harness.explore.explaining.explain import explain
from harness.explore.explaining.race import Family, Race, find_race

__all__ = ["Family", "Race", "explain", "find_race"]
