"""References: what a spec says about other entries.

The reverse index, the graph and renaming go by these two functions. An agent's model may be a model or a pool; until
it is looked up its reference stands under ``models``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

from harness.registry.keys import Key
from harness.registry.specs import AgentSpec, ModelPoolSpec, ModelSpec, Spec

__all__ = ["Reference", "references", "rename_in"]

Reference: TypeAlias = tuple[str, Key]  # (relation, key of what is needed)

_FIELDS_NAMING: dict[tuple[type[Spec], str], tuple[str, ...]] = {
    (ModelSpec, "providers"): ("provider_id",),
    (ModelPoolSpec, "models"): ("model_ids",),
    (AgentSpec, "models"): ("model_id",),
    (AgentSpec, "model_pools"): ("model_id",),
    (AgentSpec, "plugins"): ("plugin_ids", "active_hook_filter"),
    (AgentSpec, "agents"): ("delegates",),
    (AgentSpec, "tools"): ("tool_ids",),
}


def references(spec: Spec) -> tuple[Reference, ...]:
    """What the entry needs, in the order of its fields."""
    if isinstance(spec, ModelSpec):
        return (("provider", ("providers", spec.provider_id)),)
    if isinstance(spec, ModelPoolSpec):
        return tuple(("member", ("models", model_id)) for model_id in spec.model_ids)
    if isinstance(spec, AgentSpec):
        model: tuple[Reference, ...] = () if spec.model_id is None else (("model", ("models", spec.model_id)),)
        return (
            *model,
            *(("plugin", ("plugins", plugin_id)) for plugin_id in spec.plugin_ids),
            *(("delegate", ("agents", agent_id)) for agent_id in spec.delegates),
            *(("tool", ("tools", tool_id)) for tool_id in spec.tool_ids),
        )
    return ()


def rename_in(spec: Spec, key: Key, new_id: str) -> Spec:
    """The spec with the key's id changed wherever it stands, its own id included."""
    namespace, old_id = key
    changes: dict[str, Any] = {}  # Any: one dict holds the fields of seven classes
    if (spec.namespace, spec.id) == key:
        changes["id"] = new_id
    for name in _FIELDS_NAMING.get((type(spec), namespace), ()):
        value = getattr(spec, name)
        if isinstance(value, tuple):
            changes[name] = tuple(new_id if item == old_id else item for item in value)
        elif value == old_id:
            changes[name] = new_id
    return replace(spec, **changes)
