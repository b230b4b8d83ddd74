"""Shrinking of failing schedules: fewest preemptions first, then the shortest.

`shrink` runs the passes, one per file: `straighten` puts the same causal order into fewer stretches, `leave_out` drops
what the failure does not need, `few_switches` tries schedules with no or one preemption outright, `advance` moves
preemptions forward. They speak in an `Order`, which stays meaningful when a part of it goes.
"""

from __future__ import annotations

from harness.explore.shrinking.measure import Measure
from harness.explore.shrinking.shrinker import MAX_RUNS, PassCount, Recorded, Shrinking, recorded, shrink

__all__ = ["MAX_RUNS", "Measure", "PassCount", "Recorded", "Shrinking", "recorded", "shrink"]
