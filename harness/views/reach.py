"""Which providers stand behind an entry.

An agent depends on the providers of its own models, also through a pool. What it delegates is the other agent's
dependency: followed further, every supervisor would depend on everything. A remote agent uses no local model, as in
removal previews.
"""

from __future__ import annotations

from harness.registry import DependencyGraph
from harness.views.grouping import Box

__all__ = ["providers_behind", "providers_by_entry"]

_Key = tuple[str, str]


def providers_by_entry(graph: DependencyGraph) -> dict[_Key, list[str]]:
    """Return for each entry with a provider behind it the providers' ids, sorted; a provider stands behind itself."""
    remote = {node.key for node in graph.nodes if node.remote}
    dependents: dict[_Key, list[_Key]] = {}
    for edge in graph.edges:
        if edge.source not in remote:
            dependents.setdefault(edge.target, []).append(edge.source)
    found: dict[_Key, list[str]] = {}
    for node in graph.nodes:
        if node.namespace == "providers":
            for key in _users(node.key, dependents):
                found.setdefault(key, []).append(node.id)
    return found


def providers_behind(box: Box, by_entry: dict[_Key, list[str]]) -> list[str]:
    """Return the ids of the providers behind any member of a box, sorted."""
    return sorted({provider for node in box.members for provider in by_entry.get(node.key, ())})


def _users(provider: _Key, dependents: dict[_Key, list[_Key]]) -> dict[_Key, None]:
    reached = {provider: None}
    waiting = [provider]
    while waiting:
        key = waiting.pop()
        for user in dependents.get(key, ()) if key[0] != "agents" else ():
            if user not in reached:
                reached[user] = None
                waiting.append(user)
    return reached
