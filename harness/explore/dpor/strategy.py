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

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import final

from harness.explore.dpor.proof import Proof
from harness.explore.dpor.stack import Event, Stack
from harness.explore.dpor.wakeup_tree import Node, first_of, insert, is_independent
from harness.sim import CLOCK_NUMBER, READ, WRITE, Candidate, Clock, Footprints, Lock, Option, Outcome, Task, Use

__all__ = ["Dpor"]

_END = -500_000  # location of the end of the world, the life of no task: daemons read it, what ends it writes it
_FIRST_DESCRIPTION = -1 << 62


@final
class Dpor(Footprints):
    """Strategy and tracker in one. Confined; used up by one exploration.

    Attributes:
        proof: What the search has seen; `Proof.is_complete` once nothing is left.
        redundant: Executions that turned out to be covered by others.
    """

    name = "dpor"

    def __init__(self, seed: int = 0) -> None:  # noqa: ARG002 - nothing is drawn
        self._types: dict[type, bool] = {}
        super().__init__(self._types)
        self.proof = Proof()
        self.redundant = 0
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._stack = Stack()
        self._descriptions: dict[tuple[object, object], int] = {}
        self._has_begun = False
        self._parting: Event | None = None  # state at which the next execution leaves the last one
        self._todo: list[Node] = []  # what the next state is to explore
        self._planned = 0  # events whose races have been looked at

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
        self._position = 0  # of the next event
        self._tasks = [event.task for event in self._stack.events]  # of the events that are made again as they were
        self._replayed = len(self._tasks)
        self._planned = min(self._planned, self._replayed)
        self._last: dict[int, int] = {}  # position of each task's last event
        self._stack.last = self._last
        self._stack.met.clear()
        self._before: dict[int, int] = {}  # positions that a task's next step comes after, as bits
        self._woken: dict[int, int] = {}  # position of the event that last made a task runnable
        self._daemons: dict[int, int] = {}  # position of the start of those that run
        self._has_daemons = False  # whether any were started
        self._clock: Clock | None = None  # where the last task to end left daemons behind
        self._waiting: set[int] = set()  # tasks that nobody has woken
        self._excused: set[int] = set()  # tasks whose next step need not be declared: it follows a wait, or a join
        self._state: Event | None = None  # before the next step, once it is known
        self._chosen: Candidate | None = None
        self._is_over = False  # what follows is no event: only waiting is left, or all that could go on sleeps
        self._is_redundant = False
        return True

    def _back_up(self) -> bool:
        """Take off what was explored whole, and plan the next step of the last state that has one."""
        stack = self._stack
        while stack.events:
            event = stack.pop()
            if event.option < 0:
                event.sleeping[event.task] = tuple(event.accesses)
            if event.todo:
                self._parting = event
                return True
        return False

    def after(self, outcome: Outcome) -> None:
        """Look for races in the execution that ended, and plan others."""
        if self._is_redundant:
            self.redundant += 1
            return
        if outcome.kind == "ok" and self._has_daemons and self._stack.events:
            self._stack.also(_END * 4 + WRITE)
            if len(self._stack.events) - 1 in self._daemons.values():
                self.proof.has_late_daemon = True
        self.proof.see(self, self._stack.events, self._stack.met)
        self._plan_again(self._planned)
        self._plan(self._planned)
        self._planned = len(self._stack.events)
        for number in sorted({*self.declared, *self.uses, *self._daemons}):
            self._plan_unmade(number)
        if outcome.kind == "ok" and self._daemons and self._clock is not None and self._clock.timers:
            event = Event(CLOCK_NUMBER, (), {}, [], 0)
            due = self._let_fall_due(event, self._clock)
            self._plan_made(event, 0, self.firing(self._clock), None, due)

    # Choices

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Return the candidate that the plan wants."""
        if candidates[0].__class__ is Option:
            assert current is not None
            return candidates[self._draw(current.number, len(candidates))]
        if self._position >= self._replayed:
            return self._arrive(candidates, current)
        wanted = self._tasks[self._position]
        for candidate in candidates:
            if candidate.number == wanted:
                return candidate
        return self._find(candidates, wanted)

    def _draw(self, task: int, options: int) -> int:
        """Return the option that a task draws: an event of its own, in conflict with nothing."""
        position = self._position
        if self._is_over:
            return 0
        if position >= self._replayed:
            parting, self._parting = self._parting, None
            sleeping, todo = (self._asleep(), self._todo) if parting is None else (parting.sleeping, parting.todo)
            if parting is None and not todo:
                todo = [Node(task, 0, (), option=option) for option in range(options)]
            node = todo.pop(0)
            if parting is None and len(todo) < options - 1:  # planned for the sake of another race
                todo += [Node(task, 0, (), option=option) for option in range(options) if option != node.option]
            self._todo = node.children
            event = Event(task, (task,), sleeping, todo, len(self.locations.names), option=node.option)
            self._stack.push(event, 0, (), None)
        self._last[task] = position
        self._position = position + 1
        return self._stack.events[position].option

    def _find(self, candidates: Sequence[Candidate], wanted: int) -> Candidate:
        for candidate in candidates:
            if candidate.number == wanted:
                return candidate
        self.proof.has_diverged = True
        return candidates[0]

    def _arrive(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Come to a new state, or to the one where the executions part, and choose."""
        if self._is_over:
            return candidates[0]
        if len(candidates) == 1 and not self.uses and not self._todo and self._parting is None and not self._asleep():
            only = candidates[0]
            self._state = Event(only.number, (only.number,), {}, [], len(self.locations.names))
            return only
        parting, self._parting = self._parting, None
        if parting is not None:
            enabled, sleeping, todo = parting.enabled, parting.sleeping, parting.todo
            able: Sequence[Candidate] = candidates
        else:
            able = [each for each in candidates if not self.would_block(each.number)] if self.uses else candidates
            enabled = [each.number for each in able]
            sleeping, todo = self._asleep(), self._todo
        if todo:
            node = todo.pop(0)
            self._todo = node.children
            chosen: Candidate | None = self._find(able or candidates, node.task)
        else:
            self._todo = []
            chosen = _pick(able, current, sleeping)
        if chosen is None:
            self._is_over = True
            self._is_redundant = bool(able)
            return candidates[0]
        self._state = Event(chosen.number, enabled, sleeping, todo, len(self.locations.names))
        return chosen

    def _asleep(self) -> dict[int, Sequence[int]]:
        """Return what sleeps in a new state: what slept before, unless the last step woke it."""
        events = self._stack.events
        if not events or not events[-1].sleeping:
            return {}
        last = events[-1]
        made = (last.accesses,)
        slept = last.sleeping.items()
        return {task: accesses for task, accesses in slept if task != last.task and is_independent(accesses, made)}

    # Steps, see Tracker

    def step(self, candidate: Task | Clock) -> None:
        """Note that a candidate goes on."""
        position, number = self._position, candidate.number
        if position < self._replayed:
            self.declared.pop(number, None)
            if self.uses:
                use = self.uses.pop(number, None)
                if use is not None:
                    self.going_on[number] = use
            if self._tasks[position] != number:
                self.proof.has_diverged = True
            if self._before:
                self._before.pop(number, None)
        else:
            if self._state is None:
                self._arrive([candidate], None)
            state, self._state = self._state, None
            if state is None:
                return
            if isinstance(candidate, Task):
                if CLOCK_NUMBER in state.enabled:
                    state.firing = self.firing(candidate.scheduler.clock)
                if number in self.uses:
                    state.cancelled = self._cancelled(candidate)
            accesses, use = self.take(candidate)
            due: Use | None = None
            if not accesses and use is None and number not in self._excused and position:
                self.proof.undeclared[getattr(candidate, "name", "")] = None
            self._excused.discard(number)
            if number in self._daemons:
                accesses = [*accesses, _END * 4 + READ]
            if isinstance(candidate, Clock):
                due = self._let_fall_due(state, candidate)
            elif use is not None and use.is_resumed:
                state.enabler = self._woken.get(number, -1)
            self._stack.push(state, self._before.pop(number, 0), accesses, use, due)
        self._last[number] = position
        self._position = position + 1

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
        self._excused.add(target.number)
        last = self._last.get(source.number)
        if last is not None:
            self._before[target.number] = self._before.get(target.number, 0) | 1 << last

    def block(self, task: Task) -> None:
        """Note that the current step ends in a wait."""
        super().block(task)
        self._excused.add(task.number)
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
        self._also(self.started())

    def end(self, task: Task) -> None:
        """Note that the current step is the task's last."""
        self._daemons.pop(task.number, None)
        self._also(self.ended(task))
        if self._daemons:
            self._clock = task.scheduler.clock

    def _also(self, access: int) -> None:
        if self._position > self._replayed and not self._is_over:
            self._stack.also(access)

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

    # Plans

    def _plan_again(self, start: int) -> None:
        """Plan the reversals of earlier races anew where events from a position on would come before them.

        The plan made before has other such events, of another execution. Without any it would be a part of that plan.
        """
        events = self._stack.events
        behind = -1  # what all new events come after
        for event in events[start:]:
            behind &= event.past
        for position, event in enumerate(events[:start]):
            for earlier in event.races:
                if not behind >> earlier & 1:
                    self._reverse(earlier, position)
            if event.cancelled and not behind >> position & 1:
                self._fire(position)

    def _plan(self, start: int) -> None:
        """Plan the reversal of every race whose later event is from a position on."""
        for position, event in enumerate(self._stack.events[start:], start):
            for earlier in event.races:
                self._reverse(earlier, position)
            if event.cancelled:
                self._fire(position)

    def _plan_unmade(self, number: int) -> None:
        """Plan as if a task that was left before its next step, or waits for ever, had made it."""
        if number in self._waiting:
            return  # nobody woke it
        use = self.uses.get(number)
        accesses = self.declared.get(number, []) + ([] if use is None else use.accesses(is_met=True))
        if number in self._daemons:
            accesses = [*accesses, _END * 4 + READ]
        event = Event(number, (), {}, [], 0, enabler=-1 if use is None else self._woken.get(number, -1))
        self._plan_made(event, self._before.get(number, 0), accesses, use)

    def _plan_made(
        self, event: Event, before: int, accesses: Sequence[int], use: Use | None, due: Use | None = None
    ) -> None:
        """Plan as if an event had come last."""
        self._stack.push(event, before, accesses, use, due)
        self._plan(len(self._stack.events) - 1)
        self._stack.pop()

    def _reverse(self, earlier: int, later: int) -> None:
        """Plan an execution in which the later of two events in a race comes without the earlier one."""
        events = self._stack.events
        state = events[earlier]
        last, sequence = events[later], self._without(earlier)
        if last.task == CLOCK_NUMBER and last.enabler >= 0 and events[last.enabler].past >> earlier & 1:
            self._fire_another(earlier, last, sequence)
            return
        turned = last.turned.get(earlier)
        if turned is not None or self._is_between(earlier, later):
            accesses = last.accesses if turned is None else turned
            last = _after(sequence, replace(last, accesses=accesses, past=last.base | last.bit))
        self._insert(state, [*sequence, last])

    def _is_between(self, earlier: int, later: int) -> bool:
        """Return whether an event leads from one to a later one: the release of a lock, from an acquire to the next."""
        events = self._stack.events
        bit, past = 1 << earlier, events[later].past
        return any(event.past & bit and event.bit & past for event in events[earlier + 1 : later])

    def _fire_another(self, earlier: int, last: Event, sequence: list[Event]) -> None:
        """Plan to let another timer fall due before the one that did was set: at once, and after a sequence."""
        events = self._stack.events
        state = events[earlier]
        others = (firing for setter, firing in last.timers if not events[setter].past >> earlier & 1)
        due = next(others, None)
        plans = [] if due is None else [(sequence, due)]
        if state.firing and state.firing != due:
            plans.append(([], state.firing))
        for steps, accesses in plans:
            self._insert_firing(state, steps, accesses)

    def _fire(self, position: int) -> None:
        """Plan an execution in which the clock advances where a step cancelled its next timer."""
        state = self._stack.events[position]
        self._insert_firing(state, self._without(position), state.cancelled)

    def _insert_firing(self, state: Event, sequence: list[Event], accesses: Sequence[int]) -> None:
        """Plan a sequence at a state, and that the clock advances after it; unless the order of that is no matter."""
        if is_independent(accesses, (state.accesses,)):
            return
        firing = Event(CLOCK_NUMBER, (), {}, [], 0, [*accesses])
        firing.bit = firing.past = 1 << len(self._stack.events)
        self._insert(state, [*sequence, _after(sequence, firing)])

    def _without(self, position: int) -> list[Event]:
        """Return the later steps that do not come after one."""
        bit = 1 << position
        return [event for event in self._stack.events[position + 1 :] if not event.past & bit]

    def _insert(self, state: Event, sequence: list[Event]) -> None:
        """Plan a sequence at a state, unless an equivalent one was explored or is planned."""
        for task, slept in state.sleeping.items():
            first = first_of(task, sequence)
            if first or (first is None and is_independent(slept, (step.accesses for step in sequence))):
                return
        insert(state.todo, sequence, state.locations, self._describe)

    def _describe(self, accesses: Sequence[int], base: int) -> Sequence[int]:
        """Return accesses with locations that may have other numbers elsewhere replaced by their descriptions."""
        if not accesses or max(accesses) >> 2 < base:
            return accesses
        return [
            access if access >> 2 < base else self._description(access >> 2) * 4 + (access & 3) for access in accesses
        ]

    def _description(self, location: int) -> int:
        obj, key = self.locations.names[location]
        known = type(obj), key[0] if isinstance(key, tuple) else key
        return self._descriptions.setdefault(known, _FIRST_DESCRIPTION - len(self._descriptions))


def _after(sequence: Sequence[Event], event: Event) -> Event:
    """Let an event come after the steps of a sequence that it is in conflict with."""
    for step in sequence:
        if not is_independent(event.accesses, (step.accesses,)):
            event.past |= step.past
    return event


def _pick(able: Sequence[Candidate], current: Task | None, sleeping: Collection[int]) -> Candidate | None:
    """Return the candidate to go on with where nothing is planned: the task that runs, if it can."""
    if current is not None and current in able and current.number not in sleeping:
        return current
    return next((each for each in able if each.number not in sleeping), None)
