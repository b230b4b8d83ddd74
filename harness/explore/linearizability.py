"""Linearizability: whether a history of operations fits some sequential order that keeps real-time order.

A program records what its tasks call and get (`History`), and asks at its end whether one task alone could have got the
same (`check_linearizable`). An operation that ended before another began must come before it; operations that overlap
may come in either order.

Every such order is tried, depth first; a set of operations done and a state met before are not tried again. Exact for
up to 8 operations; that is at most 2**8 sets, each with as many states as the model can be in after them.

Reference: Wing and Gong, "Testing and verifying concurrent objects", 1993; the memory is that of Lowe, 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeVar, final

from harness.explore.errors import ExploreError, InvalidArgumentError

__all__ = ["History", "NotLinearizableError", "Operation", "check_linearizable", "find_linearization", "orders"]

R = TypeVar("R")
S = TypeVar("S", bound=Hashable)

MOST_OPERATIONS = 8


@final
@dataclass(frozen=True, slots=True)
class Operation:
    """One call and what came of it. Immutable.

    Attributes:
        call: What was called, as the model understands it.
        result: What it returned, or the type of the exception it raised.
        began: Its begin on the history's own count; smaller is earlier.
        ended: Its end on the same count.
    """

    call: Hashable
    result: object
    began: int
    ended: int

    def precedes(self, other: Operation) -> bool:
        """Whether it ended before the other began."""
        return self.ended < other.began

    def __str__(self) -> str:
        result = self.result.__name__ if isinstance(self.result, type) else repr(self.result)
        return f"{self.call!r} -> {result} [{self.began}, {self.ended}]"


class NotLinearizableError(ExploreError, AssertionError):
    """No sequential order explains a history."""

    def __init__(self, operations: tuple[Operation, ...]) -> None:
        super().__init__(operations)
        self.operations = operations

    def __str__(self) -> str:
        listed = "; ".join(map(str, self.operations))
        return f"no sequential order gives these results: {listed}; look for the step that two of them share"


@final
class History:
    """Records operations of several tasks. Concurrency: *thread-safe*. Make one per execution.

    Example:
        >>> history = History()
        >>> history.call(("double", 2), lambda: 4)
        4
        >>> [str(operation) for operation in history.operations]
        ["('double', 2) -> 4 [0, 1]"]
    """

    def __init__(self) -> None:
        self._count = count()  # drawn from in one step
        self._operations: list[Operation] = []

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Those that have ended, in the order of their ends."""
        return tuple(sorted(self._operations, key=lambda operation: operation.ended))

    def call(self, call: Hashable, fn: Callable[[], R]) -> R | None:
        """Run an operation and record it.

        Args:
            call: What is called, as the model understands it.
            fn: Calls it. An exception is recorded by its type and goes no further.

        Returns:
            What ``fn`` returned, ``None`` if it raised.
        """
        began = next(self._count)
        value: R | None = None
        result: object
        try:
            value = result = fn()
        except Exception as error:
            result = type(error)
        self._operations.append(Operation(call, result, began, next(self._count)))
        return value


def orders(operations: Sequence[Operation]) -> Iterator[tuple[Operation, ...]]:
    """Every order of the operations that keeps real-time order, each once."""
    if not operations:
        yield ()
    for position, first in enumerate(operations):
        rest = [*operations[:position], *operations[position + 1 :]]
        if not any(other.precedes(first) for other in rest):
            for following in orders(rest):
                yield (first, *following)


def find_linearization(
    operations: Sequence[Operation], apply: Callable[[S, Hashable], tuple[object, S]], initial: S
) -> tuple[Operation, ...] | None:
    """The first sequential order that gives the same results, or ``None``.

    Args:
        operations: The history, at most 8.
        apply: The sequential model: from a state and a call the result (the type of the exception, if it raises one)
            and the next state. States are hashable and never changed.
        initial: The state before all.

    Raises:
        InvalidArgumentError: There are more operations than can be tried.
    """
    if len(operations) > MOST_OPERATIONS:
        raise InvalidArgumentError(
            f"{len(operations)} operations are more than {MOST_OPERATIONS}; record fewer in one history"
        )
    todo = frozenset(range(len(operations)))
    hopeless: set[tuple[frozenset[int], S]] = set()

    def search(left: frozenset[int], state: S) -> tuple[Operation, ...] | None:
        if not left:
            return ()
        if (left, state) in hopeless:
            return None
        for position in sorted(left):
            operation = operations[position]
            if any(operations[other].precedes(operation) for other in left):
                continue
            result, following = apply(state, operation.call)
            if result == operation.result:
                rest = search(left - {position}, following)
                if rest is not None:
                    return (operation, *rest)
        hopeless.add((left, state))
        return None

    return search(todo, initial)


def check_linearizable(
    history: History, apply: Callable[[S, Hashable], tuple[object, S]], initial: S
) -> tuple[Operation, ...]:
    """The first sequential order that explains a history; see `find_linearization`.

    Raises:
        NotLinearizableError: There is none.
        InvalidArgumentError: There are more operations than can be tried.
    """
    operations = history.operations
    found = find_linearization(operations, apply, initial)
    if found is None:
        raise NotLinearizableError(operations)
    return found
