from __future__ import annotations

import csv
from io import StringIO

from harness.registry import Registry
from harness.views import graph

from .pictures import FIXTURES, HOSTILE, entry, source

FLEET = Registry.from_file(FIXTURES / "fleet.yaml").snapshot()


def test_frame_counts_direct_and_all_on_both_sides() -> None:
    frame = graph(FLEET).to_frame().set_index(["namespace", "id"])

    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "remote": "bool",
        "needed_by": "int64",
        "needed_by_total": "int64",
        "needs": "int64",
        "needs_total": "int64",
    }
    assert frame.loc[("providers", "mistral-docs")].tolist() == [False, 2, 4, 0, 0]


def test_frame_has_the_rows_that_are_drawn() -> None:
    frame = graph(FLEET, focus="mistral-docs").to_frame()

    assert frame.id.tolist() == ["invoice-reader", "reply-translator", "scan", "translate", "mistral-docs"]


def test_csv_has_one_row_per_reference() -> None:
    rows = list(csv.reader(StringIO(graph(FLEET, focus="scan", up=0).to_csv())))

    assert rows == [
        ["source_namespace", "source", "relation", "target_namespace", "target"],
        ["models", "scan", "provider", "providers", "mistral-docs"],
    ]


def test_csv_gives_a_spreadsheet_nothing_to_run() -> None:
    formula = '=HYPERLINK("http://evil.example")'
    edges = [(("agents", "a"), ("agents", formula), "delegate")]
    rows = list(csv.reader(StringIO(graph(source([entry("agents", "a"), entry("agents", formula)], edges)).to_csv())))

    assert rows[1][-1] == f"'{formula}"


def test_mermaid_has_one_line_per_entry_and_reference() -> None:
    assert graph(FLEET, focus="scan", up=0).to_mermaid() == (
        'flowchart LR\n  n0["models: scan"]\n  n1["providers: mistral-docs (mistral)"]\n  n0 -->|provider| n1\n'
    )


def test_mermaid_of_hostile_names_has_no_markup() -> None:
    text = graph(source([entry("tools", name) for name in HOSTILE])).to_mermaid()

    assert "<" not in text
    assert len(text.splitlines()) == len(HOSTILE) + 1
