"""The loop policy of one execution: the default one, which keeps a current loop for each task of the world."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, final

from harness.sim.loops.event_loop import EventLoop
from harness.sim.task import Task, current_task, running_task

__all__ = ["Policy"]


class _PerTask:
    """The current loop and whether one was set, which asyncio keeps per thread, kept per task."""

    def __init__(self, loops: dict[Task | None, asyncio.AbstractEventLoop | None]) -> None:
        self.__dict__["loops"] = loops

    def __getattr__(self, name: str) -> object:
        loops, task = self.__dict__["loops"], running_task()
        return task in loops if name == "_set_called" else loops.get(task)

    def __setattr__(self, name: str, value: Any) -> None:
        loops, task = self.__dict__["loops"], running_task()
        if name == "_set_called":
            loops.setdefault(task, None)
        else:
            loops[task] = value


@final
class Policy(asyncio.DefaultEventLoopPolicy):
    """The default policy inside tasks, the process's own everywhere else. Thread-safe."""

    if TYPE_CHECKING:  # what the stubs of asyncio leave out
        _watcher: object

    _known: asyncio.AbstractEventLoopPolicy | None

    def __init__(self) -> None:
        super().__init__()
        self._loops: dict[Task | None, asyncio.AbstractEventLoop | None] = {}  # by task: the loop it has set
        self._local = _PerTask(self._loops)

    def begin(self, real: asyncio.AbstractEventLoopPolicy | None) -> None:
        """Keep loops per task from here on; ``real`` is the policy of the process, if it has one."""
        self._known = real
        self.forget()

    def forget(self) -> None:
        """Forget what tasks of an earlier execution have set."""
        self._loops.clear()

    @property
    def _real(self) -> asyncio.AbstractEventLoopPolicy:
        """The policy of the process; made when it is asked for, as asyncio does."""
        if self._known is None:
            self._known = asyncio.DefaultEventLoopPolicy()
        return self._known

    def get_event_loop(self) -> asyncio.AbstractEventLoop:
        """Return the current loop of the thread; as asyncio's."""
        return self._real.get_event_loop() if current_task() is None else super().get_event_loop()

    def set_event_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Set the current loop of the thread; as asyncio's."""
        task = current_task()
        if task is None:
            self._real.set_event_loop(loop)
        elif self._watcher is None and (loop is None or type(loop) is EventLoop):
            self._loops[task] = loop
        else:
            super().set_event_loop(loop)

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """Make a loop."""
        task = current_task()
        return self._real.new_event_loop() if task is None else EventLoop(task)
