"""Event loops of the controlled world: real asyncio loops without a selector, on the virtual clock.

A loop runs inside the task of the thread that runs it (`event_loop`). Its ready queue is asyncio's own; the scheduler
decides when other threads' callbacks come in and when the clock advances. Tasks and futures count from 1 in each
execution (`loop_task`), so that what asyncio keeps in sets runs in the same order in every process (`ordered_set`).
`patches` puts all this where programs look for it, `policy` keeps each thread's loop, and `apart` keeps the loop that
the exploration itself may run in, a notebook's for instance, out of the world.

Imported when a world is made, never before: asyncio takes its time.
"""

from __future__ import annotations

from harness.sim.loops.apart import LoopsApart
from harness.sim.loops.event_loop import EventLoop
from harness.sim.loops.faults import Hushed
from harness.sim.loops.patches import loop_patches, ordered_sets

__all__ = ["EventLoop", "Hushed", "LoopsApart", "loop_patches", "ordered_sets"]
