"""Checks of what callers pass: a refusal says what was wanted, what is so and what to do."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import TypeVar

from harness.explore.errors import InvalidArgumentError

__all__ = ["check_seconds", "listed", "whole"]

_T = TypeVar("_T")


def whole(name: str, value: object, least: int | None, wanted: str) -> int:
    """Return a whole number, also of a type of another library's, that must not be below ``least``.

    Raises:
        InvalidArgumentError: it is something else, or smaller.
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # whether it has one is asked here
    except TypeError:
        raise InvalidArgumentError(f"{name}={value!r} is no whole number; pass {wanted}") from None
    if least is not None and number < least:
        raise InvalidArgumentError(f"{name}={number!r} is below {least}; pass {wanted}")
    return number


def check_seconds(name: str, value: object, wanted: str) -> None:
    """Check that a value is a number of seconds above 0.

    Raises:
        InvalidArgumentError: it is not.
    """
    if not isinstance(value, (int, float)) or math.isnan(value):
        raise InvalidArgumentError(f"{name}={value!r} is no number; pass {wanted}")
    if value <= 0:
        raise InvalidArgumentError(f"{name}={value!r} is not above 0; pass {wanted}")


def listed(name: str, value: Iterable[_T], wanted: str) -> tuple[_T, ...]:
    """Return what a list holds; a text is none.

    Raises:
        InvalidArgumentError: it is no list.
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidArgumentError(f"{name}={value!r} is no list; pass {wanted}")
    return tuple(value)
