"""Mounts: modules made into instances.

``ModuleLoader`` finds the mount function of a module once and binds it to each instance's own configuration.
"""

from __future__ import annotations

from harness.registry.mounts.loader import Config, ModuleLoader, MountFunction

__all__ = ["Config", "ModuleLoader", "MountFunction"]
