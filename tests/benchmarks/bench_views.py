"""Time of the views: a catalogue of 4,551 models and a graph of 5,000 nodes, from the call to the paint in Chromium."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING

from harness.registry import Registry
from harness.views import GraphView, graph
from harness.views.explorer import GraphExplorer
from harness.views.facts import facts_of
from harness.views.graph_drawing import draw
from harness.views.grouping import Box, Bundle, Picture
from harness.views.layout import Cell, arrange
from harness.views.page import STYLE, module_text
from harness.views.query import Query
from tests.views.pictures import FIXTURES, entry, source

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUNS = 5
BOUNDS_MS = {
    "catalogue: call to widget data": 0,
    "catalogue: call to paint": 2_000,
    "catalogue: focus, Python": 0,
    "catalogue: focus, click to paint": 200,
    "5,000 nodes: layout": 300,
    "5,000 nodes: SVG around it": 0,
    "5,000 nodes: first paint": 600,
}
_MOUNT = """async ([source, style, state]) => {
  document.head.replaceChildren(Object.assign(document.createElement("style"), { textContent: style }));
  const heard = [];
  const model = {
    get: (name) => state[name], set: (name, value) => (state[name] = value), off() {},
    on: (_, hear) => heard.push(hear),
    save_changes: async () => { state.picture = (await answer(state.query)).picture; heard.forEach((hear) => hear()); },
  };
  window.painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const start = performance.now();
  document.body.replaceChildren();
  module.default.render({ model, el: document.body });
  document.body.getBoundingClientRect();
  await painted();
  return performance.now() - start;
}"""
_FOCUS = """async () => {
  const start = performance.now(), root = document.querySelector(".harness-view");
  const search = document.querySelector("input[type=search]");
  search.value = search.value === "bedrock" ? "mistral" : "bedrock";
  search.dispatchEvent(new Event("input"));
  document.querySelector("button.hv-entry").click();
  while (root.dataset.busy === "true") await new Promise((done) => setTimeout(done, 1));
  await painted();
  return performance.now() - start;
}"""


def five_thousand() -> GraphExplorer:
    """Return 5,000 entries over four ranks, of which none may be collapsed."""
    counts = {"agents": 3_000, "model_pools": 200, "models": 1_600, "providers": 200}
    nodes = [entry(namespace, f"{namespace}-{i}") for namespace, count in counts.items() for i in range(count)]
    edges = [(("agents", f"agents-{i}"), ("models", f"models-{i * 7 % 1_600}"), "model") for i in range(3_000)]
    edges += [
        (("model_pools", f"model_pools-{i}"), ("models", f"models-{i * 13 % 1_600}"), "member") for i in range(200)
    ]
    edges += [(("models", f"models-{i}"), ("providers", f"providers-{i % 200}"), "provider") for i in range(1_600)]
    dependencies = source(nodes, edges).graph()
    return GraphExplorer(1, dependencies, facts_of(dependencies, None), 5_000)


def one_box_each(explorer: GraphExplorer) -> Picture:
    boxes = tuple(Box(node.namespace, node.label, (node,)) for node in explorer.graph.nodes)
    number = explorer.number
    bundles = tuple(Bundle(number[e.source], number[e.target], e.relation, 1) for e in explorer.graph.edges)
    return Picture(boxes, bundles, ())


def state_of(explorer: GraphExplorer, picture: dict[str, object]) -> dict[str, object]:
    query = explorer.write_query(Query())
    return {"data": explorer.page_data(), "picture": picture, "query": query, "live": True}


def state_of_view(view: GraphView) -> dict[str, object]:
    return state_of(view._explorer, view._answer.for_page())


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def in_browser(page: Page, taken: dict[str, list[float]]) -> None:
    snapshot = Registry.from_file(FIXTURES / "model_catalogue.csv").snapshot()
    explorer = graph(snapshot)._explorer
    large = five_thousand()
    svg = draw(large.graph, one_box_each(large), "5,000 nodes", "")
    boxes = [[position] for position in range(len(large.graph.nodes))]
    page.expose_function("answer", lambda asked: {"picture": explorer.ask(explorer.read_query(asked)).for_page()})
    module = module_text("graph")
    for _ in range(RUNS):
        start = time.perf_counter()
        page.evaluate(_MOUNT, [module, STYLE, state_of_view(graph(snapshot))])
        taken["catalogue: call to paint"].append((time.perf_counter() - start) * 1e3)
        taken["catalogue: focus, click to paint"].append(page.evaluate(_FOCUS))
    for _ in range(RUNS):
        state = state_of(large, {"svg": svg, "text": "", "boxes": boxes})
        taken["5,000 nodes: first paint"].append(page.evaluate(_MOUNT, [module, STYLE, state]))


def in_python(taken: dict[str, list[float]]) -> None:
    snapshot = Registry.from_file(FIXTURES / "model_catalogue.csv").snapshot()
    view = graph(snapshot)
    large = five_thousand()
    picture = one_box_each(large)
    bands = {"agents": 0, "model_pools": 1, "models": 2, "providers": 3}
    cells = [Cell(bands[box.namespace], 120.0, 22.0) for box in picture.boxes]
    links = [(bundle.source, bundle.target) for bundle in picture.bundles]
    focus = Query(focus=(("providers", "bedrock"),))
    for _ in range(RUNS):
        taken["catalogue: call to widget data"].append(milliseconds(lambda: state_of_view(graph(snapshot))))
        taken["catalogue: focus, Python"].append(milliseconds(lambda: view._explorer.ask(focus)))
        layout = milliseconds(lambda: arrange(cells, links))
        taken["5,000 nodes: layout"].append(layout)
        whole = milliseconds(lambda: draw(large.graph, picture, "5,000 nodes", ""))
        taken["5,000 nodes: SVG around it"].append(whole - layout)


def main() -> int:
    from playwright.sync_api import sync_playwright

    taken: dict[str, list[float]] = {name: [] for name in BOUNDS_MS}
    in_python(taken)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        in_browser(browser.new_page(viewport={"width": 1400, "height": 900}), taken)
        browser.close()
    for name, times in taken.items():
        bound = f", bound {BOUNDS_MS[name]:5} ms" if BOUNDS_MS[name] else ""
        print(f"{name:34} {median(times):7.0f} ms, median of {RUNS}{bound}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
