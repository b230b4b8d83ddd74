"""Races: which accesses an execution left in no order.

`RaceClocks` follows an execution as a `Watch` of the scheduler and finds pairs of accesses; `RaceCollector` decides
which executions of an exploration are followed, and makes a `Race` of each pair, with the calls that led to both
accesses.
"""

from __future__ import annotations

from harness.explore.races.collector import RaceCollector, RaceMode, check_races
from harness.explore.races.race import Access, Race, RaceError
from harness.explore.races.race_clocks import MARKER, RaceClocks

__all__ = ["MARKER", "Access", "Race", "RaceClocks", "RaceCollector", "RaceError", "RaceMode", "check_races"]
