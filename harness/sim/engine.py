"""Engines: what tasks are made of. Schedules, tokens and events are the same on both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from greenlet import getcurrent

from harness.sim.task import Task, running_task
from harness.sim.thread_state import StateSwitch
from harness.sim.thread_task import ThreadHub, ThreadTask
from harness.sim.worker import Worker

__all__ = ["ENGINES", "NO_ENGINE", "Engine", "EngineName"]

EngineName = Literal["greenlet", "threads"]


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to run tasks.

    Attributes:
        name: As `explore(engine=)` takes it.
        task: Class of its tasks.
        worker: Class of what they run on, whose ``task`` is the one that runs.
        current: Gives the worker that runs, or anything of another class.
        make_hub: Makes what runs the execution itself.
    """

    name: EngineName
    task: type[Task]
    worker: Any
    current: Callable[[], Any]
    make_hub: Callable[[StateSwitch], Any]


# Greenlets are quick: a switch costs a fifth of a microsecond. OS threads are what the program will run on.
ENGINES: dict[str, Engine] = {
    "greenlet": Engine("greenlet", Task, Worker, getcurrent, lambda _: getcurrent()),
    "threads": Engine("threads", ThreadTask, ThreadTask, running_task, ThreadHub),
}
# For code that goes on when its world is gone: no task ever runs there, also while the interpreter ends and greenlets
# cannot be asked for.
NO_ENGINE = Engine("greenlet", Task, Worker, lambda: None, lambda _: None)
