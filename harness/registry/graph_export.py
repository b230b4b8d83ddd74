"""Dependency graphs in the forms other tools read: networkx, Mermaid, data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.registry.errors import MissingExtraError

if TYPE_CHECKING:
    import networkx
    import pandas as pd

    from harness.registry.graph import DependencyGraph

__all__ = ["to_frame", "to_mermaid", "to_networkx"]

_ESCAPES: Final = str.maketrans({"#": "#35;", '"': "#quot;", "&": "#amp;", "<": "#lt;", ">": "#gt;"})


def to_networkx(graph: DependencyGraph) -> networkx.DiGraph:
    """The graph as a ``networkx.DiGraph``; see ``DependencyGraph.to_networkx``."""
    try:
        import networkx
    except ImportError as error:
        raise MissingExtraError("networkx", "lab") from error
    converted = networkx.DiGraph()
    for node in graph.nodes:
        converted.add_node(node.key, namespace=node.namespace, label=node.label, remote=node.remote)
    for edge in graph.edges:
        converted.add_edge(edge.source, edge.target, relation=edge.relation)
    return converted


def to_mermaid(graph: DependencyGraph) -> str:
    """The graph as a Mermaid flowchart; see ``DependencyGraph.to_mermaid``."""
    names = {node.key: f"n{position}" for position, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for node in graph.nodes:
        label = " ".join(f"{node.namespace}: {node.label}".split()).translate(_ESCAPES)
        opening, closing = ("([", "])") if node.remote else ("[", "]")
        lines.append(f'  {names[node.key]}{opening}"{label}"{closing}')
    lines += [f"  {names[edge.source]} -->|{edge.relation}| {names[edge.target]}" for edge in graph.edges]
    return "\n".join(lines) + "\n"


def to_frame(graph: DependencyGraph) -> pd.DataFrame:
    """The edges as a data frame; see ``DependencyGraph.to_frame``."""
    import pandas as pd

    rows = [(*edge.source, *edge.target, edge.relation) for edge in graph.edges]
    columns = ["source_namespace", "source_id", "target_namespace", "target_id", "relation"]
    return pd.DataFrame(rows, columns=columns, dtype="object")
