"""Fingerprints: what a state holds, as a number.

Each entry has the SHA-256 of its canonical JSON. A state has the sum of its entries' numbers modulo ``2**256``: order
does not matter, and a change of one entry costs one addition and one subtraction, whatever the size of the state.

In it are the specs, settings with their secrets masked included. Not in it are executors, clients, the values of
secrets and the version; so equal fingerprints mean equal data, not that one registry may stand in for the other.

Sums of hashes do not withstand somebody who chooses the entries to make two states collide. They are for noticing
change, not for signing.

Source: identity of published versions in Awaken (ADR-0035).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from hashlib import sha256
from operator import attrgetter
from typing import Any, Final

from harness.registry.secrets import masked
from harness.registry.sorted_map import SortedMap
from harness.registry.specs import (
    AgentSpec,
    BackendSpec,
    ModelPoolSpec,
    ModelSpec,
    PluginSpec,
    ProviderSpec,
    Spec,
    ToolSpec,
)

__all__ = ["describe_fingerprint", "entry_fingerprint"]

_SCHEMA: Final = 1  # raised when the meaning of a field changes
_MODULUS: Final = 2**256
_KINDS: Final = (ProviderSpec, ModelSpec, ModelPoolSpec, AgentSpec, ToolSpec, PluginSpec, BackendSpec)
# One C call each: this runs under the writers' lock, and each step of ours is a scheduling point when explored.
_VALUES: Final[dict[type[Spec], Callable[[Any], object]]] = {
    kind: attrgetter("namespace", *(item.name for item in fields(kind))) for kind in _KINDS
}


def entry_fingerprint(spec: Spec) -> int:
    """The number of one entry, the same in every process."""
    return int.from_bytes(sha256(_encode(_VALUES[type(spec)](spec)).encode()).digest(), "big")


def describe_fingerprint(total: int) -> str:
    """A sum of entries' numbers as text: schema and 64 hexadecimal digits."""
    return f"{_SCHEMA}-{total % _MODULUS:064x}"


def _plain(value: object) -> object:
    if isinstance(value, SortedMap):
        return masked(value)
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return {"object": type(value).__qualname__}


_encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True, default=_plain).encode
