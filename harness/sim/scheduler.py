"""The scheduler of one execution: which tasks exist, which are runnable, and who goes on at each scheduling point.

Tasks hand over to each other directly; the hub (the greenlet that runs the execution) is entered only when a task ends
or the execution must stop. A step is one scheduling point passed; a choice is a step at which more than one candidate
could go on, and only choices are kept: they are the schedule.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from types import FrameType
from typing import Any, Literal, Protocol, final

from harness.sim.clock import Clock
from harness.sim.deadlock import describe_deadlock
from harness.sim.draw import Option
from harness.sim.engine import Engine
from harness.sim.errors import TaskExit
from harness.sim.event import EventKind, Recorder, call_site, calling_site, short_value
from harness.sim.faults import Fault, Faults
from harness.sim.foreign import foreign_thread_reaching
from harness.sim.place import shown_file
from harness.sim.shadows import Shadow, shadow
from harness.sim.simple_queue import SimpleQueueShadow
from harness.sim.task import Task
from harness.sim.thread_state import StateSwitch
from harness.sim.threads import forget_dummy_thread
from harness.sim.tracing import tracing_hooks
from harness.sim.tracker import Tracker
from harness.sim.watch import Watch
from harness.sim.worker import Workers

__all__ = ["MAX_STEPS", "Candidate", "Choose", "OutcomeKind", "Scheduler", "Stop"]

MAX_STEPS = 100_000
_FIRST_IDENT = 1_000_000
_LAST_TRY = 3
_get_ident = threading.get_ident  # the system's, whatever stands in its place later
_ACTIVE: dict[int, threading.Thread] = threading._active  # type: ignore[attr-defined]  # threads by identifier

Candidate = Task | Clock | Option
OutcomeKind = Literal["ok", "error", "deadlock", "cut", "uncontrolled", "interrupted"]


class Choose(Protocol):
    """Picks who goes on: one of the candidates, in order of their numbers, the clock last.

    ``current`` is the task that reached the scheduling point; it is among the candidates unless it is blocked, and
    ``None`` when it has ended. Where ``current`` draws data, the candidates are the options instead.
    """

    def __call__(self, candidates: Sequence[Candidate], current: Task | None, /) -> Candidate:
        """Return one of the candidates."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why an execution ended."""

    kind: OutcomeKind
    text: str = ""
    error: BaseException | None = None
    task: str = ""


@final
class Scheduler:
    """Tasks and clock of one execution. Confined to the OS thread that runs it."""

    __slots__ = (  # the quickest, and as quick however many they become
        *("_choose", "_home", "_make_task", "_max_steps", "at_exit", "choices", "clock", "excepthook"),
        *("faults", "has_pools", "hub", "is_ending", "is_followed", "leaked", "loop_names", "loops"),
        *("marked", "network", "preemptions", "put_back", "ready", "recorder", "shadows", "states", "steps"),
        *("stop", "survivors", "tasks", "thread_hashes", "told", "tracing_hooks", "tracker", "watch", "workers"),
        "set_running_loop",
    )

    set_running_loop: Callable[[Any], None]  # asyncio's own, which is not there before a loop runs

    def __init__(
        self,
        choose: Choose,
        recorder: Recorder | None,
        engine: Engine,
        states: StateSwitch,
        workers: Workers,
        max_steps: int = MAX_STEPS,
        *,
        tracker: Tracker | None = None,
        watch: Watch | None = None,
        faults: Sequence[Fault] = (),
    ) -> None:
        self.tracker = tracker
        self.told = None if getattr(tracker, "chooses", False) else tracker  # of the choices that were made
        self.watch = watch
        self.is_followed = not (tracker is None and recorder is None and watch is None)
        self.faults = Faults(faults)
        self.states = states
        self.workers = workers
        self.hub = engine.make_hub(states)
        self._make_task = engine.task
        self.clock = Clock()
        self.recorder = recorder
        self.tasks: list[Task] = []
        self.ready: list[Task] = []  # runnable tasks, in order of their numbers
        self.excepthook = threading.excepthook  # what a hook of the program's own is told from
        self.tracing_hooks = tracing_hooks()  # what was set for new threads before the program began
        self.thread_hashes = 0  # how many threads have been hashed
        self.marked: Any = None  # the event loop that the OS thread takes for the running one
        self.network: Any = None  # the Link of the execution, once it has one
        self.loops: list[Callable[[], Any]] = []  # weak references to the event loops made, in order; in them, how many
        self.loop_names = 0  # tasks of loops named
        self.shadows: dict[int, Shadow] = {}  # by id of the real object, which the shadow keeps alive
        self.put_back: list[Callable[[], None]] = []  # called when the execution is over
        self.at_exit: list[Callable[[], object]] = []  # called when the program has returned, last first
        self.is_ending = False  # true while tasks that are left are made to end
        self.has_pools = False  # whether the program has given work to a thread pool
        self._home = _get_ident()
        self.choices: list[int] = []  # numbers of the candidates chosen
        self.preemptions = 0
        self.steps = 0
        self.stop: Stop | None = None
        self.leaked: tuple[str, ...] = ()  # names of threads that outlive the program's own task
        self.survivors: list[Task] = []  # tasks that would not end; kept so that nothing resumes them
        self._choose = choose
        self._max_steps = max_steps

    # Scheduling points

    def point(self, task: Task) -> None:
        """Let another candidate go on, if the strategy wants it; the task is runnable."""
        if task.inside:
            return
        self.steps = steps = self.steps + 1
        if steps > self._max_steps:
            self.stop_here(self._bound_reached(task))
        ready = self.ready
        if self.clock.timers:
            chosen = self._pick(task)
            if chosen is not None and chosen is not task:
                chosen.hand_over(task)
        elif len(ready) > 1:  # as _pick, without the clock: most points of most programs come this way
            other = self._choose(ready, task)
            self.choices.append(other.number)
            if self.told is not None:
                self.told.step(other)  # type: ignore[arg-type]  # without timers all candidates are tasks
            if other is not task:
                self.preemptions += 1
                if self.recorder is not None:
                    self.recorder.preempt(task)
                other.hand_over(task)  # type: ignore[union-attr]  # without timers all candidates are tasks
        elif self.tracker is not None:
            self.tracker.step(task)

    def block(self, task: Task, on: object) -> None:
        """Let the others go on until the task is made ready again; it must have been taken out of ``ready``."""
        task.waits_for = on
        if self.tracker is not None:
            self.tracker.block(task)
        chosen = self._pick(task)
        if chosen is None:
            self.stop_here(self._deadlock())
        elif chosen is not task:
            chosen.hand_over(task)
        task.waits_for = None

    def wait(self, task: Task, on: object, timeout_s: float | None, fire: Callable[[], None]) -> bool:
        """Block the task, for at most so many simulated seconds; return whether it was made ready in time."""
        task.timed_out = False
        timer = None if timeout_s is None else self.clock.start(task, timeout_s, fire)
        self.block(task, on)
        if timer is not None and not task.timed_out:
            self.clock.cancel(timer)
        return not task.timed_out

    def sleep(self, task: Task, seconds: float) -> None:
        """Block the task for so many simulated seconds."""
        if self.tracker is not None:
            self.tracker.primitive(task, self.clock, "sleep", (seconds,))
        self.point(task)
        if self.recorder is not None:
            self.note(task, "sleep", f"{seconds:g} s")
        self.unready(task)
        self.wait(task, f"the end of sleep({seconds:g})", seconds, lambda: self.make_ready(task))

    def draw(self, task: Task, options: Sequence[object]) -> int:
        """Return the position of the option that the strategy wants; a single one is no choice."""
        if len(options) == 1:
            return 0
        number = self._choose([Option(position) for position in range(len(options))], task).number
        self.choices.append(number)
        if self.recorder is not None:
            self.note(task, "draw", short_value(options[number]))
        return number

    def make_ready(self, task: Task) -> None:
        """Let a task be chosen again; without effect on one that is runnable."""
        if task in self.ready:
            return
        if self.tracker is not None:
            self.tracker.wake(task)
        position = len(self.ready)
        while position and self.ready[position - 1].number > task.number:
            position -= 1
        self.ready.insert(position, task)

    def unready(self, task: Task) -> None:
        """Keep a task from being chosen; without effect on one that is not runnable."""
        if task in self.ready:
            self.ready.remove(task)

    def shadow(self, real: object) -> Any:
        """Return the shadow of a real lock or queue, the same one throughout the execution."""
        found = self.shadows.get(id(real))
        if found is None:
            found = self.shadows[id(real)] = shadow(real)
            if isinstance(found, SimpleQueueShadow):
                self.put_back.append(found.put_back)
        return found

    def note(self, task: Task, kind: EventKind, target: str) -> None:
        """Record an operation of a primitive, when events are kept; those inside another do not count."""
        if self.recorder is not None and not task.inside:
            self.recorder.primitive(task, kind, target)

    def name_of(self, obj: object) -> str:
        """Return a name for an object in reports: numbered when events are kept, else its type."""
        return self.recorder.name_of(obj) if self.recorder is not None else type(obj).__name__

    def _pick(self, current: Task | None) -> Task | None:
        clock, ready = self.clock, self.ready
        while ready or clock.timers:
            candidates: Sequence[Candidate] = [*ready, clock] if clock.timers else ready
            chosen, told = candidates[0], self.tracker
            if len(candidates) > 1:
                chosen, told = self._choose(candidates, current), self.told
                self.choices.append(chosen.number)
            if told is not None:
                told.step(chosen)  # type: ignore[arg-type]  # options are drawn
            if isinstance(chosen, Task):
                if chosen is not current and current in ready:
                    self._preempt(current)
                return chosen
            self._advance()
            if self.recorder is not None:
                self.recorder.clock(clock.now_s)
        return None

    def _advance(self) -> None:
        clock, task = self.clock, self.clock.timers[0].task
        clock.advance()
        if self.tracker is not None and task is not None:
            self.tracker.edge(clock, task)

    def _preempt(self, task: Task | None) -> None:
        assert task is not None
        self.preemptions += 1
        if self.recorder is not None:
            self.recorder.preempt(task)

    # Life of tasks

    def spawn(self, name: str, body: Callable[[], object], *, ident: int | None = None) -> Task:
        """Make a runnable task."""
        number = len(self.tasks) + 1
        task = self._make_task(self, number, name, _FIRST_IDENT + number if ident is None else ident, body)
        self.tasks.append(task)
        self.ready.append(task)
        return task

    def run_body(self, task: Task) -> None:
        """Run a task to its end; an exception that leaves it stops the execution."""
        error: BaseException | None = None
        body, task.body = task.body, None
        assert body is not None
        try:
            body()
            while self.at_exit and task.number == 1:
                self.at_exit.pop()()
        except TaskExit:
            pass
        except BaseException as raised:
            error = raised
            if self.stop is None:
                self.stop = Stop("error", error=raised, task=task.name)
        finally:
            del body
            if task.number > 1 and task.state.holds():
                self._free_state(task)
            task.is_done = True
            if task in self.ready:
                self.ready.remove(task)
            if task.number == 1:
                self.leaked = tuple([other.name for other in self.tasks if not other.is_done and other.is_leaked])
            for joiner in task.joiners:
                self.make_ready(joiner)
                if self.tracker is not None:
                    self.tracker.edge(task, joiner)
            if self.recorder is not None and not task.atomic:
                self.recorder.end(task, error)
            if self.watch is not None:
                self.watch.publish(task, task)
            if self.tracker is not None and not task.atomic:
                self.tracker.end(task)

    @staticmethod
    def _free_state(task: Task) -> None:
        """Let finalisers of what the thread kept for itself run, without others coming in."""
        task.atomic += 1
        try:
            task.state.end()
        finally:
            task.atomic -= 1

    def run(self, program: Callable[[], object]) -> None:
        """Run the program as task 1 until all tasks that are no daemons have ended, or something stops it."""
        thread = _ACTIVE.get(self._home) or threading.current_thread()
        main = self.spawn(thread.name, program, ident=self._home)
        main.take_context(copy_context())
        try:
            chosen = self._pick(None)
            while chosen is not None:
                self._run_from_hub(chosen)
                if self.stop is not None or (main.is_done and self._is_over()):
                    return
                chosen = self._pick(None)
            if self.stop is None:
                self.stop = self._deadlock()
        finally:
            self._end_tasks()
            self.states.leave()

    def _is_over(self) -> bool:
        """Return whether all tasks that are no daemons have ended."""
        for task in self.tasks:  # noqa: SIM110 - a generator takes twice as long
            if not (task.is_done or task.is_daemon):
                return False
        return True

    @staticmethod
    def _run_from_hub(task: Task) -> None:
        """Run tasks until one ends or stops the execution; start those that a task hands over to for the first time."""
        asked: object = task
        while isinstance(asked, Task):
            asked = asked.resume()

    def dispose(self) -> None:
        """Let go of everything, so that reference counting frees it without waiting for the garbage collector."""
        for task in self.tasks:
            task.joiners.clear()
            task.held.clear()
            task.body = None
            if task.number > 1 and task.ident in _ACTIVE:
                forget_dummy_thread(task.ident)
        for put_back in reversed(self.put_back):
            put_back()
        self.put_back.clear()
        self.workers.release(self.tasks)
        self.tasks.clear()
        self.shadows.clear()
        for loop_of in self.loops:
            loop = loop_of()
            if loop is not None:
                loop.forget()
        if self.network is not None:
            self.network.is_over = True

    def stop_here(self, stop: Stop) -> None:
        """End the execution from inside a task; the task itself is ended with the others."""
        if self.stop is None:
            self.stop = stop
        self.hub.switch()

    def interrupt(self) -> None:
        """Let the execution end at the next scheduling point; called by a signal handler."""
        self._max_steps = 0

    def give_up(self, stop: Stop) -> None:
        """Let the execution end at the next scheduling point, if there is one; called from another thread."""
        self.stop = stop
        self._max_steps = 0

    def _bound_reached(self, task: Task) -> Stop:
        if self._max_steps == 0:
            return Stop("interrupted", task=task.name)
        return Stop("cut", _at_line(f"task {task.name!r} took more than {self._max_steps} steps"), task=task.name)

    def is_intruded(self, obj: object) -> bool:
        """Return whether the calling thread does not belong to the execution, which then ends."""
        if _get_ident() == self._home or not self.tasks:
            return False
        name = threading.current_thread().name
        what = f"thread {name!r}, started outside the exploration, releases a {type(obj).__name__} of the program"
        self.give_up(Stop("uncontrolled", _at_line(what)))
        return True

    def escape(self, task: Task, what: str, instead: str = "") -> None:
        """End the execution because the task is about to do what the world cannot control; say what to do instead."""
        text = _at_line(f"task {task.name!r} {what}") + f"; {instead}" * bool(instead)
        self.stop_here(Stop("uncontrolled", text, task=task.name))

    def _end_tasks(self) -> None:
        """End what is left, in order of creation, with hooks off."""
        self.is_ending = True
        for task in self.tasks:
            task.atomic += 1
        for task in self.tasks:
            for _ in range(_LAST_TRY):
                if task.has_ended:
                    break
                task.end()
            if not task.has_ended:
                self.survivors.append(task)

    def _deadlock(self) -> Stop:
        blocked = [task for task in self.tasks if not task.is_done]
        for task in blocked:
            foreign = foreign_thread_reaching([task.waits_for, task.operation and task.operation[0]])
            if foreign is not None:
                what = f"task {task.name!r} waits for what thread {foreign!r} reaches, started outside the exploration"
                return Stop("uncontrolled", _at_line(what, task.frame), task=task.name)
        return Stop("deadlock", error=describe_deadlock(self, blocked), task=blocked[0].name if blocked else "")


def _at_line(text: str, frame: FrameType | None = None) -> str:
    """Return a text with the line, and where that is a package's, with the program's line above it."""
    file, line, function = call_site(frame)
    place = f"{shown_file(file)}:{line} in {function}"
    above = calling_site(frame)
    if above[0] and above[0] != file:
        place = f"{shown_file(above[0])}:{above[1]} in {above[2]} (by {place})"
    return f"{text}, at {place}"
