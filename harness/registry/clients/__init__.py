"""Clients: how users of a shared registry come to it.

``LazyRegistry`` builds the registry when it is first asked for, whole or not at all.
"""

from __future__ import annotations

from harness.registry.clients.lazy import LazyRegistry

__all__ = ["LazyRegistry"]
