"""Ids: one type per namespace, and the rule of what may be one.

An id is text that looks the same wherever it is shown and equals itself however it was typed: not blank, no space at
its ends, composed Unicode (NFC), no control or invisible character, none that begins or ends a tag, not too long.

Specs and results carry these types; look-ups and verbs take any text, because an id often comes from outside.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final, NewType, TypeVar

from harness.registry.errors import InvalidIdError, WrongTypeError

__all__ = [
    "MAX_ID_LENGTH",
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

MAX_ID_LENGTH: Final = 256  # characters; the longest of the 4,551 models in the public catalogue has 76


def check_id(field: str, value: T, *, max_length: int = MAX_ID_LENGTH) -> T:
    """The id itself.

    Raises:
        InvalidIdError: It is no text, or not one that may be an id.
    """
    if (
        isinstance(value, str)
        and value.isprintable()
        and value.strip() == value != ""
        and len(value) <= max_length
        and "<" not in value
        and ">" not in value
        and (value.isascii() or unicodedata.is_normalized("NFC", value))
    ):
        return value
    raise _invalid(field, value, max_length)


def check_ids(field: str, values: Iterable[T]) -> tuple[T, ...]:
    """The ids as a tuple, in the order given.

    Raises:
        InvalidIdError: One of them is no text, or not one that may be an id.
        WrongTypeError: A single text was given, which would be taken letter by letter.
    """
    if isinstance(values, str):
        raise WrongTypeError(field, "a sequence of ids", values)
    return tuple(check_id(field, value) for value in values)


def _invalid(field: str, value: object, max_length: int) -> InvalidIdError:
    if not isinstance(value, str) or not value.strip():
        return InvalidIdError(field, value)
    if len(value) > max_length:
        problem = f"at most {max_length} characters, has {len(value)}: {value[:40]!r}…"
        return InvalidIdError(field, value, problem, "shorten it")
    if value.strip() != value:
        return InvalidIdError(field, value, f"no space at its ends, is {value!r}", "strip it")
    strange = next((letter for letter in value if not letter.isprintable()), None)
    if strange is not None:
        problem = f"no control or invisible character, has U+{ord(strange):04X} in {value!r}"
        return InvalidIdError(field, value, problem, "take it out")
    if not unicodedata.is_normalized("NFC", value):
        composed = unicodedata.normalize("NFC", value)
        return InvalidIdError(field, value, f"composed Unicode (NFC), is {value!a}", f"write it {composed!a}")
    return InvalidIdError(field, value, f"no < and no >, is {value!r}", "leave out what looks like a tag")
