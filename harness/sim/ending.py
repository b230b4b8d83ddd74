"""What the interpreter does when the program's main thread has ended, before it waits for the other threads.

It calls what was registered with ``threading._register_atexit``, last first. Among it is what ends the threads of pools
that nobody has shut down, which would wait for work for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import thread as pools
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.sim.task import Task, current_task
from harness.sim.threads import task_of

if TYPE_CHECKING:
    from harness.sim.scheduler import Scheduler

__all__ = ["end_pools_at_exit", "register_at_exit"]

_real_register: Callable[..., None] = threading._register_atexit  # type: ignore[attr-defined]


def register_at_exit(function: Callable[..., object], *args: object, **kwargs: object) -> None:
    """Let a function be called at the end of the program; as ``threading._register_atexit``."""
    task = current_task()
    if task is None:
        _real_register(function, *args, **kwargs)
    else:
        task.scheduler.at_exit.append(partial(function, *args, **kwargs))


def end_pools_at_exit(scheduler: Scheduler) -> None:
    """Let pools be ended at the end of the program, after all else that is registered."""
    if not scheduler.has_pools:
        scheduler.has_pools = True
        scheduler.at_exit.insert(0, partial(_end_pools, scheduler))
        scheduler.put_back.append(partial(_forget_pools, scheduler))


def _end_pools(scheduler: Scheduler) -> None:
    """Do what ``_python_exit`` of thread pools does, for the pools of one execution."""
    scheduler.put_back.append(partial(setattr, pools, "_shutdown", pools._shutdown))
    pools._shutdown = True
    registered = list(pools._threads_queues.items())  # of pools outside as well
    living = [(thread, items) for thread, items in registered if _is_living(task_of(thread, scheduler))]
    for _, items in living:
        items.put(None)
    for thread, _ in living:
        thread.join()


def _forget_pools(scheduler: Scheduler) -> None:
    """Keep the interpreter from waiting, when it ends itself, for threads that were tasks."""
    registered: Any = pools._threads_queues
    for thread in list(registered):
        if task_of(thread, scheduler) is not None:
            del registered[thread]


def _is_living(task: Task | None) -> bool:
    return task is not None and not task.is_done
