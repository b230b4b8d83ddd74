"""The catalogue: all pitfalls by id."""

from __future__ import annotations

import difflib

from harness.pitfalls.client_on_two_loops import CLIENT_ON_TWO_LOOPS
from harness.pitfalls.close_under_use import CLOSE_UNDER_USE
from harness.pitfalls.lazy_init import LAZY_INIT
from harness.pitfalls.listener_before_swap import LISTENER_BEFORE_SWAP
from harness.pitfalls.loader_closure_cache import LOADER_CLOSURE_CACHE
from harness.pitfalls.lock_across_await import LOCK_ACROSS_AWAIT
from harness.pitfalls.lost_update import LOST_UPDATE
from harness.pitfalls.lost_update_async import LOST_UPDATE_ASYNC
from harness.pitfalls.nested_update import NESTED_UPDATE
from harness.pitfalls.phantom_singleton import PHANTOM_SINGLETON
from harness.pitfalls.pitfall import Pitfall
from harness.pitfalls.preview_then_remove import PREVIEW_THEN_REMOVE
from harness.pitfalls.reader_blocked import READER_BLOCKED
from harness.pitfalls.replace_after_check import REPLACE_AFTER_CHECK
from harness.pitfalls.retired_pool_served import RETIRED_POOL_SERVED
from harness.pitfalls.torn_read import TORN_READ
from harness.pitfalls.untagged_cache import UNTAGGED_CACHE

__all__ = ["PitfallError", "UnknownPitfallError", "all", "get"]

_CATALOGUE = {
    pitfall.id: pitfall
    for pitfall in (
        LOST_UPDATE,
        LAZY_INIT,
        PREVIEW_THEN_REMOVE,
        REPLACE_AFTER_CHECK,
        TORN_READ,
        LISTENER_BEFORE_SWAP,
        READER_BLOCKED,
        NESTED_UPDATE,
        UNTAGGED_CACHE,
        CLOSE_UNDER_USE,
        RETIRED_POOL_SERVED,
        PHANTOM_SINGLETON,
        LOADER_CLOSURE_CACHE,
        LOST_UPDATE_ASYNC,
        LOCK_ACROSS_AWAIT,
        CLIENT_ON_TWO_LOOPS,
    )
}


class PitfallError(Exception):
    """Something about the catalogue of pitfalls went wrong."""


class UnknownPitfallError(PitfallError, ValueError):
    """No pitfall has this id."""

    def __init__(self, pitfall_id: str) -> None:
        super().__init__(pitfall_id)
        self.pitfall_id = pitfall_id

    def __str__(self) -> str:
        near = difflib.get_close_matches(self.pitfall_id, _CATALOGUE, n=2)
        hint = f"near: {', '.join(map(repr, near))}" if near else "list them with harness.pitfalls.all()"
        return f"no pitfall {self.pitfall_id!r} in the catalogue of {len(_CATALOGUE)}; {hint}"


def all() -> tuple[Pitfall, ...]:  # noqa: A001 - the public name
    """Return all pitfalls, in teaching order."""
    return tuple(_CATALOGUE.values())


def get(pitfall_id: str) -> Pitfall:
    """Return one pitfall.

    Raises:
        UnknownPitfallError: no pitfall has this id.
    """
    pitfall = _CATALOGUE.get(pitfall_id)
    if pitfall is None:
        raise UnknownPitfallError(pitfall_id)
    return pitfall
