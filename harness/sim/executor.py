"""A simulated provider: answers by plan, takes simulated time, and remembers its calls."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import final

from harness.sim.errors import SimError
from harness.sim.faults import fault_point
from harness.sim.task import current_task

__all__ = ["ExecutorCall", "RateLimitError", "SimulatedExecutor"]


class RateLimitError(SimError):
    """A provider was asked too often: what HTTP says with status 429."""

    status = 429

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"status 429: too many calls; try again after {self.retry_after_s:g} s"


@dataclass(frozen=True, slots=True)
class ExecutorCall:
    """One call of a simulated executor, in simulated seconds. Immutable.

    Attributes:
        prompt: What was asked.
        started_s: When.
        ended_s: When the reply or the error was there, or the caller gave up.
        reply: The reply, as far as it was given; ``None`` where an error was raised before any of it.
        error: The error raised, cancellation included, or ``None``.
    """

    prompt: str
    started_s: float
    ended_s: float
    reply: str | None
    error: BaseException | None


@final
class SimulatedExecutor:
    """Stands behind a provider of a fleet. Thread-safe; `acomplete` and `stream` work on any loop, on several at once.

    Latency passes on the virtual clock of the world it is called in. Outside a world there is no such clock, and
    replies come at once.

    Args:
        name: Name in the replies, usually the provider's id.
        plan: Replies and errors for the first calls, in order; after them, and without a plan, it answers by echo.
        latency_s: Shortest and longest simulated seconds a call takes, drawn anew for each call; a stream takes as long
            for each token.
        seed: Start of the stream that latencies and failures are drawn from.
        failure_rate: Share of the calls beyond the plan that fail with ``ConnectionError``, from 0 to 1.
        concurrency: Most calls in progress at once; one more is answered with `RateLimitError`. ``None`` for no limit.
        retry_after_s: What a `RateLimitError` asks the caller to wait, in seconds.

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
        failure_rate: float = 0.0,
        concurrency: int | None = None,
        retry_after_s: float = 1.0,
    ) -> None:
        _check_plan(plan)
        _check_latency(latency_s)
        if not retry_after_s >= 0:
            raise ValueError(f"{retry_after_s=} is below 0; pass seconds")
        if not 0 <= failure_rate <= 1:
            raise ValueError(f"{failure_rate=} is no share; pass a number from 0 to 1")
        if concurrency is not None and concurrency < 1:
            raise ValueError(f"{concurrency=} is below 1; pass a number of calls, or None for no limit")
        self.name = name
        self._plan = tuple(plan)
        self._latency_s = latency_s
        self._random = Random(f"{name}:{seed}")  # noqa: S311 - latencies are no secrets
        self._failure_rate, self._concurrency, self._retry_after_s = failure_rate, concurrency, retry_after_s
        self._begun = self._in_progress = 0
        self._most_at_once = 0
        self._calls: list[ExecutorCall] = []

    @property
    def calls(self) -> tuple[ExecutorCall, ...]:
        """Calls that have ended, in the order of their ends."""
        self._pass("calls")
        return tuple(self._calls)

    @property
    def most_at_once(self) -> int:
        """How many calls were in progress at the same time, at most."""
        self._pass("most_at_once")
        return self._most_at_once

    def complete(self, prompt: str) -> str:
        """Answer a prompt, after the latency.

        Raises:
            RateLimitError: too many calls are in progress.
            Exception: whatever the plan, the draw or a fault of the exploration has for this call.
        """
        call = self._begin(prompt, "complete")
        try:
            fault_point(f"{self.name}.complete")
            if current_task() is not None:
                time.sleep(self._latency())
            return call.finish()
        except BaseException as error:
            call.fail(error)
            raise
        finally:
            self._end(call)

    async def acomplete(self, prompt: str) -> str:
        """Answer a prompt as `complete` does, letting other tasks of the loop go on; may be cancelled."""
        call = self._begin(prompt, "acomplete")
        try:
            await self._pause()
            return call.finish()
        except BaseException as error:
            call.fail(error)
            raise
        finally:
            self._end(call)

    async def stream(self, prompt: str) -> AsyncIterator[str]:
        """Answer a prompt token by token, each after the latency; an error comes after the first half of the echo."""
        call = self._begin(prompt, "stream")
        try:
            for token in call.tokens():
                self._pass("token")  # draws how long it takes
                await self._pause()
                call.given.append(token)
                yield token
            call.finish()
        except BaseException as error:
            call.fail(error)
            raise
        finally:
            self._end(call)

    def _begin(self, prompt: str, method: str) -> _Call:
        self._pass(method)
        if self._concurrency is not None and self._in_progress >= self._concurrency:
            error = RateLimitError(self._retry_after_s)
            self._calls.append(ExecutorCall(prompt, _now_s(), _now_s(), None, error))
            raise error
        position, self._begun = self._begun, self._begun + 1
        self._in_progress += 1
        self._most_at_once = max(self._most_at_once, self._in_progress)
        echo = f"{self.name}: {prompt}"
        answer: str | Exception = self._plan[position] if position < len(self._plan) else echo
        if position >= len(self._plan) and self._failure_rate and self._random.random() < self._failure_rate:
            answer = ConnectionError(f"{self.name} lost the connection")
        return _Call(prompt, answer, echo, _now_s())

    def _pass(self, operation: str) -> None:
        """Come to a scheduling point before what is shared by all calls is read or changed."""
        task = current_task()
        if task is None:
            return
        scheduler = task.scheduler
        if scheduler.tracker is not None and not task.inside:
            scheduler.tracker.primitive(task, self, operation)
        scheduler.point(task)
        if scheduler.recorder is not None:
            scheduler.note(task, "call", f"{scheduler.name_of(self)}.{operation}")

    def _end(self, call: _Call) -> None:
        self._pass("end")
        self._in_progress -= 1
        self._calls.append(ExecutorCall(call.prompt, call.started_s, _now_s(), call.reply, call.error))

    async def _pause(self) -> None:
        import asyncio  # who awaits has it

        await asyncio.sleep(self._latency() if current_task() is not None else 0)

    def _latency(self) -> float:
        return self._random.uniform(*self._latency_s)

    def __repr__(self) -> str:
        return f"SimulatedExecutor({self.name!r}, {len(self._calls)} calls)"


@final
class _Call:
    """A call in progress. Confined to its caller."""

    def __init__(self, prompt: str, answer: str | Exception, echo: str, started_s: float) -> None:
        self.prompt, self.answer, self.started_s = prompt, answer, started_s
        self.given: list[str] = []
        self.error: BaseException | None = None
        self._echo = echo

    @property
    def reply(self) -> str | None:
        return "".join(self.given) if self.given else None

    def tokens(self) -> list[str]:
        """Return what a stream gives, word by word with the space before it."""
        text = self._echo if isinstance(self.answer, Exception) else self.answer
        words = [word if not number else f" {word}" for number, word in enumerate(text.split(" "))]
        return words[: len(words) // 2] if isinstance(self.answer, Exception) else words

    def finish(self) -> str:
        if isinstance(self.answer, Exception):
            raise self.answer
        self.given = [self.answer]
        return self.answer

    def fail(self, error: BaseException) -> None:
        self.error = error


def _check_plan(plan: object) -> None:
    if isinstance(plan, str) or not isinstance(plan, Sequence):
        raise TypeError(f"{plan=} is no list; pass a list of replies and errors")
    for position, answer in enumerate(plan):
        if not isinstance(answer, (str, Exception)):
            raise TypeError(
                f"plan[{position}]={answer!r} is neither a text nor an error; pass a reply, or make the error"
            )


def _check_latency(latency_s: object) -> None:
    bounds = latency_s if isinstance(latency_s, Sequence) else ()
    if len(bounds) != 2 or not all(isinstance(bound, (int, float)) for bound in bounds):
        raise TypeError(f"{latency_s=} is no pair of numbers; pass the shortest and the longest, simulated seconds")
    if not 0 <= bounds[0] <= bounds[1]:
        raise ValueError(f"{latency_s=} is negative or out of order; pass the shortest and the longest")


def _now_s() -> float:
    task = current_task()
    return 0.0 if task is None else task.scheduler.clock.now_s
