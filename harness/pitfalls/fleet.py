"""Small parts of a fleet that pitfalls share: providers that answer, and threads that run side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harness.sim import SimulatedExecutor

__all__ = ["executor", "run_together"]


def executor(name: str) -> SimulatedExecutor:
    """Return a provider's executor, which answers by echo."""
    return SimulatedExecutor(name)


def run_together(*functions: Callable[[], object]) -> None:
    """Run functions in threads of their own and wait for all."""
    threads = [threading.Thread(target=function, name=getattr(function, "__name__", None)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
