"""Draws what a removal would do: what goes stands at the right, what it hurts left of it, with state and cause.

Boxes keep the outline of their namespace; a frame, a mark, a struck name and a line of text say the state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import final

from harness.registry import NAMESPACES, Key
from harness.views.consequences import STATES, Consequence, Consequences
from harness.views.grouping import Box, Bundle, Picture, count_of
from harness.views.layout import Cell, arrange
from harness.views.legend import Sample, legend
from harness.views.shapes import outline, stack
from harness.views.states import STATE_COLOURS, frame, mark
from harness.views.strokes import PLAIN, STROKES, arrowhead, line_path, stroke_of, stroke_sample
from harness.views.svg import MUTED, Point, document, element, label, title
from harness.views.text import fit, text_width, wrap

__all__ = ["draw_impact"]

_BANDS = {"agents": 0, "model_pools": 1, "models": 2, "providers": 3, "tools": 3, "plugins": 3, "backends": 3}
_MARGIN, _NARROWEST = 16.0, 560.0
_LABEL, _SMALL = 11.0, 9.5
_LONGEST = 190.0
_LEFT = 26.0  # room for the mark
_HEIGHT = 36.0
_FRAME = 3.0  # room for the frame on each side


@final
@dataclass(frozen=True, slots=True)
class _Content:
    """What is written into one box. Immutable."""

    box: Box
    consequence: Consequence  # of its first member; all members share state and cause

    @property
    def note(self) -> str:
        return f"{self.consequence.state}: {self.consequence.cause}"

    def cell(self) -> Cell:
        wanted = max(text_width(self.box.label, _LABEL, bold=True), text_width(self.note, _SMALL))
        return Cell(_BANDS[self.box.namespace], _LEFT + min(wanted, _LONGEST) + 12 + 2 * _FRAME, _HEIGHT + 2 * _FRAME)


def draw_impact(picture: Picture, found: Consequences, heading: str, text: str) -> str:
    """Return the SVG; ``picture`` holds the entries touched, no two states in one box."""
    by_key = {consequence.key: consequence for consequence in found.touched}
    return _Drawing(picture, by_key).finish(heading, text, found.verdict, is_good=found.is_allowed is True)


class _Drawing:
    """One drawing in the making. Confined."""

    def __init__(self, picture: Picture, by_key: Mapping[Key, Consequence]) -> None:
        self._picture = picture
        self._contents = [_Content(box, by_key[box.members[0].key]) for box in picture.boxes]
        links = [(bundle.source, bundle.target) for bundle in picture.bundles]
        self._layout = arrange([content.cell() for content in self._contents], links)
        self._top = 0.0

    def finish(self, heading: str, text: str, verdict: str, *, is_good: bool) -> str:
        width = max(self._layout.width, _NARROWEST) + 2 * _MARGIN
        room = width - 2 * _MARGIN
        lines = wrap(text, room, _LABEL, lines=4)
        colour = "#2b7a37" if is_good else STATE_COLOURS["removed"] if self._contents else MUTED
        above = [label(_MARGIN, 30, fit(heading, room, 16, bold=True), 16, bold=True)]
        above.append(label(_MARGIN, 50, fit(verdict, room, 12, bold=True), 12, bold=True, fill=colour))
        above += [label(_MARGIN, 70 + 16 * row, line, _LABEL, fill=MUTED) for row, line in enumerate(lines)]
        self._top = 70 + 16 * len(lines) + 10
        explained, height = legend(
            self._legend_entries(), _MARGIN, self._top + self._layout.height + 30, width - _MARGIN, sample_width=32
        )
        return document(
            width,
            height + _MARGIN,
            heading,
            f"{verdict}; {text}",
            *above,
            element("g", *self._lines(), fill="none", stroke_width=1.5),
            element("g", *self._arrowheads(), data_heads="all"),
            *(self._box(i) for i in range(len(self._contents))),
            *explained,
        )

    def _route(self, link: int) -> list[Point]:
        return [(x + _MARGIN, y + self._top) for x, y in self._layout.routes[link]]

    def _colour(self, bundle: Bundle) -> str:
        state = self._contents[bundle.source].consequence.state
        return PLAIN if state == "kept" else STATE_COLOURS[state]

    def _lines(self) -> Iterator[str]:
        boxes = self._picture.boxes
        for link, bundle in enumerate(self._picture.bundles):
            ends = f"{fit(boxes[bundle.source].label, 250, 10)} → {fit(boxes[bundle.target].label, 250, 10)}"
            count = f", {bundle.count:,} times" if bundle.count > 1 else ""
            yield element(
                "path",
                title(f"{ends} ({bundle.relation}{count})"),
                d=line_path(self._route(link)),
                stroke=self._colour(bundle),
                stroke_dasharray=stroke_of(bundle.relation).dash,
                data_edge=f"{bundle.source} {bundle.target}",
            )

    def _arrowheads(self) -> list[str]:
        heads: dict[str, None] = {}
        for link, bundle in enumerate(self._picture.bundles):
            before, tip = self._route(link)[-2:]
            heads[arrowhead(before, tip, self._colour(bundle))] = None
        return list(heads)

    def _box(self, i: int) -> str:
        content, place = self._contents[i], self._layout.places[i]
        box, state = content.box, content.consequence.state
        x, y, width = place.x + _MARGIN + _FRAME, place.y + self._top + _FRAME, place.width - 2 * _FRAME
        goes = state in ("removed", "cascaded")
        name = fit(box.label, width - _LEFT - 8, _LABEL, bold=goes)
        parts = [title(_tooltip(content))]
        if box.is_group:
            parts.append(stack(box.namespace, x, y, width, _HEIGHT))
        parts.append(outline(box.namespace, x, y, width, _HEIGHT, remote=box.is_remote))
        parts.append(frame(state, x, y, width, _HEIGHT))
        parts.append(mark(state, x + 14, y + _HEIGHT / 2))
        parts.append(label(x + _LEFT, y + 15, name, _LABEL, bold=goes, struck=goes))
        parts.append(label(x + _LEFT, y + 29, fit(content.note, width - _LEFT - 8, _SMALL), _SMALL, fill=MUTED))
        return element("g", *parts, data_node=str(i), data_state=state)

    def _legend_entries(self) -> Iterator[tuple[Sample, str]]:
        found = {content.consequence.state for content in self._contents}
        for state in STATES:
            if state in found:
                yield partial(_state_sample, state), state
        for namespace in NAMESPACES:
            if any(content.box.namespace == namespace for content in self._contents):
                yield partial(_box_sample, namespace), count_of(1, namespace).removeprefix("1 ")
        strokes = {stroke_of(bundle.relation) for bundle in self._picture.bundles}
        yield from ((partial(stroke_sample, stroke), words) for stroke, words in STROKES.items() if stroke in strokes)


def _state_sample(state: str, x: float, y: float) -> str:
    return next(mark(known, x + 12, y) for known in STATES if known == state)


def _box_sample(namespace: str, x: float, y: float) -> str:
    return outline(namespace, x, y - 6, 24, 12)


def _tooltip(content: _Content) -> str:
    box, note = content.box, content.note
    if box.is_group:
        ids = ", ".join(node.id for node in box.members[:8])
        return f"{box.label}, {note}: {ids}{', …' * (len(box.members) > 8)}"
    kind = count_of(1, box.namespace).removeprefix("1 ")
    return f"{kind} {box.members[0].id}, {note}; {content.consequence.describe_path()}"
