"""A container as a package has it that nobody instruments: what it holds, others may hold too."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["Bag"]


class Bag:
    """Shows a list that it was given."""

    def __init__(self, items: list[int]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[int]:
        return iter(self._items)

    def __contains__(self, item: object) -> bool:
        return item in self._items
