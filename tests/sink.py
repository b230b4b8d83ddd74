"""A place outside the program's state, for what tests collect over the executions of an exploration.

State of the test's own module and closures is put back before each execution; what a function of another module
holds is not.
"""

from __future__ import annotations

from collections.abc import Callable


def make_sink() -> tuple[Callable[[object], None], Callable[[], list[object]]]:
    """Return a function that keeps what it is given, and one that tells all that was kept."""
    items: list[object] = []

    def note(item: object) -> None:
        items.append(item)

    def kept() -> list[object]:
        return list(items)

    return note, kept
