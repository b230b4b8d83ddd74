"""A graph for other programs: CSV and a data frame of entries; mermaid text is the graph's own.

The browser writes the same two texts by itself (``static/graph.js``), because an exported page has no Python behind it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from harness.registry import DependencyGraph
from harness.views.query import adjacency, reach

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["to_csv", "to_frame", "write_csv"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def to_csv(graph: DependencyGraph) -> str:
    """Return one row per reference, with a heading; a cell that a spreadsheet would run gets an apostrophe."""
    columns = ("source_namespace", "source", "relation", "target_namespace", "target")
    return write_csv(columns, ((*edge.source, edge.relation, *edge.target) for edge in graph.edges))


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return CSV text with a heading."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def to_frame(graph: DependencyGraph) -> pd.DataFrame:
    """Return one row per entry, sorted by namespace and id; see ``GraphView.to_frame``."""
    import pandas as pd

    needs, needed_by = adjacency(graph.edges), adjacency(graph.edges, reverse=True)
    rows = [
        (
            *node.key,
            node.remote,
            *(
                count
                for way in (needed_by, needs)
                for count in (len(set(way.get(node.key, ()))), _total(way, node.key))
            ),
        )
        for node in graph.nodes
    ]
    counts = ["needed_by", "needed_by_total", "needs", "needs_total"]
    frame = pd.DataFrame(rows, columns=["namespace", "id", "remote", *counts])
    return frame.astype({"remote": "bool", **dict.fromkeys(counts, "int64")})


def _total(way: dict[tuple[str, str], list[tuple[str, str]]], key: tuple[str, str]) -> int:
    return len(reach(way, [key])) - 1


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
