"""Wake-up trees: beginnings of executions that are still to be explored from one state.

A node is one step of a task; the children of a node are ordered, and explored in that order. A sequence is inserted
below the first branch that it agrees with, so that no two branches begin executions of the same trace.

Reference: Abdulla, Aronis, Jonsson, Sagonas: Source sets, a foundation for optimal dynamic partial order reduction,
JACM 2017, section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, final

from harness.sim import are_in_conflict

__all__ = ["Node", "Planned", "first_of", "insert", "is_independent"]


@final
class Node:
    """One step to be explored.

    Attributes:
        task: Number of the task.
        base: Locations below this number are the same in every execution through the state the node was inserted at.
        accesses: What the step did in the execution it was planned from, locations from ``base`` on by description.
        children: What to explore after it; nothing means anything.
        option: Which option it draws, where it is a draw of data; else -1.
    """

    __slots__ = ("accesses", "base", "children", "option", "task")

    def __init__(self, task: int, base: int, accesses: Sequence[int], option: int = -1) -> None:
        self.task, self.base, self.accesses, self.option = task, base, accesses, option
        self.children: list[Node] = []


class Planned(Protocol):
    """One step of a sequence to be inserted: an event, as it was in the execution that the sequence is taken from.

    Attributes:
        task: Number of the task.
        bit: Bit of its event in `past`.
        past: Events that happen before it, itself included, as a set of bits.
        accesses: What it did.
        option: As in `Node`.
    """

    task: int
    bit: int
    past: int
    accesses: Sequence[int]
    option: int


Describe = Callable[[Sequence[int], int], Sequence[int]]  # accesses with locations from a base on by description


def insert(children: list[Node], sequence: Sequence[Planned], base: int, describe: Describe) -> bool:
    """Insert a sequence below the children of a state; return whether a branch was added."""
    while sequence:
        for child in children:
            if _agrees(child, sequence, describe):
                matching = child
                break
        else:
            for step in sequence:
                node = Node(step.task, base, describe(step.accesses, base), step.option)
                children.append(node)
                children = node.children
            return True
        if not matching.children:
            return False
        position = next((at for at, step in enumerate(sequence) if step.task == matching.task), None)
        if position is not None:
            sequence = [*sequence[:position], *sequence[position + 1 :]]
        children = matching.children
    return False


def _agrees(node: Node, sequence: Sequence[Planned], describe: Describe) -> bool:
    first = first_of(node.task, sequence, node.option)
    if first is not None:
        return first
    return is_independent(node.accesses, (describe(step.accesses, node.base) for step in sequence))


def first_of(task: int, sequence: Sequence[Planned], option: int = -1) -> bool | None:
    """Return whether a task's first step in a sequence could begin it; ``None`` where it has none."""
    earlier = 0
    for step in sequence:
        if step.task == task:
            return not step.past & earlier and step.option == option
        earlier |= step.bit
    return None


def is_independent(accesses: Sequence[int], steps: Iterable[Sequence[int]]) -> bool:
    """Return whether a step is in conflict with none of some others."""
    for step in steps:
        for other in step:
            for one in accesses:
                if one >> 2 == other >> 2 and are_in_conflict(one, other):
                    return False
    return True
