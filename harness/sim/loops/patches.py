"""What stands in for parts of asyncio while a world exists, and the loops that are refused there."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what signal is made of
import asyncio
import sys
from asyncio import events, futures, runners, selector_events, tasks
from collections.abc import Callable, Iterator
from functools import wraps
from operator import call
from typing import Any, NoReturn

from harness.sim.escapes import guard
from harness.sim.loops.apart import ALL_TASKS, EAGER_TASKS, tasks_outside
from harness.sim.loops.event_loop import EventLoop
from harness.sim.loops.ordered_set import OrderedSet
from harness.sim.loops.policy import Policy
from harness.sim.task import current_task

__all__ = ["loop_patches", "ordered_sets"]

# Their sets decide in which order tasks are awaited or cancelled.
_ORDERED = ("asyncio.tasks", "asyncio.taskgroups", "anyio._backends._asyncio")
_UNIX_LOOP = asyncio.SelectorEventLoop
# By which a real loop is run, or given something to run; ours has these of its own, or from the owner's bases.
_OF_REAL_LOOPS = (
    (selector_events.BaseSelectorEventLoop, "run_forever"),
    *((_UNIX_LOOP, name) for name in ("run_until_complete", "create_task", "call_soon_threadsafe", "call_at")),
)
_real_init = _UNIX_LOOP.__init__
_loop_of: Callable[[Any], object] = futures._get_loop  # type: ignore[attr-defined]  # no stub has it


def loop_patches() -> Iterator[tuple[object, str, object]]:
    """Yield owner, name and replacement of everything that is replaced."""
    yield _UNIX_LOOP, "__init__", _init_loop
    for cls, name in _OF_REAL_LOOPS:
        yield cls, name, guard(getattr(cls, name), f"{name} of a real event loop")
    yield _UNIX_LOOP, "call_soon", _told_after(_UNIX_LOOP.call_soon)
    for owner in (events, asyncio):
        yield owner, "new_event_loop", _quick(_checked(events.new_event_loop))
    yield runners.Runner, "__init__", _checking(runners.Runner.__init__)
    yield runners, "signal", _signal  # its own names make members of an enumeration each time
    for owner in (tasks, asyncio):
        yield owner, "all_tasks", _in_order(tasks.all_tasks)
    uvloop = sys.modules.get("uvloop")
    for name in ("new_event_loop", "Loop"):
        if hasattr(uvloop, name):
            yield uvloop, name, guard(getattr(uvloop, name), f"uvloop.{name}")


def ordered_sets() -> Iterator[tuple[object, str, object]]:
    """Yield owner, name and replacement of the sets of imported modules whose order decides, but for those replaced."""
    for module in filter(None, map(sys.modules.get, _ORDERED)):
        if vars(module).get("set") is not OrderedSet:
            yield module, "set", OrderedSet


def _init_loop(loop: asyncio.AbstractEventLoop, *args: Any, **options: Any) -> None:
    """Make a loop of ours where a task wants the plain real one; its own subclasses and selectors are refused."""
    task = current_task()
    if task is None:
        _real_init(loop, *args, **options)  # type: ignore[arg-type]  # it is one of asyncio's
        return
    if type(loop) is not _UNIX_LOOP or any(value is not None for value in (*args, *options.values())):
        loop._closed = True  # type: ignore[attr-defined]  # else its end would warn
        _refuse(f"makes a {type(loop).__name__} of its own")
    loop.__class__ = EventLoop  # type: ignore[assignment]  # both are plain Python classes
    EventLoop.__init__(loop, task)  # type: ignore[arg-type]  # now it is one


def _told_after(real: Callable[..., asyncio.Handle]) -> Callable[..., asyncio.Handle]:
    """Return ``call_soon`` of real loops, which ends the execution of a task that calls it, once it is done.

    A future that the program has set is set: without the call whoever awaits it outside would never go on.
    """
    escape = guard(lambda *_: None, "call_soon of a real event loop")

    @wraps(real)
    def call_soon(*args: Any, **options: Any) -> asyncio.Handle:
        handle = real(*args, **options)
        escape()
        return handle

    return call_soon


def _checked(real: Callable[[], asyncio.AbstractEventLoop]) -> Callable[[], asyncio.AbstractEventLoop]:
    @wraps(real)
    def new_event_loop() -> asyncio.AbstractEventLoop:
        return _ours(real())

    return new_event_loop


def _quick(checked: Callable[[], asyncio.AbstractEventLoop]) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return the same for less where the policy is the world's."""

    @wraps(checked)
    def new_event_loop() -> asyncio.AbstractEventLoop:
        policy = events._event_loop_policy  # type: ignore[attr-defined]  # what set_event_loop_policy sets
        return policy.new_event_loop() if type(policy) is Policy else checked()

    return new_event_loop


def _checking(real: Callable[..., None]) -> Callable[..., None]:
    """Return the making of a runner, which asks its factory for a loop later."""

    @wraps(real)
    def init(runner: Any, *, debug: bool | None = None, loop_factory: Any = None) -> None:
        real(runner, debug=debug, loop_factory=loop_factory and _checked(loop_factory))

    return init


def _ours(loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
    """Return the loop; refuse one that a policy or a factory of the program's own made."""
    if type(loop) is EventLoop:
        return loop
    if current_task() is not None and not isinstance(loop, EventLoop):
        is_native = type(loop).__module__.partition(".")[0] == "uvloop"
        if is_native or isinstance(loop, selector_events.BaseSelectorEventLoop):
            _refuse(f"makes a {type(loop).__name__} of its own")
    return loop


def _refuse(what: str) -> NoReturn:
    task = current_task()
    assert task is not None
    task.scheduler.escape(task, f"{what}, which leaves the controlled world")
    raise AssertionError("an escape ends the execution")


def _in_order(real: Callable[..., set[Any]]) -> Callable[..., set[Any]]:
    """Return ``all_tasks`` with the tasks in the order of their making."""

    @wraps(real)
    def all_tasks(loop: asyncio.AbstractEventLoop | None = None) -> set[Any]:
        if current_task() is None:
            told = real(loop)
            running = events.get_running_loop() if loop is None else loop
            return told | {task for task in tasks_outside() if _loop_of(task) is running and not task.done()}
        wanted = events.get_running_loop() if loop is None else loop
        made = [*filter(None, map(call, ALL_TASKS.data)), *EAGER_TASKS]  # type: ignore[attr-defined]  # as asyncio's
        found = [task for task in made if _loop_of(task) is wanted and not task.done()]
        return OrderedSet(sorted(found, key=hash)) if found else set()

    return all_tasks
