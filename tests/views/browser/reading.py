"""Reads a page as a person would: which labels overlap, what is too faint or too small, what axe finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["assert_legible", "serious_faults"]

# Text and what lies under its middle: the last filled shape before it in drawing order.
_LABELS = """(within) =>
[...document.querySelectorAll(`${within} .hv-stage svg, main > svg`)].flatMap((svg, picture) => {
  const isFilled = (shape) => getComputedStyle(shape).fill !== "none";
  const shapes = [...svg.querySelectorAll("rect, polygon, circle")].filter(isFilled);
  const areas = shapes.map((shape) => [shape, shape.getBoundingClientRect()]);
  return [...svg.querySelectorAll("text")].map((text) => {
    const box = text.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
    const under = areas.filter(([shape, area]) => area.left <= x && x <= area.right && area.top <= y && y <= area.bottom
      && shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING);
    return { picture, text: text.textContent,
      size: parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a,
      ink: getComputedStyle(text).fill, ground: getComputedStyle(under.at(-1)[0]).fill,
      left: box.left, top: box.top, right: box.right, bottom: box.bottom };
  });
})"""
_AXE = """async (within) => (await axe.run(within, { resultTypes: ["violations"] })).violations
  .filter((fault) => ["serious", "critical"].includes(fault.impact))
  .map((fault) => [fault.id, fault.help, ...fault.nodes.slice(0, 3).map((at) => at.html.slice(0, 160))].join(": "))"""


def assert_legible(page: Page, within: str = "html") -> int:
    """No two labels of a picture overlap, each has a contrast of 4.5 or more and is at least 9 px; return how many."""
    labels = page.evaluate(_LABELS, within)
    assert labels
    assert [label["text"] for label in labels if label["size"] < 8.99] == []
    assert [(one["text"], _contrast(one)) for one in labels if _contrast(one) < 4.5] == []
    assert [pair for pair in _neighbours(labels) if _overlap(*pair)] == []
    return len(labels)


def serious_faults(page: Page, axe: str, within: str = "html") -> list[str]:
    """Return what axe-core calls serious or critical."""
    page.evaluate(axe)
    found: list[str] = page.evaluate(_AXE, within)
    return found


def _neighbours(labels: list[dict]) -> list[tuple[dict, dict]]:
    ordered = sorted(labels, key=lambda label: label["top"])
    pairs = []
    for position, one in enumerate(ordered):
        for other in ordered[position + 1 :]:
            if other["top"] >= one["bottom"]:
                break
            if one["picture"] == other["picture"]:  # what is scrolled out of one may lie under another
                pairs.append((one, other))
    return pairs


def _overlap(one: dict, other: dict) -> bool:
    # A line box is higher than its letters; two pixels of leading may meet.
    beside = one["right"] <= other["left"] + 0.5 or other["right"] <= one["left"] + 0.5
    return not (beside or one["bottom"] <= other["top"] + 2.5)


def _contrast(label: dict) -> float:
    bright, dark = sorted((_luminance(label["ink"]), _luminance(label["ground"])), reverse=True)
    return round((bright + 0.05) / (dark + 0.05), 2)


def _luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
