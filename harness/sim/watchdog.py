"""The watchdog: ends an execution that has passed no scheduling point for some real seconds.

A task may wait in native code that no hook sees, or compute for ever. A thread of the system looks now and then
whether steps are being made; if not, it interrupts the world's thread, and the execution ends as uncontrolled, with
the line. On the main thread the interrupt is a signal, which also wakes calls that wait; elsewhere it is an
asynchronous exception, which reaches Python code only.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from collections.abc import Callable
from typing import final

from harness.sim.errors import TaskExit
from harness.sim.event import call_site
from harness.sim.place import shown_file
from harness.sim.scheduler import Scheduler, Stop
from harness.sim.task import current_task

__all__ = ["Watchdog"]


@final
class Watchdog:
    """Watches the executions of one world. Confined to the world's thread, its own thread apart.

    Args:
        patience_s: Real seconds without a scheduling point after which an execution is ended.
        running: Gives the scheduler of the execution that runs, or ``None`` between executions.
    """

    def __init__(self, patience_s: float, running: Callable[[], Scheduler | None]) -> None:
        self._patience_s, self._running = patience_s, running
        self._over = threading.Event()
        self._ident = threading.get_ident()
        self._is_main = threading.current_thread() is threading.main_thread()
        self._thread = threading.Thread(target=self._watch, name="harness watchdog", daemon=True)
        self.is_biting = False  # true from the interrupt to its handling

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and wait for the thread."""
        self._over.set()
        self._thread.join()

    def handle(self) -> None:
        """Handle the interrupt, on the world's thread: end the task that is stuck, if it still is."""
        self.is_biting = False
        scheduler = self._running()
        if scheduler is not None and scheduler.stop is not None and current_task() is not None:
            raise TaskExit

    def _watch(self) -> None:
        seen: tuple[Scheduler | None, int] = None, 0
        while not self._over.wait(self._patience_s):
            scheduler = self._running()
            now = scheduler, scheduler.steps if scheduler is not None else 0
            if scheduler is not None and now == seen:
                self._bite(scheduler)
            seen = now

    def _bite(self, scheduler: Scheduler) -> None:
        frame = sys._current_frames().get(self._ident)
        file, line, function = call_site(frame) if frame is not None else ("", 0, "")
        place = f"at {shown_file(file)}:{line} in {function}" if file else "in code without a line"
        text = f"no scheduling point for {self._patience_s:g} s: a task waits or computes out of sight, {place}"
        scheduler.give_up(Stop("uncontrolled", text))
        self.is_biting = True
        if self._is_main:
            signal.pthread_kill(self._ident, signal.SIGINT)
        else:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._ident), ctypes.py_object(TaskExit))
