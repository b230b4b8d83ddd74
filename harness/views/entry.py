"""How a person names an entry: by its id, or by namespace and id where the id alone is not enough."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from harness.registry import NAMESPACES, Key
from harness.registry.near import near_matches
from harness.views.errors import AmbiguousEntryError, UnknownEntryError

__all__ = ["Entry", "find_entry"]

Entry: TypeAlias = str | Key


def find_entry(known: Collection[Key], entry: Entry, version: int) -> Key:
    """Return the key that is meant.

    Raises:
        UnknownEntryError: There is no such entry.
        AmbiguousEntryError: The id stands in several namespaces.
    """
    if not isinstance(entry, str):
        namespace, entry_id = entry
        if (namespace, entry_id) in known:
            return (namespace, entry_id)
        raise UnknownEntryError(entry_id, namespace, version, _near(known, entry_id, namespace))
    found = [(namespace, entry) for namespace in NAMESPACES if (namespace, entry) in known]
    if len(found) > 1:
        raise AmbiguousEntryError(entry, tuple(namespace for namespace, _ in found))
    if not found:
        raise UnknownEntryError(entry, None, version, _near(known, entry, None))
    return found[0]


def _near(known: Collection[Key], entry_id: str, namespace: str | None) -> tuple[str, ...]:
    return tuple(near_matches(entry_id, sorted({key[1] for key in known if namespace in (None, key[0])})))
