"""Near matches for an unknown name."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from itertools import islice

__all__ = ["near_matches"]

_MOST_COMPARED = 2_000  # comparing costs about 10 µs each


def near_matches(name: str, known: Collection[str]) -> tuple[str, ...]:
    """Up to three known names that look like this one, the nearest first.

    Of a large collection only names of about the same length with the same first letter are compared, up to a bound.
    """
    if len(known) > _MOST_COMPARED:
        alike = (item for item in known if abs(len(item) - len(name)) <= 2 and item[:1] == name[:1])
        known = list(islice(alike, _MOST_COMPARED))
    return tuple(get_close_matches(name, known))
