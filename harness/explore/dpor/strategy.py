"""Optimal dynamic partial-order reduction (DPOR).

Explores one execution of each trace: after each execution it looks for races, pairs of conflicting steps that could
have come in the other order, and plans an execution with that order unless an equivalent one was explored or planned.
Sleep sets tell what was explored, wake-up trees what is planned.

Sound: each reported failure is a real execution. Complete: when nothing is left to plan, every trace was seen, given
that all conflicts were declared; `Proof` says what that rests on.

Reference: Abdulla, Aronis, Jonsson, Sagonas: Source sets, a foundation for optimal dynamic partial order reduction,
JACM 2017. They treat locks; here every operation that waits is treated so: one that could not go on is no event, and
whether it could have come earlier is read off the level that its primitive had then. Steps are known before they are
made, so a sleeping step is compared by what it would do now.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import final

from harness.explore.dpor.plans import Plans
from harness.explore.dpor.proof import Proof
from harness.explore.dpor.stack import Event, Stack
from harness.explore.dpor.wakeup_tree import Node, is_independent
from harness.sim import CLOCK_NUMBER, READ, WRITE, Candidate, Clock, Footprints, Lock, Option, Outcome, Task, Use

__all__ = ["MOST_EVENTS", "Dpor"]

_END = -500_000  # location of the end of the world, the life of no task: daemons read it, what ends it writes it
MOST_EVENTS = 20_000  # of one execution that are followed: each keeps a bit for all that come before it
_NOTHING: Mapping[int, Sequence[int]] = {}
_number = attrgetter("number")


class _Names:
    """Stands for the names of loops' tasks among the types touched as a whole, which are known over all executions."""


@final
class Dpor(Footprints):
    """Strategy and tracker in one. Confined; used up by one exploration.

    Attributes:
        proof: What the search has seen; `Proof.is_complete` once nothing is left.
        redundant: Executions that turned out to be covered by others.
    """

    name = "dpor"
    chooses = True  # see Tracker

    __slots__ = (  # the quickest
        *("_able", "_before", "_clock", "_daemons", "_enabled", "_events", "_excused", "_has_begun", "_has_daemons"),
        *(
            "_is_over",
            "_is_redundant",
            "_is_too_long",
            "_last",
            "_names",
            "_parting",
            "_plans",
            "_position",
            "_replayed",
        ),
        *("_stack", "_todo", "_types", "_waiting", "_woken", "proof", "redundant", "__weakref__"),
    )

    def __init__(self, seed: int = 0) -> None:  # noqa: ARG002 - nothing is drawn
        self._types: dict[type, bool] = {}
        super().__init__(self._types)
        self.proof = Proof()
        self.redundant = 0
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._stack = Stack()
        self._plans = Plans(self._stack)
        self._has_begun = False
        self._parting: Event | None = None  # state at which the next execution leaves the last one
        self._todo: list[Node] = []  # what the next state is to explore

    @property
    def tracker(self) -> Dpor:
        """Itself: it is told of each step."""
        return self

    # Executions

    def begin(self) -> bool:
        """Get ready for the next execution; return ``False`` when all traces were seen."""
        if self.locations.is_stale:  # accesses were declared without an intent that turned out to be needed
            self._begin_anew()
        elif self._has_begun and not self._back_up():
            self.proof.is_complete = True
            return False
        self._has_begun = True
        super().__init__(self._types)
        self._names = self.locations.names
        self._events = self._stack.events
        self._position = 0  # of the next event
        self._replayed = len(self._events)  # these are made again as they were
        self._plans.keep(self._replayed)
        self._stack.met.clear()
        self._last: dict[int, int] = {}  # position of each task's last event
        self._before: dict[int, int] = {}  # positions that a task's next step comes after, as bits
        self._woken: dict[int, int] = {}  # position of the event that last made a task runnable
        self._daemons: dict[int, int] = {}  # position of the start of those that run
        self._has_daemons = False  # whether any were started
        self._clock: Clock | None = None  # where the last task to end left daemons behind
        self._waiting: set[int] = set()  # tasks that nobody has woken
        self._excused: dict[int, int] = {}  # position that a task's next step, a wait or join, may go undeclared after
        self._able: Sequence[Candidate] = ()  # those that could go on at the last state,
        self._enabled: Sequence[int] = ()  # and their numbers
        self._is_over = False  # what follows is no event: only waiting is left, or all that could go on sleeps
        self._is_redundant = self._is_too_long = False
        return True

    def _back_up(self) -> bool:
        """Take off what was explored whole, and plan the next step of the last state that has one."""
        events = self._stack.events
        position = len(events) - 1
        while position >= 0 and not events[position].todo:
            position -= 1
        if position < 0:
            return False
        parting = self._parting = events[position]
        if parting.option < 0:
            parting.sleeping = {**parting.sleeping, parting.task: parting.accesses}
        self._stack.cut(position)
        return True

    def after(self, outcome: Outcome) -> None:
        """Look for races in the execution that ended, and plan others."""
        self._able = ()
        if self._is_redundant:
            self.redundant += 1
            return
        self._stack.settle()
        if outcome.kind == "ok" and self._has_daemons and self._events and not self._is_too_long:
            self._stack.also(_END * 4 + WRITE)
            if len(self._events) - 1 in self._daemons.values():
                self.proof.has_late_daemon = True
        self.proof.see(self, self._events, self._stack.met)
        self._plans.make(self._names)
        if self._is_too_long:
            return  # what is still to be done is that of a later state
        if self.declared or self.uses or self._daemons:
            for number in sorted({*self.declared, *self.uses, *self._daemons}):
                self._plan_unmade(number)
        if outcome.kind == "ok" and self._daemons and self._clock is not None and self._clock.timers:
            event = Event(CLOCK_NUMBER, self.firing(self._clock))
            self._plans.make_with(event, None, self._let_fall_due(event, self._clock))

    def _plan_unmade(self, number: int) -> None:
        """Plan as if a task that was left before its next step, or waits for ever, had made it."""
        if number in self._waiting:
            return  # nobody woke it
        use = self.uses.get(number)
        accesses = self.declared.get(number, []) + ([] if use is None else use.accesses(is_met=True))
        if number in self._daemons:
            accesses = [*accesses, _END * 4 + READ]
        event = Event(number, accesses)
        event.own, event.before = self._last.get(number, -1), self._before.get(number, 0)
        event.enabler = -1 if use is None else self._woken.get(number, -1)
        self._plans.make_with(event, use)

    # Choices and steps

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Return the candidate that the plan wants, having noted that it goes on."""
        if candidates[0].__class__ is Option:
            assert current is not None
            return candidates[self._draw(current.number, len(candidates))]
        position = self._position
        if position >= self._replayed:
            return candidates[0] if self._is_over else self._arrive(candidates, current)
        number = self._events[position].task
        self.declared.pop(number, None)
        if number in self.uses:
            self.going_on[number] = self.uses.pop(number)
        if self._before:
            self._before.pop(number, None)
        self._last[number] = position
        self._position = position + 1
        for candidate in candidates:
            if candidate.number == number:
                return candidate
        return self._find(candidates, number)

    def step(self, candidate: Task | Clock) -> None:
        """Note that the only candidate goes on: see `Tracker`."""
        self.choose([candidate], candidate)  # type: ignore[arg-type]  # the clock, too, goes on if it is alone

    def _draw(self, task: int, options: int) -> int:
        """Return the option that a task draws: an event of its own, in conflict with nothing."""
        position = self._position
        if self._is_over:
            return 0
        if position >= self._replayed:
            parting, self._parting = self._parting, None
            todo = self._todo if parting is None else parting.todo
            if parting is None and not todo:
                todo = [Node(task, 0, (), option=option) for option in range(options)]
            assert todo
            node = todo.pop(0)
            if parting is None and len(todo) < options - 1:  # planned for the sake of another race
                todo += [Node(task, 0, (), option=option) for option in range(options) if option != node.option]
            self._todo = node.children
            event = Event(task, (), (task,), len(self._names))
            event.sleeping, event.todo = self._asleep() if parting is None else parting.sleeping, todo
            event.option, event.own = node.option, self._last.get(task, -1)
            self._events.append(event)
        self._last[task] = position
        self._position = position + 1
        return self._events[position].option

    def _find(self, candidates: Sequence[Candidate], wanted: int) -> Candidate:
        for candidate in candidates:
            if candidate.number == wanted:
                return candidate
        self.proof.has_diverged = True
        return candidates[0]

    def _arrive(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Come to a new state, or to the one where the executions part; choose, and make the event."""
        able, parting, position = candidates, self._parting, self._position
        if position >= MOST_EVENTS:
            self._is_over = self._is_too_long = self.proof.has_too_long = True
            return candidates[0]
        if parting is not None:
            self._parting = None
            enabled, sleeping, todo = parting.enabled, parting.sleeping, parting.todo
        else:
            if self.uses:
                able = [each for each in candidates if not self.would_block(each.number)]
            if able != self._able:
                self._able, self._enabled = [*able], [*map(_number, able)]
            enabled, todo = self._enabled, self._todo
            sleeping = self._events[-1].sleeping if position else _NOTHING
            if sleeping:
                sleeping = self._asleep()
        if todo:
            node = todo.pop(0)
            self._todo = node.children
            chosen: Candidate | None = self._find(able or candidates, node.task)
        elif not sleeping and current in able:  # as mostly; else as _pick
            chosen = current
        else:
            chosen = _pick(able, current, sleeping)
        if chosen is None:
            self._is_over = True
            self._is_redundant = bool(able)
            return candidates[0]
        number = chosen.number
        event = Event(number, (), enabled, len(self._names), self._last.get(number, -1))
        if sleeping:
            event.sleeping = sleeping
        if todo:
            event.todo = todo
        if self._before:
            event.before = self._before.pop(number, 0)
        if self.families or self._daemons or CLOCK_NUMBER in enabled:
            use, due = self._operate(event, chosen)
            self._stack.push(event, use, due)
        else:  # as most
            event.accesses = self.declared.pop(number, ())
            self._events.append(event)
        if not event.accesses and position and self._excused.get(number, -2) < event.own:
            self.proof.undeclared[getattr(chosen, "name", "")] = None
        self._last[number] = position
        self._position = position + 1
        return chosen

    def _asleep(self) -> Mapping[int, Sequence[int]]:
        """Return what sleeps in a new state: what slept before, unless the last step woke it."""
        if not self._events:
            return _NOTHING
        last = self._events[-1]
        if not last.sleeping:
            return last.sleeping
        made = (last.accesses,)
        slept = last.sleeping.items()
        return {task: accesses for task, accesses in slept if task != last.task and is_independent(accesses, made)}

    def _operate(self, event: Event, candidate: Candidate) -> tuple[Use | None, Use | None]:
        """Note what an event does to primitives, and to the clock; return its operation, and the one it makes due."""
        number = event.task
        if isinstance(candidate, Clock):
            event.accesses = self.firing(candidate)
            return None, self._let_fall_due(event, candidate)
        assert isinstance(candidate, Task)  # options are drawn
        if CLOCK_NUMBER in event.enabled:
            event.firing = self.firing(candidate.scheduler.clock)
        if number in self.uses:
            event.cancelled = self._cancelled(candidate)
        accesses, use = self.take(candidate)
        event.accesses = [*accesses, _END * 4 + READ] if number in self._daemons else accesses
        if use is not None and use.is_resumed:
            event.enabler = self._woken.get(number, -1)
        return use, None

    def _let_fall_due(self, event: Event, clock: Clock) -> Use | None:
        """Note what an advance of the clock comes after; return the operation whose time-out is over."""
        task = clock.timers[0].task
        if task is None:  # who sent what arrives is not known
            self.proof.undeclared["the network"] = None
            return None
        event.enabler = self._last[task.number]
        waiting = [each.task for each in clock.timers if each.task is not None]
        event.timers = [(self._last[each.number], self.firing_of(each)) for each in waiting]
        return self.uses.get(task.number)

    def firing_of(self, task: Task | None) -> list[int]:
        """Return what the clock does when the timer of a task falls due; the program's end forestalls a daemon's."""
        codes = super().firing_of(task)
        return [*codes, _END * 4 + READ] if task is not None and task.number in self._daemons else codes

    def _cancelled(self, task: Task) -> Sequence[int]:
        """Return what the clock would do, if its next timer is one that the next step of a task cancels."""
        clock, use = task.scheduler.clock, self.uses[task.number]
        waiter = clock.timers[0].task if clock.timers else None
        if waiter is None or not (use.is_resumed or use.ends_timers):
            return ()
        waiting = self.uses.get(waiter.number)
        is_ended = use.ends_timers and waiting is not None and waiting.location == use.location
        return self.firing(clock) if waiter is task or is_ended else ()

    def edge(self, source: Task | Clock, target: Task) -> None:
        """Note that what the source has done comes before the target's next step."""
        number, last = target.number, self._last.get(source.number)
        self._excused[number] = self._position - 1
        if last is not None:
            self._before[number] = self._before.get(number, 0) | 1 << last

    def block(self, task: Task) -> None:
        """Note that the current step ends in a wait."""
        super().block(task)
        self._excused[task.number] = self._position - 1
        if not self._is_over:
            self._waiting.add(task.number)
        if not task.inside and not isinstance(task.waits_for, (str, Lock)) and task.number not in self.uses:
            self.proof.undeclared[task.name] = None  # it waits for something that nobody declares
        self._woken.pop(task.number, None)

    def wake(self, task: Task) -> None:
        """Note that the current step lets a waiting task go on."""
        self._waiting.discard(task.number)
        self._woken[task.number] = self._position - 1

    def start(self, task: Task, child: Task) -> None:  # noqa: ARG002 - interface
        """Note that the current step starts a task."""
        if child.is_daemon:
            self._daemons[child.number] = self._position - 1
            self._has_daemons = True
        if self._position > self._replayed and not self._is_over:
            self._stack.also(self.started())

    def take_number(self, task: Task) -> None:  # noqa: ARG002 - interface
        """Note that the current step takes the next number for the name of a thread."""
        if self._position > self._replayed and not self._is_over:
            self._stack.also(self.named())

    def take_task_number(self, task: Task) -> None:
        """Note that the current step takes the next number for the name of a loop's task, if names are asked for."""
        if self._types.get(_Names, False):
            self.take_number(task)

    def tell_task_name(self) -> None:
        """Begin anew, as the order in which threads make tasks on their loops shows."""
        if not self._types.get(_Names, False):
            self._types[_Names] = self.locations.is_stale = True

    def end(self, task: Task) -> None:
        """Note that the current step is the task's last."""
        self._daemons.pop(task.number, None)
        if self._position > self._replayed and not self._is_over:
            self._stack.also(self.ended(task))
        if self._daemons:
            self._clock = task.scheduler.clock

    # What it is worth

    @property
    def is_exhausted(self) -> bool:
        """Whether every trace was seen."""
        return self.proof.is_complete

    def withheld(self) -> Sequence[str]:
        """Return what keeps that from being a proof."""
        return self.proof.limits()

    def claim(self) -> str:
        """Return what was proved and what that assumes, or what is left to explore."""
        proof = self.proof
        if proof.is_complete:
            return f"{proof.summary()}; assuming {', '.join(proof.assumptions())}"
        left = sum(len(event.todo) for event in self._stack.events)
        return f"{proof.traces} traces, at least {left} beginnings left to explore"


def _pick(able: Sequence[Candidate], current: Task | None, sleeping: Collection[int]) -> Candidate | None:
    """Return the candidate to go on with where nothing is planned: the task that runs, if it can."""
    if current in able and current.number not in sleeping:  # type: ignore[union-attr]  # no candidate is None
        return current
    for each in able:
        if each.number not in sleeping:
            return each
    return None
