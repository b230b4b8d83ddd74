"""The loop policy of one execution: the default one, which keeps a current loop for each task of the world."""

from __future__ import annotations

import asyncio
from typing import final

from harness.sim.loops.event_loop import EventLoop
from harness.sim.task import current_task, running_task

__all__ = ["Policy", "new_loop"]


def new_loop() -> asyncio.AbstractEventLoop:
    """Make a loop: one of ours inside a task, asyncio's own everywhere else."""
    task = current_task()
    return _real_factory() if task is None else EventLoop(task)


_real_factory = asyncio.SelectorEventLoop


class _PerTask:
    """What asyncio keeps per thread, kept per task."""

    kept: dict[tuple[object, str], object]

    def __init__(self) -> None:
        self.__dict__["kept"] = {}

    def __getattr__(self, name: str) -> object:
        return self.kept.get((running_task(), name), False if name == "_set_called" else None)

    def __setattr__(self, name: str, value: object) -> None:
        self.kept[running_task(), name] = value


@final
class Policy(asyncio.DefaultEventLoopPolicy):
    """The default policy inside tasks, the process's own everywhere else. Thread-safe."""

    _known: asyncio.AbstractEventLoopPolicy | None

    def __init__(self) -> None:
        super().__init__()
        self._local = _PerTask()

    def begin(self, real: asyncio.AbstractEventLoopPolicy | None) -> None:
        """Forget what tasks of an earlier execution have set; ``real`` is the policy of the process, if it has one."""
        self._known = real
        self._local.kept.clear()

    @property
    def has_set(self) -> bool:
        """Whether tasks have set something since the beginning."""
        return bool(self._local.kept)

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
        if current_task() is None:
            self._real.set_event_loop(loop)
        else:
            super().set_event_loop(loop)

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """Make a loop."""
        return self._real.new_event_loop() if current_task() is None else new_loop()
