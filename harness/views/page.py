"""A view as one HTML file that works from disk: no server, no network, no Python.

The policy in its head forbids the page to load anything. The picture stands in the markup, so that it is there without
JavaScript too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Final

from harness.views.explorer import Answer, GraphExplorer
from harness.views.query import Query
from harness.views.text import clean

__all__ = ["STYLE", "graph_page", "module_text", "page"]

_STATIC: Final = Path(__file__).parent / "static"
STYLE: Final = (_STATIC / "view.css").read_text(encoding="utf-8")

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
_MODEL = """
const state = JSON.parse(document.getElementById("state").textContent);
const set = (name, value) => (state[name] = value);
const model = { get: (name) => state[name], set, save_changes() {}, on() {}, off() {} };
const el = document.getElementById("view");
el.replaceChildren();
render({ model, el });
"""


def module_text(name: str) -> str:
    """Return the ES module of a view, complete: the shared stage and its own part."""
    return "\n".join((_STATIC / f"{part}.js").read_text(encoding="utf-8") for part in ("stage", name))


def graph_page(explorer: GraphExplorer, answer: Answer, query: Query) -> str:
    """Return a dependency graph as a page."""
    state = {
        "data": explorer.page_data(),
        "picture": answer.for_page(),
        "query": explorer.write_query(query),
        "live": False,
    }
    return page(f"Registry, version {explorer.version}", "graph", answer.svg, state)


def page(heading: str, module: str, svg: str, state: Mapping[str, object]) -> str:
    """Return a page: ``svg`` as it is, and the view that takes its place where JavaScript runs."""
    # No "<" and no "&" in the data: nothing in it can end the element it stands in.
    data = json.dumps(state, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(clean(heading))}</title>\n<style>body {{ margin: 8px; }}\n"
        "@media (prefers-color-scheme: dark) { body { background: #1b1f24; } }\n"
        f'{STYLE}</style>\n</head>\n<body>\n<main id="view">{svg}</main>\n'
        f'<script type="application/json" id="state">{data}</script>\n'
        f'<script type="module">\n{module_text(module)}{_MODEL}</script>\n</body>\n</html>\n'
    )
