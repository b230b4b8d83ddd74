"""Small parts of a fleet that pitfalls share: providers that answer, and threads that run side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harness.sim import SimulatedExecutor

__all__ = ["Client", "executor", "run_together"]


class Client:
    """A provider's client that must not be called once it is closed."""

    def __init__(self, name: str) -> None:
        self.name, self.calls, self.closed = name, 0, 0

    def call(self) -> None:
        """Count the call, if the client is open."""
        if self.closed:
            raise ConnectionError(f"client {self.name!r} is closed")
        self.calls += 1

    def close(self) -> None:
        """Close it, and count how often that is done."""
        self.closed += 1


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
