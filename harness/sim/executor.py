"""A simulated provider: answers by plan, takes simulated time, and remembers its calls."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import final

from harness.sim.task import current_task

__all__ = ["ExecutorCall", "SimulatedExecutor"]


@dataclass(frozen=True, slots=True)
class ExecutorCall:
    """One call of a simulated executor, in simulated seconds. Immutable.

    Attributes:
        prompt: What was asked.
        started_s: When.
        ended_s: When the reply or the error was there.
        reply: The reply, ``None`` where an error was raised.
        error: The error raised, or ``None``.
    """

    prompt: str
    started_s: float
    ended_s: float
    reply: str | None
    error: Exception | None


@final
class SimulatedExecutor:
    """Stands behind a provider of a fleet. Thread-safe.

    Latency passes on the virtual clock of the world it is called in. Outside a world there is no such clock, and
    replies come at once.

    Args:
        name: Name in the replies, usually the provider's id.
        plan: Replies and errors for the first calls, in order; after them, and without a plan, it answers by echo.
        latency_s: Shortest and longest simulated seconds a call takes, drawn anew for each call.
        seed: Start of the stream that latencies are drawn from.

    Example:
        >>> executor = SimulatedExecutor("mail", plan=["hello", TimeoutError("slow")])
        >>> executor.complete("hi")
        'hello'
    """

    def __init__(
        self,
        name: str,
        *,
        plan: Sequence[str | Exception] = (),
        latency_s: tuple[float, float] = (0.05, 0.2),
        seed: int = 0,
    ) -> None:
        self.name = name
        self._plan = tuple(plan)
        self._latency_s = latency_s
        self._random = Random(f"{name}:{seed}")  # noqa: S311 - latencies are no secrets
        self._begun = 0
        self._calls: list[ExecutorCall] = []

    @property
    def calls(self) -> tuple[ExecutorCall, ...]:
        """Calls that have ended, in the order of their ends."""
        return tuple(self._calls)

    def complete(self, prompt: str) -> str:
        """Answer a prompt, after the latency.

        Raises:
            Exception: whatever the plan has for this call.
        """
        position, self._begun = self._begun, self._begun + 1
        answer = self._plan[position] if position < len(self._plan) else f"{self.name}: {prompt}"
        started_s = _now_s()
        if current_task() is not None:
            time.sleep(self._random.uniform(*self._latency_s))
        reply, error = (None, answer) if isinstance(answer, Exception) else (answer, None)
        self._calls.append(ExecutorCall(prompt, started_s, _now_s(), reply, error))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def __repr__(self) -> str:
        return f"SimulatedExecutor({self.name!r}, {len(self._calls)} calls)"


def _now_s() -> float:
    task = current_task()
    return 0.0 if task is None else task.scheduler.clock.now_s
