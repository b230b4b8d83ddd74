"""What a picture's filters go by: the state of an entry and the words it is filed under.

Taken from the specs' own fields and from who refers to whom. Settings of a provider are never read: they may hold
secrets, and nothing that is not read here can reach a picture, a table or a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from harness.registry import DependencyGraph, Key, ModelSpec, ProviderSpec, Snapshot

__all__ = ["STATUSES", "Facts", "facts_of"]

STATUSES: Final = ("used", "unused", "remote", "to be retired")


@final
@dataclass(frozen=True, slots=True)
class Facts:
    """State and tag of one entry. Immutable.

    Attributes:
        statuses: Those of ``STATUSES`` that hold. An entry is used if another names it; agents are used by those who
            delegate to them. A model with a date of deprecation is to be retired, whatever today is.
        tag: Kind of a provider, mode of a model, empty for all else.
    """

    statuses: tuple[str, ...]
    tag: str


def facts_of(graph: DependencyGraph, source: object) -> dict[Key, Facts]:
    """Return the facts of each node; of a source that is no ``Snapshot`` only what the graph tells."""
    named = {edge.target for edge in graph.edges if edge.source != edge.target}
    retired, tags = _from_specs(source)
    found: dict[Key, Facts] = {}
    for node in graph.nodes:
        holds = (node.key in named, node.key not in named, node.remote, node.key in retired)
        statuses = tuple(status for status, is_so in zip(STATUSES, holds, strict=True) if is_so)
        found[node.key] = Facts(statuses, tags.get(node.key, ""))
    return found


def _from_specs(source: object) -> tuple[set[Key], dict[Key, str]]:
    if not isinstance(source, Snapshot):
        return set(), {}
    specs: list[ModelSpec | ProviderSpec] = [*source.models.values(), *source.providers.values()]
    tags: dict[Key, str] = {
        (spec.namespace, spec.id): spec.mode or "" if isinstance(spec, ModelSpec) else spec.kind for spec in specs
    }
    return {("models", model.id) for model in source.models.values() if model.deprecation_date is not None}, tags
