"""Run plans: what a run of an agent works with, resolved from one snapshot.

A plan keeps what it captured, whatever is published later. A run that starts another one resolves it anew, from what is
current then, and says where it comes from: a plan of another registry, or of a version that is no longer known, is no
such root.

Source: Awaken's resolver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from harness.registry.errors import NotFoundError, ProvenanceError
from harness.registry.near import near_matches
from harness.registry.registry import Registry
from harness.registry.snapshot import Snapshot
from harness.registry.specs import AgentSpec, ModelSpec

__all__ = ["RunPlan", "resolve_run"]


@final
@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run works with. Immutable.

    Attributes:
        snapshot: What it was resolved from.
        agent: The agent.
        models: The models it may think with, in order of preference; none for a remote agent.
    """

    snapshot: Snapshot
    agent: AgentSpec
    models: tuple[ModelSpec, ...]


def resolve_run(registry: Registry, agent_id: str, *, root: RunPlan | None = None) -> RunPlan:
    """The plan of a run that starts now. Reads the current snapshot once.

    Args:
        registry: Where to look.
        agent_id: The agent to run.
        root: The plan of the run that starts this one, if there is one. It does not fix the version.

    Raises:
        NotFoundError: No such agent.
        ProvenanceError: The root was not resolved from this registry, or so long ago that nobody can tell.
    """
    if root is not None and not any(entry.snapshot is root.snapshot for entry in registry.history()):
        raise ProvenanceError(root.agent.id, root.snapshot.version)
    snapshot = registry.snapshot()
    agent = snapshot.agents.get(agent_id)
    if agent is None:
        raise NotFoundError("agents", agent_id, snapshot.version, near_matches(agent_id, snapshot.agents))
    if agent.is_remote or agent.model_id is None:
        return RunPlan(snapshot, agent, ())
    pool = snapshot.model_pools.get(agent.model_id)
    model_ids = (agent.model_id,) if pool is None else pool.model_ids
    return RunPlan(snapshot, agent, tuple(snapshot.models[model_id] for model_id in model_ids))
