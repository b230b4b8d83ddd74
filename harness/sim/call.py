"""A call of a function that is not rewritten, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.instrument import CallEffect
from harness.sim.stepping import Access

__all__ = ["Call"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that touches something.

    Attributes:
        name: Of the function, for people.
        effect: What is known of it.
        receiver: The object whose method it is, or ``None``.
        touches_receiver: What the method does to it, when it is known.
        arguments: All arguments.
        attribute: The attribute of the receiver that is touched, where it is no more than that.
    """

    name: str
    effect: CallEffect
    receiver: object
    touches_receiver: Access | None
    arguments: Sequence[object]
    attribute: str | None = None
