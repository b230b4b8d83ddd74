"""Races of an exploration: which executions are followed, and what is made of the pairs found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, final, get_args

from harness.explore.errors import InvalidArgumentError
from harness.explore.races.race import Access, Allow, Race, allowed, check_allow
from harness.explore.races.race_clocks import Pair, RaceClocks, Side

__all__ = ["ALWAYS", "EVERY", "RaceCollector", "RaceMode", "check_races"]

RaceMode = Literal["report", "fail", "off"]

# Clocks take about a third of the speed. Which accesses an execution leaves unordered depends little on its schedule,
# so that reports come from the first executions and from a sample of the others.
ALWAYS = 50  # executions at the start
EVERY = 8  # after them, one in so many
LATER, SELDOM = 1_000, 64  # and after the first thousand, one in so many


def check_races(races: str, allow: Iterable[Allow]) -> tuple[Allow, ...]:
    """Check the options of an exploration about races, and return what is allowed.

    Raises:
        InvalidArgumentError: one cannot be used.
    """
    if races not in get_args(RaceMode):
        raise InvalidArgumentError(f"{races=} is unknown; pass one of {', '.join(map(repr, get_args(RaceMode)))}")
    return check_allow(allow)


@final
class RaceCollector:
    """Collects the races of one exploration. Confined.

    Args:
        mode: ``fail`` follows every execution, ``report`` the first ones and a sample, ``off`` none.
        allow: Races that are none, each by its location or place, with the reason.

    Attributes:
        races: What was found and not allowed, in the order found.
    """

    def __init__(self, mode: RaceMode, allow: Sequence[Allow]) -> None:
        self.mode = mode
        self.races: list[Race] = []
        self._allow = allow
        self._clocks = RaceClocks()
        self._known: set[tuple[object, ...]] = set()

    def watch(self, executions: int) -> RaceClocks | None:
        """Return what follows the next execution after so many, or ``None`` where it is not followed."""
        if self.mode == "off" or (self.mode == "report" and not _is_sampled(executions)):
            return None
        self._clocks.begin()
        return self._clocks

    def has_news(self, watch: RaceClocks) -> bool:
        """Return whether an execution has pairs that were not met before."""
        return not self._known.issuperset(watch.pairs)

    def take(self, watch: RaceClocks, again: RaceClocks, schedule: int) -> list[Race]:
        """Take the new pairs of an execution; return the races among them that are not allowed.

        Args:
            watch: What followed it.
            again: What followed its repetition, with stacks.
            schedule: Its position, from 1.
        """
        fresh = [again.pairs.get(key, pair) for key, pair in watch.pairs.items() if key not in self._known]
        self._known.update(watch.pairs)
        races = [race for pair in fresh if not allowed(race := _race(pair, schedule), self._allow)]
        self.races += races
        return races


def _is_sampled(executions: int) -> bool:
    return executions < ALWAYS or not executions % (EVERY if executions < LATER else SELDOM)


def _race(pair: Pair, schedule: int) -> Race:
    return Race(pair.location, _access(pair.first), _access(pair.second), schedule)


def _access(side: Side) -> Access:
    site = side.site
    return Access(side.task, side.kind, site.file, site.line, site.qualname, side.stack)
