"""The GIL verdict: whether an interpreter with a GIL can run a failing schedule by itself.

``True`` only if the failure comes again when tasks are left only where the interpreter can switch (`GilWatch`): under
the failing schedule moved to such places, or in a walk of a hundred schedules. ``False`` only if the accesses that
raced and all that lies between them are plain operations on values of built-in types in one function, and none of these
schedules failed, in whatever way. ``None`` otherwise.
"""

from __future__ import annotations

import ast
import linecache
import re
import sys
from collections.abc import Sequence

from harness.explore.explaining.race import Race, find_race
from harness.explore.failure_place import place_of
from harness.explore.shrinking import Recorded
from harness.explore.shrinking.order import FollowOrder, order_of
from harness.explore.strategies import RandomWalk
from harness.sim import Event, World, execute_under_gil

__all__ = ["reachable_under_gil"]

_WALKS = 100
_MOST_EVENTS = 200_000  # of the failing schedule, times the walks: long programs are walked less often
_PLAIN_VALUE = re.compile(r"-?\d[\d.e+-]*|True|False|None|'.*'|\".*\"|nothing", re.DOTALL)
_PLAIN_NODES = (ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp)
_PLAIN_STATEMENTS = (ast.Assign, ast.AugAssign, ast.If, ast.Expr, ast.Pass, ast.FunctionDef)


def reachable_under_gil(world: World, failing: Recorded) -> bool | None:
    """Return the verdict for a recorded failure.

    Args:
        world: The entered world in which it was found.
        failing: The execution, with its events.
    """
    has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    if not has_gil:
        return True
    if sys.getprofile() is not None:
        return None  # finding out takes the profiler's place, which one written in C does not get back
    place, events = place_of(failing.outcome), failing.outcome.events
    if place_of(execute_under_gil(world, FollowOrder(order_of(events), failing.draws).choose, record=True)) == place:
        return True
    walk, others = RandomWalk(0), False
    walks = min(_WALKS, _MOST_EVENTS // max(len(events), 1))
    for _ in range(walks):
        found = place_of(execute_under_gil(world, walk.choose))
        if found == place:
            return True
        others = others or found[0] != "ok"
    return False if walks == _WALKS and not others and _is_plain(find_race(events)) else None


def _is_plain(race: Race | None) -> bool:
    """Return whether nothing between the two accesses of the interrupted task runs code that could give way."""
    if race is None or race.third is None or race.first.line > race.third.line:
        return False
    first, third = race.first, race.third
    is_one_function = (first.path, first.function) == (third.path, third.function)
    return is_one_function and _has_plain_data((first, third)) and _is_plain_code(first.path, first.line, third.line)


def _has_plain_data(events: Sequence[Event]) -> bool:
    """Return whether the values are plain, and the keys; a property has no value of its own."""
    values = [event.value for event in events]
    keys = [event.part for event in events if event.target.endswith("]")]
    return all(_PLAIN_VALUE.fullmatch(text) for text in (*values, *keys))


def _is_plain_code(path: str, first: int, last: int) -> bool:
    """Return whether the statements of the lines are made of plain operations alone, without loops and calls."""
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError):
        return False
    inside = [
        node for node in ast.walk(tree) if isinstance(node, (ast.stmt, ast.expr)) and first <= node.lineno <= last
    ]
    return bool(inside) and all(_is_plain_node(node) for node in inside)


def _is_plain_node(node: ast.AST) -> bool:
    return isinstance(node, (*_PLAIN_NODES, *_PLAIN_STATEMENTS))
