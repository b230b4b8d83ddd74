"""Ids: one type per namespace, and the rule that none is blank.

Specs and results carry these types; look-ups and verbs take any text, because an id often comes from outside.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NewType, TypeVar

from harness.registry.errors import InvalidIdError, WrongTypeError

__all__ = [
    "AgentId",
    "BackendId",
    "ModelId",
    "ModelPoolId",
    "PluginId",
    "ProviderId",
    "ToolId",
    "check_id",
    "check_ids",
]

AgentId = NewType("AgentId", str)
BackendId = NewType("BackendId", str)
ModelId = NewType("ModelId", str)
ModelPoolId = NewType("ModelPoolId", str)
PluginId = NewType("PluginId", str)
ProviderId = NewType("ProviderId", str)
ToolId = NewType("ToolId", str)

T = TypeVar("T", bound=str)


def check_id(field: str, value: T) -> T:
    """The id itself.

    Raises:
        InvalidIdError: It is not text, is empty or is blank.
    """
    if not isinstance(value, str) or not value.strip():
        raise InvalidIdError(field, value)
    return value


def check_ids(field: str, values: Iterable[T]) -> tuple[T, ...]:
    """The ids as a tuple, in the order given.

    Raises:
        InvalidIdError: One of them is not text, is empty or is blank.
        WrongTypeError: A single text was given, which would be taken letter by letter.
    """
    if isinstance(values, str):
        raise WrongTypeError(field, "a sequence of ids", values)
    return tuple(check_id(field, value) for value in values)
