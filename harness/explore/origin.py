"""Where a failure comes from: the program and the options it was explored with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.explore.arguments import listed
from harness.explore.program import check_program, check_setup, make_world
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
    allow: tuple[tuple[str, str], ...] = ()  # races that are none

    @classmethod
    def of(
        cls,
        program: Callable[[], object],
        instrument: Iterable[Target],
        isolate: Iterable[object],
        setup: Callable[[], object] | None,
        engine: EngineName,
        faults: Iterable[Fault],
    ) -> Origin:
        """Return what a caller has passed.

        Raises:
            InvalidArgumentError: the program or the setup cannot be called without arguments, or a list is none.
        """
        check_program(program)
        check_setup(setup)
        named = listed("instrument", instrument, _modules(instrument))
        put_back = listed("isolate", isolate, _modules(isolate))
        return cls(program, named, put_back, setup, engine, listed("faults", faults, "a list such as [Delay(30.0)]"))

    def world(self, *, patience_s: float | None = 2.0, kept: Sequence[object] = ()) -> World:
        """Return a world as it is explored in, not yet entered; see `make_world`."""
        options = {"isolate": self.isolate, "setup": self.setup, "engine": self.engine, "faults": self.faults}
        limits = {"patience_s": patience_s, "kept": kept}
        return make_world(self.program, self.instrument, **options, **limits)  # type: ignore[arg-type]  # by name


def _modules(named: object) -> str:
    return f"[{named!r}]" if isinstance(named, str) else "a list of modules or their names"
