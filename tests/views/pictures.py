"""Reads pictures back from their SVG, and makes graphs and executions to draw."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

from harness.registry import DependencyGraph, Edge, Node
from harness.views.text import text_width

FIXTURES = Path(__file__).parents[2] / "fixtures"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert(1)</script>",
    "\"quotes' & ]]> ampersands",
    "🚀🧪 emoji 👩‍🔬",
    "עברית ועוד العربية \u202eoverride",
    "control \x00\x1b[31m\x07 and \ud800 surrogate \ufffe",
    "multi\nline\ttext\u2028here",
    "Z" + "\u0301" * 40 + "algo",
    "W" * 500,
    "模型" * 50,
    " ",
)


@dataclass(frozen=True)
class Label:
    text: str
    size: float
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Label) -> bool:
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)


def labels(svg: str) -> list[Label]:
    return [_label(text) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def _label(text: ElementTree.Element) -> Label:
    words = text.text or ""
    size, x, y = (float(text.get(name, "nan")) for name in ("font-size", "x", "y"))
    bold, mono = text.get("font-weight") == "bold", "Mono" in text.get("font-family", "")
    width = text_width(words, size, bold=bold, mono=mono)
    left = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor", "start")]
    return Label(words, size, left, y - 0.76 * size, left + width, y + 0.2 * size)


def assert_readable(svg: str) -> None:
    """No two labels overlap, none leaves the picture, none is below 9 px."""
    root = ElementTree.fromstring(svg)
    width, height = float(root.get("width", "nan")), float(root.get("height", "nan"))
    found = labels(svg)
    assert found
    for label in found:
        assert label.size >= 9, label
        assert label.left >= 0, label
        assert label.right <= width + 0.1, label
        assert label.bottom <= height, label
    clashes = [pair for pair in combinations(found, 2) if pair[0].overlaps(pair[1])]
    assert clashes == []


def assert_lines_stay_inside(svg: str) -> None:
    root = ElementTree.fromstring(svg)
    lines = [path.get("d", "") for path in root.iter(f"{SVG}path") if path.get("data-edge") is not None]
    xs = [float(x) for line in lines for x in re.findall(r"[MCH ](-?[\d.]+)(?= |$|[A-Z])", line)]
    assert min(xs, default=0) >= 0


def assert_plain(svg: str) -> None:
    """Only what every notebook host shows: presentation attributes, no styles, scripts, ids or foreign content."""
    root = ElementTree.fromstring(svg)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert tags <= {"svg", "title", "desc", "g", "rect", "circle", "path", "polygon", "text"}
    assert not {name for name in attributes if name in {"id", "style", "class", "href"} or name.startswith("on")}


def drawn_nodes(svg: str) -> list[ElementTree.Element]:
    return [element for element in ElementTree.fromstring(svg).iter(f"{SVG}g") if element.get("data-node") is not None]


@dataclass(frozen=True)
class Source:
    dependencies: DependencyGraph
    version: int = 1

    def graph(self) -> DependencyGraph:
        return self.dependencies


def source(nodes: Sequence[Node], edges: Sequence[tuple[tuple[str, str], tuple[str, str], str]] = ()) -> Source:
    return Source(DependencyGraph(tuple(nodes), tuple(Edge(*edge) for edge in edges)))


def entry(namespace: str, name: str, *, remote: bool = False) -> Node:
    return Node(namespace, name, name, remote)


@dataclass(frozen=True)
class Event:
    step: int
    task: int
    task_name: str
    kind: str
    target: str
    source: str = ""
    preempted: bool = False
    file: str = "src/counter.py"
    line: int = 7
    function: str = "increment"


@dataclass(frozen=True)
class Execution:
    events: Sequence[Event]
    title: str = "lost_update"
    error: BaseException | None = None


@dataclass(frozen=True)
class Failure:
    execution: Execution = field(default_factory=lambda: Execution([]))


def lost_update() -> Execution:
    rows = [
        (1, "start", "Thread#1", "first.start()", False),
        (1, "start", "Thread#2", "second.start()", False),
        (1, "join", "Thread#1", "first.join()", False),
        (2, "read", "Counter#1.n", "value = self.n", True),
        (3, "read", "Counter#1.n", "value = self.n", False),
        (3, "write", "Counter#1.n", "self.n = value + 1", False),
        (3, "end", "", "", False),
        (2, "write", "Counter#1.n", "self.n = value + 1", False),
        (2, "end", "", "", False),
        (1, "read", "Counter#1.n", "assert counter.n == 2", False),
        (1, "error", "AssertionError", "assert counter.n == 2", False),
    ]
    names = {1: "main", 2: "first", 3: "second"}
    events = [Event(step, row[0], names[row[0]], *row[1:]) for step, row in enumerate(rows)]
    return Execution(events, error=AssertionError("assert 1 == 2"))


def long_execution(events: int, tasks: int, *, name: str = "worker") -> Execution:
    kinds = ("read", "write", "acquire", "release", "wait", "start", "join", "sleep", "clock", "call", "end")
    made = []
    for step in range(events - 1):
        task = step // 3 * 5 % tasks + 1
        kind = kinds[step % len(kinds)]
        made.append(Event(step, task, f"{name}-{task}", kind, f"dict#{task}['{step}']", "x = y", step % 7 == 2))
    made.append(Event(events - 1, 1, f"{name}-1", "error", "KeyError", "raise KeyError"))
    return Execution(made, "long", KeyError("mail"))
