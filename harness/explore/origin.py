"""Where a failure comes from: the program and the options it was explored with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.explore.program import make_world
from harness.instrument import Target
from harness.sim import EngineName, Fault, World

__all__ = ["Origin"]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a failure was found in, to run its schedule again. Immutable."""

    program: Callable[[], object]
    instrument: tuple[Target, ...]
    isolate: tuple[object, ...]
    setup: Callable[[], object] | None
    engine: EngineName
    faults: tuple[Fault, ...] = ()

    def world(self) -> World:
        """Return a world as it was explored in, not yet entered."""
        options = {"isolate": self.isolate, "setup": self.setup, "engine": self.engine, "faults": self.faults}
        return make_world(self.program, self.instrument, **options)  # type: ignore[arg-type]  # by name
