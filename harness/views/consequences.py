"""What a removal would do to every entry it touches, and why.

The registry's own rule decides what a policy lets through and takes along (``removing.try_removal``), and this module
says the same of each entry: the counts are those of the preview. One state per entry:

- *removed*: what was named; *cascaded*: what the policy takes along;
- *broken*: what cannot do without something removed or broken;
- *kept*: what names one of these and works on: a remote agent, an agent whose delegate is hurt.

A delegate that goes, asked for or taken along, is a reference that leads nowhere; one that breaks is still there.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, final

from harness.registry import (
    NAMESPACES,
    DependencyGraph,
    Edge,
    Key,
    RemovalPolicy,
    Snapshot,
)
from harness.views.grouping import count_of
from harness.views.removing import try_removal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATES", "Consequence", "Consequences", "State", "name_of", "removal_consequences"]

State: TypeAlias = Literal["removed", "cascaded", "broken", "kept"]
STATES: Final[tuple[State, ...]] = ("removed", "cascaded", "broken", "kept")

_BREAKING = {
    "provider": "its provider goes",
    "member": "loses a member",
    "model": "its model goes",
    "plugin": "its plugin goes",
    "delegate": "delegates to what goes",
    "tool": "its tool goes",
}
_POOL = "its pool loses a model"
_UNUSED = "no agent needs it"
_REMOTE, _DELEGATE = "runs elsewhere", "only its delegate is hurt"


@final
@dataclass(frozen=True, slots=True)
class Consequence:
    """What becomes of one entry. Immutable.

    Attributes:
        key: The entry.
        state: One of ``STATES``.
        cause: Why, in a few words; equal for all entries hurt in the same way.
        path: References from the entry to what is removed, both included.
    """

    key: Key
    state: State
    cause: str
    path: tuple[Key, ...]

    def describe_path(self) -> str:
        """Return the path in words: ``agent triage → model fast → provider mail``."""
        return " → ".join(map(name_of, self.path))


@final
@dataclass(frozen=True, slots=True)
class Consequences:
    """What a removal would do. Immutable.

    Attributes:
        version: The version it was computed on.
        targets: What is to be removed and is there, in the order given.
        missing: What is to be removed and is not there.
        policy: The policy asked about, ``None`` for none.
        is_allowed: Whether the policy lets the removal through; ``None`` without a policy.
        blocked_by: What stands in the way, sorted; empty if nothing does.
        touched: One per entry touched, by state, namespace and id.
    """

    version: int
    targets: tuple[Key, ...]
    missing: tuple[Key, ...]
    policy: RemovalPolicy | None
    is_allowed: bool | None
    blocked_by: tuple[Key, ...]
    touched: tuple[Consequence, ...]

    @property
    def counts(self) -> dict[State, int]:
        """Entries per state, all four."""
        found = Counter(consequence.state for consequence in self.touched)
        return {state: found[state] for state in STATES}

    @property
    def subject(self) -> str:
        """What is to be removed, in words."""
        names = [name_of(key) for key in (*self.targets, *self.missing)]
        return " and ".join(names) if len(names) <= 2 else f"{names[0]} and {len(names) - 1} others"

    @property
    def verdict(self) -> str:
        """What the policy says, in words; without a policy what breaks."""
        if not self.targets:
            return f"nothing to remove: {self.subject} is not in version {self.version}"
        if self.policy is None:
            return f"{self.counts['broken']} would break" if self.counts["broken"] else "nothing would break"
        if self.is_allowed:
            return f"{self.policy.value} lets it through"
        kinds = Counter(key[0] for key in self.blocked_by)
        words = [count_of(kinds[namespace], namespace) for namespace in NAMESPACES if kinds[namespace]]
        return f"{self.policy.value} refuses: {', '.join(words)} in the way"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per entry touched; see ``ImpactView.to_frame``."""
        import pandas as pd

        rows = [(c.state, *c.key, c.cause, len(c.path) - 1, c.describe_path()) for c in self.touched]
        frame = pd.DataFrame(rows, columns=["state", "namespace", "id", "cause", "distance", "path"])
        states = pd.CategoricalDtype(list(STATES))
        return frame.astype({"state": states, "distance": "int64"})


def name_of(key: Key) -> str:
    """Return such as ``provider mail``."""
    return f"{count_of(1, key[0]).removeprefix('1 ')} {key[1]}"


def removal_consequences(
    snapshot: Snapshot,
    wanted: Sequence[Key],
    policy: RemovalPolicy | None = None,
    *,
    graph: DependencyGraph | None = None,
) -> Consequences:
    """Return what removing the entries would do.

    Args:
        snapshot: The state to look at.
        wanted: What is to be removed.
        policy: What may be taken along, ``None`` to see what would break.
        graph: The snapshot's graph, where it is at hand.
    """
    graph = graph or snapshot.graph()
    known = {node.key for node in graph.nodes}
    targets = tuple(key for key in dict.fromkeys(wanted) if key in known)
    outcomes = () if policy is None else try_removal(snapshot, targets, policy)
    is_allowed = all(outcome.is_allowed for outcome in outcomes) if policy is not None else None
    taken = [key for outcome in outcomes for key in outcome.removed if key not in targets] if is_allowed else []
    is_unused = policy is not RemovalPolicy.CASCADE_ALL
    touched = _touched(graph, targets, taken, _UNUSED if is_unused else None)
    return Consequences(
        version=snapshot.version,
        targets=targets,
        missing=tuple(key for key in dict.fromkeys(wanted) if key not in known),
        policy=policy,
        is_allowed=is_allowed,
        blocked_by=tuple(sorted({key for outcome in outcomes for key in outcome.blocked_by})),
        touched=tuple(sorted(touched, key=_order)),
    )


def _order(consequence: Consequence) -> tuple[int, int, str]:
    namespaces: tuple[str, ...] = NAMESPACES
    return (STATES.index(consequence.state), namespaces.index(consequence.key[0]), consequence.key[1])


def _touched(
    graph: DependencyGraph, targets: Sequence[Key], taken: Iterable[Key], excuse: str | None
) -> list[Consequence]:
    named_by: dict[Key, list[Edge]] = {}
    for edge in graph.edges:
        named_by.setdefault(edge.target, []).append(edge)
    remote = {node.key for node in graph.nodes if node.remote}
    found = {key: Consequence(key, "removed", "asked for", (key,)) for key in targets}
    taken = frozenset(taken)
    waiting = deque(targets)
    while waiting:
        hurt = waiting.popleft()
        for edge in named_by.get(hurt, ()):
            if edge.source not in found and _breaks(edge, found, remote):
                path = (edge.source, *found[hurt].path)
                if edge.source in taken:
                    found[edge.source] = Consequence(edge.source, "cascaded", excuse or _cause(edge), path)
                else:
                    found[edge.source] = Consequence(edge.source, "broken", _cause(edge), path)
                waiting.append(edge.source)
    for hurt in list(found):
        for edge in named_by.get(hurt, ()):
            if edge.source not in found:
                path = (edge.source, *found[hurt].path)
                found[edge.source] = Consequence(edge.source, "kept", _reason(edge), path)
    return list(found.values())


def _breaks(edge: Edge, found: Mapping[Key, Consequence], remote: set[Key]) -> bool:
    if edge.relation in ("plugin", "delegate", "tool"):
        return found[edge.target].state in ("removed", "cascaded")
    if edge.relation == "model":
        return edge.source not in remote
    return edge.relation in _BREAKING


def _cause(edge: Edge) -> str:
    return _POOL if edge.relation == "model" and edge.target[0] == "model_pools" else _BREAKING[edge.relation]


def _reason(edge: Edge) -> str:
    return _REMOTE if edge.relation == "model" else _DELEGATE
