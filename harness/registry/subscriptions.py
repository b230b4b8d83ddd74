"""Subscriptions: who is told about publishes, and in what order.

A publish puts what it did into a queue in the same critical section in which it swaps the snapshot, together with
those subscribed at that moment. Then, outside of every lock, it empties the queue, unless another thread is at it:
there is one drainer at a time, so everyone is told in version order, once, after the swap. A subscriber may itself
publish or read; what it publishes is told after the present round.

    publisher of 2        publisher of 3
    swap, queue 2
    drain: tells 2 ...    swap, queue 3
                          somebody drains: return
    ... tells 3

A subscriber that fails is reported and stops no other. Coroutine functions run on the loop that subscribed, one call
at a time.
"""

from __future__ import annotations

import inspect
import logging
import threading
import weakref
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias, cast, final

from harness.registry.errors import NoRunningLoopError
from harness.registry.publication import Publication

if TYPE_CHECKING:
    import asyncio
    from types import TracebackType

__all__ = ["ErrorHandler", "Subscriber", "Subscription", "Subscriptions"]

Subscriber: TypeAlias = Callable[[Publication], object]  # or a coroutine function
ErrorHandler: TypeAlias = Callable[[BaseException, Publication], object]

_LOGGER = logging.getLogger("harness.registry")


@final
class Subscription:
    """One subscriber's place in the line. Concurrency: *thread-safe*. Also a context manager that cancels at its end.

    Attributes:
        since: The version that was current when it began; the first publication told has a later one.
        last_error: What the subscriber raised last, ``None`` if it never failed.
    """

    def __init__(self, fn: Subscriber, since: int, *, coalesce: bool, weak: bool, owner: Subscriptions) -> None:
        self.since, self.last_error = since, cast("BaseException | None", None)
        self._owner, self._coalesce = owner, coalesce
        self._get = _weak_getter(fn) if weak else lambda: fn
        self._skipped: Publication | None = None  # the first of those a coalescing subscriber was spared
        self._loop: asyncio.AbstractEventLoop | None = None
        if inspect.iscoroutinefunction(fn):
            self._loop = _running_loop()
            self._waiting: deque[Publication] = deque()  # used on _loop only
            self._task: asyncio.Task[None] | None = None  # likewise; kept so that it is not collected

    @property
    def is_active(self) -> bool:
        """Whether it is still told."""
        return self._owner.holds(self)

    def cancel(self) -> None:
        """End it. A call that runs is not interrupted; none begins after this. Ending twice is fine."""
        self._owner.drop(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()

    def deliver(self, publication: Publication) -> None:
        """Tell the subscriber, or put it off if it coalesces and a newer publication waits. Called by the drainer."""
        if not self.is_active:
            return
        fn = self._get()
        if fn is None:
            self.cancel()
        elif self._coalesce and self._owner.has_more_for(self):
            self._skipped = self._skipped or publication
        else:
            publication, self._skipped = _merged(self._skipped, publication), None
            if self._loop is None:
                self._call(fn, publication)
            else:
                self._post(self._loop, publication)

    def _call(self, fn: Subscriber, publication: Publication) -> None:
        try:
            fn(publication)
        except Exception as error:
            self._failed(error, publication)

    def _post(self, loop: asyncio.AbstractEventLoop, publication: Publication) -> None:
        try:
            loop.call_soon_threadsafe(self._start, loop, publication)
        except RuntimeError as error:  # the loop is closed, and so is the subscription
            self.cancel()
            self._failed(error, publication)

    def _start(self, loop: asyncio.AbstractEventLoop, publication: Publication) -> None:
        self._waiting.append(publication)
        if self._task is None:
            self._task = loop.create_task(self._tell_all())

    async def _tell_all(self) -> None:
        try:
            while self._waiting:
                publication = self._waiting.popleft()
                while self._coalesce and self._waiting:
                    publication = _merged(publication, self._waiting.popleft())
                fn = self._get()
                if fn is None or not self.is_active:
                    return
                try:
                    await cast("Awaitable[object]", fn(publication))
                except Exception as error:
                    self._failed(error, publication)
        finally:
            self._task = None

    def _failed(self, error: BaseException, publication: Publication) -> None:
        self.last_error = error
        self._owner.report(error, publication)


@final
class Subscriptions:
    """All subscriptions of a registry, and the queue of what they are still to be told. Concurrency: *thread-safe*.

    Args:
        on_error: Told about failing subscribers; the ``harness.registry`` log if left out.
    """

    def __init__(self, on_error: ErrorHandler | None = None) -> None:
        self.lock = threading.Lock()  # held for a few assignments, never while foreign code runs
        self.errors = 0  # failures reported; written under lock
        self._on_error = on_error
        self._active: tuple[Subscription, ...] = ()  # replaced under lock
        # In version order, each with those still to be told of it; changed under lock.
        self._queue: deque[tuple[Publication, deque[Subscription]]] = deque()
        self._drainer: object | None = None  # whose turn it is; written under lock

    def __len__(self) -> int:
        return len(self._active)

    def add(self, fn: Subscriber, read_version: Callable[[], int], *, coalesce: bool, weak: bool) -> Subscription:
        """Subscribe. No publish comes between the reading of the version and the first publication told."""
        with self.lock:
            subscription = Subscription(fn, read_version(), coalesce=coalesce, weak=weak, owner=self)
            self._active = (*self._active, subscription)
        return subscription

    def drop(self, subscription: Subscription) -> None:
        """Unsubscribe."""
        with self.lock:
            self._active = tuple(other for other in self._active if other is not subscription)

    def holds(self, subscription: Subscription) -> bool:
        """Whether it is subscribed."""
        return any(other is subscription for other in self._active)

    def has_more_for(self, subscription: Subscription) -> bool:
        """Whether a later publication waits for it."""
        with self.lock:
            return any(other is subscription for _, others in self._queue for other in others)

    def post(self, publication: Publication) -> None:
        """Queue a publication for those subscribed now. The caller holds ``lock``."""
        if self._active:
            self._queue.append((publication, deque(self._active)))

    def drain(self) -> None:
        """Tell everyone what is queued, unless another thread is at it."""
        if not self._queue:
            return
        me = object()
        with self.lock:
            if self._drainer is not None:
                return
            self._drainer = me
        interrupt: BaseException | None = None
        try:
            while (following := self._next()) is not None:
                publication, subscription = following
                try:
                    subscription.deliver(publication)
                except BaseException as error:  # an interrupt: the others are told first, then it passes on
                    interrupt = interrupt or error
        finally:
            with self.lock:
                if self._drainer is me:
                    self._drainer = None
        if interrupt is not None:
            raise interrupt

    def report(self, error: BaseException, publication: Publication) -> None:
        """Pass a failure on; a failing handler goes to the log."""
        with self.lock:
            self.errors += 1
        if self._on_error is not None:
            try:
                self._on_error(error, publication)
            except Exception:
                _LOGGER.exception("the error handler failed on version %s", publication.version)
        else:
            _LOGGER.error("a subscriber failed on version %s", publication.version, exc_info=error)

    def _next(self) -> tuple[Publication, Subscription] | None:
        # One at a time, so that a fault between here and the telling costs one subscriber one publication, not more.
        with self.lock:
            while self._queue and not self._queue[0][1]:
                self._queue.popleft()
            if not self._queue:
                self._drainer = None  # in the same step: who queues after this drains for himself
                return None
            publication, waiting = self._queue[0]
            return publication, waiting.popleft()


def _merged(first: Publication | None, last: Publication) -> Publication:
    return last if first is None else Publication(first.old, last.new, last.restored_from)


def _weak_getter(fn: Subscriber) -> Callable[[], Subscriber | None]:
    if inspect.ismethod(fn):
        return weakref.WeakMethod(fn)
    return weakref.ref(fn)


def _running_loop() -> asyncio.AbstractEventLoop:
    import asyncio  # costs more than the rest of the package, and threads do without

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise NoRunningLoopError("subscribe") from None
