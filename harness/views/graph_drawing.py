"""Draws a collapsed graph: lines, boxes, heads of columns, legend.

What an agent needs stands right of it when it ends in a provider, and left of it otherwise. Providers carry a letter,
and every entry the letters of the providers behind it: who depends on a provider can be read off without following a
line. With more providers than letters there are none, and lines are grey.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import final

from harness.registry import NAMESPACES, DependencyGraph, Key
from harness.views.grouping import Box, Bundle, Picture, count_of
from harness.views.layout import Arrangement, Cell, Column, Place, arrange
from harness.views.legend import Sample, legend
from harness.views.reach import providers_behind, providers_by_entry
from harness.views.shapes import CHIP, PALETTE, chip, outline, ring, stack
from harness.views.strokes import PLAIN, STROKES, SUPPLY, arrowhead, line_path, on_curve, stroke_of, stroke_sample
from harness.views.svg import INK, MUTED, PAPER, Point, document, element, label, number, title
from harness.views.text import fit, text_width, wrap

__all__ = ["Emphasis", "draw"]

_BANDS = {"tools": 0, "plugins": 0, "backends": 0, "agents": 1, "model_pools": 2, "models": 3, "providers": 4}
_MARGIN = 16.0
_NARROWEST = 560.0
_LABEL, _SMALL = 11.0, 9.5
_LONGEST_LABEL = 160.0
_PAD = 8.0
_CHIP_STEP = CHIP + 2
_MOST_CHIPS = 8
_MORE_CHIP = 28.0  # width of the chip that counts the others
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_REMOTE = "remote"


def draw(graph: DependencyGraph, picture: Picture, heading: str, text: str, emphasis: Emphasis | None = None) -> str:
    """Return the SVG of ``picture``, which was collapsed from ``graph`` or from a part of it.

    Args:
        graph: The whole graph, from which it is counted who uses a provider.
        picture: What to draw.
        heading: Title.
        text: Line below the title.
        emphasis: What to bring out; nothing if left out.
    """
    return _Drawing(graph, picture, emphasis or Emphasis()).finish(heading, text)


@final
@dataclass(frozen=True, slots=True)
class Emphasis:
    """What a picture brings out. Immutable.

    Attributes:
        focus: Entries with a ring around their boxes.
        path: Entries in the order of a path, whose lines are drawn heavy.
    """

    focus: frozenset[Key] = frozenset()
    path: tuple[Key, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class _Content:
    """What is written into one box. Immutable."""

    box: Box
    providers: list[str]  # behind the box; empty when there are too many providers for letters
    label: str
    notes: list[str]  # small lines below the label

    @property
    def chips_width(self) -> float:
        more = _MORE_CHIP + 2 if len(self.providers) > _MOST_CHIPS else 0.0
        return _CHIP_STEP * min(len(self.providers), _MOST_CHIPS) + more + 3 * bool(self.providers)

    @property
    def remote_width(self) -> float:
        return text_width(_REMOTE, _SMALL) + 6 if self.box.is_remote else 0.0

    def cell(self) -> Cell:
        bold = self.box.namespace == "providers"
        wanted = max([text_width(self.label, _LABEL, bold=bold), *(text_width(note, _SMALL) for note in self.notes)])
        width = 2 * _PAD + self.chips_width + min(wanted + self.remote_width, _LONGEST_LABEL)
        return Cell(_BANDS[self.box.namespace], max(width + 1, 70.0), 22.0 + 13 * len(self.notes))


class _Drawing:
    """One drawing in the making. Confined."""

    def __init__(self, graph: DependencyGraph, picture: Picture, emphasis: Emphasis) -> None:
        self._picture = picture
        self._emphasis = emphasis
        box_of = {node.key: i for i, box in enumerate(picture.boxes) for node in box.members}
        on_path = [box_of[key] for key in emphasis.path if key in box_of]
        self._on_path = set(pairwise(on_path))
        by_entry = providers_by_entry(graph)
        shown = [box for box in picture.boxes if box.namespace == "providers"]
        visible = {node.id for box in shown for node in box.members}
        lettered = len(shown) <= len(_LETTERS) and not any(box.is_group for box in shown)
        users = _users(graph, by_entry)
        self._contents = [
            _Content(box, _among(visible, providers_behind(box, by_entry)) if lettered else [], *_lines(box, users))
            for box in picture.boxes
        ]
        self._lettered = lettered and bool(shown)
        self._layout: Arrangement = arrange(
            [content.cell() for content in self._contents],
            [(bundle.source, bundle.target) for bundle in picture.bundles],
        )
        tops = {
            box.members[0].id: self._layout.places[i].y
            for i, box in enumerate(picture.boxes)
            if box.namespace == "providers"
        }
        order = sorted(tops, key=lambda provider: (tops[provider], provider))
        self._letters = {provider: _LETTERS[i % 26] for i, provider in enumerate(order)}
        self._colours = {provider: PALETTE[i % len(PALETTE)] for i, provider in enumerate(order)}
        self._top = 0.0
        self._routes: list[list[Point]] = []  # where the lines run on the page, once the top is known

    def finish(self, heading: str, text: str) -> str:
        width = max(self._layout.width, _NARROWEST) + 2 * _MARGIN
        lines = wrap(text, width - 2 * _MARGIN, _LABEL, lines=4)
        above = [label(_MARGIN, 30, fit(heading, width - 2 * _MARGIN, 16, bold=True), 16, bold=True)]
        above += [label(_MARGIN, 50 + 16 * row, line, _LABEL, fill=MUTED) for row, line in enumerate(lines)]
        heads = self._heads()
        head_lines = max((len(words) for _, words in heads), default=0)
        self._top = 50 + 16 * len(lines) + 16 + 14 * head_lines
        self._routes = [[(x + _MARGIN, y + self._top) for x, y in route] for route in self._layout.routes]
        explained, height = legend(
            self._legend_entries(), _MARGIN, self._top + self._layout.height + 30, width - _MARGIN, sample_width=32
        )
        return document(
            width,
            height + _MARGIN,
            heading,
            text,
            *above,
            *self._draw_heads(heads),
            element("g", *self._lines(), fill="none", stroke_width=1.3, stroke_opacity=0.75),
            element("g", *self._arrowheads(), data_heads="all"),
            *self._counts(),
            *(self._box(i) for i in range(len(self._contents))),
            *explained,
        )

    def _heads(self) -> list[tuple[Column, list[str]]]:
        """Return for each band in each strip how many entries it has, in one or two lines."""
        columns = self._layout.columns
        ends = [*(column.x - 10 for column in columns[1:]), max(self._layout.width, _NARROWEST)]
        heads: list[tuple[Column, list[str]]] = []
        for column, end in zip(columns, ends, strict=False):
            entries: dict[str, int] = dict.fromkeys(NAMESPACES, 0)
            for box, place in zip(self._picture.boxes, self._layout.places, strict=True):
                if column.x <= place.x < column.x + column.width:
                    entries[box.namespace] += len(box.members)
            words = ", ".join(count_of(count, namespace) for namespace, count in entries.items() if count)
            heads.append((column, wrap(words, end - column.x, _LABEL, lines=2, bold=True)))
        return heads

    def _draw_heads(self, heads: list[tuple[Column, list[str]]]) -> Iterator[str]:
        for column, lines in heads:
            x, y = _MARGIN + column.x, self._top - 8
            for row, line in enumerate(reversed(lines)):
                yield label(x, y - 4 - 14 * row, line, _LABEL, bold=True)
            yield element("path", d=f"M{number(x)} {number(y)}h{number(column.width)}", stroke="#ced4da")

    def _is_on_path(self, bundle: Bundle) -> bool:
        return (bundle.source, bundle.target) in self._on_path

    def _colour(self, bundle: Bundle) -> str:
        if self._is_on_path(bundle):
            return INK
        behind = self._contents[bundle.target].providers
        if bundle.relation in SUPPLY and len(behind) == 1:
            return self._colours[behind[0]]
        return stroke_of(bundle.relation).colour

    def _lines(self) -> Iterator[str]:
        boxes = self._picture.boxes
        bundles = enumerate(self._picture.bundles)
        for link, bundle in sorted(
            bundles, key=lambda numbered: (self._is_on_path(numbered[1]), _is_supply(numbered[1]))
        ):
            ends = f"{fit(boxes[bundle.source].label, 250, 10)} → {fit(boxes[bundle.target].label, 250, 10)}"
            count = f", {bundle.count:,} times" if bundle.count > 1 else ""
            yield element(
                "path",
                title(f"{ends} ({bundle.relation}{count})"),
                d=line_path(self._routes[link]),
                stroke=self._colour(bundle),
                stroke_width=3 if self._is_on_path(bundle) else None,
                stroke_opacity=1 if self._is_on_path(bundle) else None,
                stroke_dasharray=stroke_of(bundle.relation).dash,
                data_edge=f"{bundle.source} {bundle.target}",
            )

    def _arrowheads(self) -> list[str]:
        heads: dict[str, None] = {}
        for link, bundle in enumerate(self._picture.bundles):
            before, tip = self._routes[link][-2:]
            head = arrowhead(before, tip, self._colour(bundle), heavy=self._is_on_path(bundle))
            heads[head] = None
        return list(heads)

    def _counts(self) -> Iterator[str]:
        """Write how many edges a line stands for, where there is room in the gutter beside its source."""
        taken: list[tuple[float, float, float, float]] = []
        for link, bundle in enumerate(self._picture.bundles):
            start, end = self._routes[link][:2]
            words = f"×{bundle.count:,}"  # noqa: RUF001  # a count of times
            wide = text_width(words, _SMALL) / 2 + 2
            for share in (0.5, 0.4, 0.6) if bundle.count > 1 and start[0] != end[0] else ():
                x, y = on_curve(start, end, share)
                box = (x - wide, y - 6, x + wide, y + 6)
                inside = min(start[0], end[0]) + 1 <= box[0] and box[2] <= max(start[0], end[0]) - 7
                if inside and not any(_overlap(box, other) for other in taken):
                    taken.append(box)
                    yield element("rect", x=box[0], y=box[1], width=2 * wide, height=12, fill=PAPER, rx=2)
                    yield label(x, y + 3.4, words, _SMALL, anchor="middle", fill=MUTED)
                    break

    def _box(self, i: int) -> str:
        content, place = self._contents[i], self._layout.places[i]
        box = content.box
        x, y, height = place.x + _MARGIN, place.y + self._top, content.cell().height
        parts = [title(_tooltip(content))]
        if box.is_group:
            parts.append(stack(box.namespace, x, y, place.width, height))
        parts.append(outline(box.namespace, x, y, place.width, height, remote=box.is_remote))
        parts += self._chips(content.providers, x + _PAD, y + 11)
        parts += _words(content, x, y, place)
        if any(node.key in self._emphasis.focus for node in box.members):
            parts.append(ring(x, y, place.width, height))
        return element("g", *parts, data_node=str(i))

    def _chips(self, providers: list[str], x: float, y: float) -> Iterator[str]:
        shown = sorted(providers, key=lambda provider: self._letters[provider])[:_MOST_CHIPS]
        for position, provider in enumerate(shown):
            yield chip(x + position * _CHIP_STEP, y, self._letters[provider], self._colours[provider])
        if len(providers) > _MOST_CHIPS:
            others = f"+{len(providers) - _MOST_CHIPS}"
            yield chip(x + _MOST_CHIPS * _CHIP_STEP, y, others, PLAIN, width=_MORE_CHIP)

    def _legend_entries(self) -> Iterator[tuple[Sample, str]]:
        boxes = self._picture.boxes
        for namespace in NAMESPACES:
            if any(box.namespace == namespace for box in boxes):
                yield partial(_box_sample, namespace), count_of(1, namespace).removeprefix("1 ")
        if any(box.is_remote for box in boxes):
            yield partial(_box_sample, "agents", remote=True), "runs elsewhere"
        if any(box.is_group for box in boxes):
            yield _group_sample, "several entries in one"
        strokes = {stroke_of(bundle.relation) for bundle in self._picture.bundles}
        yield from ((partial(stroke_sample, stroke), words) for stroke, words in STROKES.items() if stroke in strokes)
        if self._emphasis.focus:
            yield _ring_sample, "in focus"
        if self._on_path:
            yield _path_sample, "on the path"
        if self._lettered:
            yield lambda x, y: chip(x + 8, y, "A", PALETTE[0]), "provider behind it (its own models, pools included)"


def _among(visible: set[str], providers: list[str]) -> list[str]:
    return [provider for provider in providers if provider in visible]


def _users(graph: DependencyGraph, by_entry: dict[tuple[str, str], list[str]]) -> dict[str, dict[str, int]]:
    """Return per provider how many models and local agents depend on it."""
    users: dict[str, dict[str, int]] = {}
    for node in graph.nodes:
        if node.namespace in ("models", "agents"):
            for provider in by_entry.get(node.key, ()):
                mine = users.setdefault(provider, {"models": 0, "agents": 0})
                mine[node.namespace] += 1
    return users


def _lines(box: Box, users: dict[str, dict[str, int]]) -> tuple[str, list[str]]:
    """Return the label and the small lines below it: of a provider what kind it is, and how much depends on it."""
    if box.namespace != "providers":
        return box.label, []
    name, _, kind = box.label.removesuffix(")").partition(" (")
    found = [users[node.id] for node in box.members if node.id in users]
    sums = {namespace: sum(counts[namespace] for counts in found) for namespace in ("models", "agents")}
    if box.is_group:
        del sums["agents"]  # an agent may use several of them
    counts = ", ".join(count_of(count, namespace) for namespace, count in sums.items() if count)
    return name, [*([kind] if kind not in ("", name) else []), counts or "unused"]


def _tooltip(content: _Content) -> str:
    box = content.box
    if box.is_group:
        ids = ", ".join(node.id for node in box.members[:8])
        return f"{box.label}: {ids}{', …' * (len(box.members) > 8)}"
    node = box.members[0]
    kind = count_of(1, box.namespace).removeprefix("1 ")
    behind = f"; providers: {', '.join(content.providers)}" if content.providers and kind != "provider" else ""
    return "; ".join([f"{'remote ' * box.is_remote}{kind} {node.id}{behind}", *content.notes])


def _words(content: _Content, x: float, y: float, place: Place) -> Iterator[str]:
    bold = content.box.namespace == "providers"
    left = x + _PAD + content.chips_width
    room = place.width - 2 * _PAD - content.chips_width - content.remote_width
    yield label(left, y + 15, fit(content.label, room, _LABEL, bold=bold), _LABEL, bold=bold)
    for row, note in enumerate(content.notes):
        yield label(left, y + 28 + 13 * row, fit(note, room, _SMALL), _SMALL, fill=MUTED)
    if content.remote_width:
        yield label(x + place.width - _PAD, y + 14.5, _REMOTE, _SMALL, fill=MUTED, anchor="end")


def _box_sample(namespace: str, x: float, y: float, *, remote: bool = False) -> str:
    return outline(namespace, x, y - 6, 24, 12, remote=remote)


def _group_sample(x: float, y: float) -> str:
    return stack("models", x, y - 4, 22, 10) + outline("models", x, y - 4, 22, 10)


def _ring_sample(x: float, y: float) -> str:
    return ring(x + 3, y - 4, 18, 8)


def _path_sample(x: float, y: float) -> str:
    line = element("path", d=f"M{number(x)} {number(y)}h20", stroke=INK, stroke_width=3)
    return line + arrowhead((x + 20, y), (x + 28, y), INK, heavy=True)


def _is_supply(bundle: Bundle) -> bool:
    return bundle.relation in SUPPLY


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
