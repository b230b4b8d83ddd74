"""Keys: the namespaces of a registry and the address of one entry.

Edges run from an entry to what it needs, and ``NAMESPACES`` lists the namespaces so that dependents come before what
they depend on. Delegation between agents is the one relation that stays within a namespace, and it may be cyclic.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

__all__ = ["NAMESPACES", "SINGULAR", "Key", "Namespace"]

Namespace: TypeAlias = Literal["agents", "model_pools", "models", "providers", "tools", "plugins", "backends"]
Key: TypeAlias = tuple[str, str]  # (namespace, id)

NAMESPACES: Final[tuple[Namespace, ...]] = (
    "agents",
    "model_pools",
    "models",
    "providers",
    "tools",
    "plugins",
    "backends",
)
SINGULAR: Final[dict[str, str]] = {
    "agents": "agent",
    "model_pools": "model pool",
    "models": "model",
    "providers": "provider",
    "tools": "tool",
    "plugins": "plugin",
    "backends": "backend",
}
