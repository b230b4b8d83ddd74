"""What every view has in common: a picture and a line of text that says the same in short."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["View"]


@dataclass(frozen=True, slots=True, repr=False)
class View:
    """A picture for a notebook. Immutable.

    Attributes:
        svg: The picture, complete and deterministic.
        text: One line for places that show no picture.
    """

    svg: str
    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:  # noqa: ARG002
        # The arguments belong to the protocol; IPython filters by them itself.
        return {"text/plain": self.text, "image/svg+xml": self.svg}
