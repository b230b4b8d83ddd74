"""The controlled world of one exploration: everything that is replaced, once, and the executions run inside it.

Patches, rewritten code, hooks and output capture go in when the world is entered and come out when it is left, in
reverse order, whatever happened. Executions in between cost none of that: each puts the program's state back, runs,
and lets the garbage collector have what it left.
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import count
from types import FrameType, ModuleType, TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self, final

from harness.instrument import Instrumentation, install_hooks, remove_hooks, unwrap
from harness.sim.capture import Output, OutputCapture
from harness.sim.engine import ENGINES, NO_ENGINE, Engine, EngineName
from harness.sim.errors import TaskExit, WorldInUseError
from harness.sim.event import Event, LoopMade, Recorder
from harness.sim.faults import Fault
from harness.sim.foreign_locks import LockGates
from harness.sim.hooks import make_hooks
from harness.sim.imports import ImportWatch
from harness.sim.isolation import Isolation
from harness.sim.kinds import KindTable
from harness.sim.patches import Patches
from harness.sim.scheduler import Candidate, Choose, OutcomeKind, Scheduler, Stop
from harness.sim.task import Task
from harness.sim.thread_state import StateSwitch, is_supported
from harness.sim.tracker import Tracker
from harness.sim.watch import Watch
from harness.sim.watchdog import Watchdog
from harness.sim.worker import Workers

if TYPE_CHECKING:
    from harness.sim.loops import LoopsApart

__all__ = ["Outcome", "OutcomeKind", "World"]

_YOUNG_COLLECTION_EVERY = 64  # executions; a failing one is held by its error's traceback when it ends
_FULL_COLLECTION_EVERY = 1_024  # executions, a multiple of the number above
# A task begins as deep as its world stands; and before 3.12 a rewritten call may count twice, once for C.
_FRAMES_PER_CALL = 2 if sys.version_info < (3, 12) else 1
_COLLECTION_EVERY = 8  # worlds; what a world leaves is in the oldest generation, which is not collected by itself


class Outcome(NamedTuple):
    """How one execution went. Immutable.

    Attributes:
        kind: ``ok``; ``error`` (an exception left a task); ``deadlock``; ``cut`` (step bound); ``uncontrolled``;
            ``interrupted``.
        error: The exception, for error and deadlock.
        text: What happened, for the other kinds that are not ok.
        task: Name of the task where it ended, empty for ok.
        choices: Numbers of the candidates chosen, the schedule.
        steps: Scheduling points passed.
        preemptions: Choices that left a task which could go on.
        output: What the program wrote.
        events: What happened, when it was recorded.
        tasks: Names of the tasks, in order of their numbers.
        leaked: Names of threads that nobody had joined when the program returned, and that were still running.
        loops: The event loops that were made, when events were recorded.
    """

    kind: OutcomeKind
    error: BaseException | None
    text: str
    task: str
    choices: tuple[int, ...]
    steps: int
    preemptions: int
    output: Output
    events: tuple[Event, ...]
    tasks: tuple[str, ...]
    leaked: tuple[str, ...]
    loops: tuple[LoopMade, ...] = ()


@final
class World:
    """Context manager around the executions of one exploration. One at a time in a process; confined to its thread.

    Args:
        program: Called with no arguments in each execution.
        modules: Modules to instrument; their state is put back before each execution.
        names: Names of modules whose submodules, too, are instrumented when the program imports them.
        roots: Further objects whose state is put back.
        kept: Objects that run the program rather than belong to it, left alone wherever they stand.
        isolated: Further modules whose state is put back.
        setup: Called before each execution, outside the controlled world.
        patience_s: Real seconds without a scheduling point after which an execution is ended, ``None`` for never.
        engine: What tasks are made of.
        faults: What may go wrong with calls that leave the program.

    Raises:
        WorldInUseError: on entry, while another world exists.
    """

    def __init__(
        self,
        program: Callable[[], object],
        modules: Sequence[ModuleType],
        *,
        names: Sequence[str] = (),
        isolated: Sequence[ModuleType] = (),
        roots: Sequence[object] = (),
        kept: Sequence[object] = (),
        setup: Callable[[], object] | None = None,
        patience_s: float | None = 2.0,
        engine: EngineName = "greenlet",
        faults: Sequence[Fault] = (),
    ) -> None:
        self._program = program
        self._faults = tuple(faults)
        self._setup = setup
        function = unwrap(program)
        self._home = function.__code__.co_filename if function is not None else ""
        self._engine = ENGINES[engine]
        self._state = [*modules, *isolated], [program, *roots], kept
        self.instrumentation = Instrumentation(modules)
        self._watchdog = None if patience_s is None else Watchdog(patience_s, lambda: self._scheduler)
        self._capture = OutputCapture()
        self._patches = Patches()
        self._names = names
        self._imported: list[ModuleType] = []  # to be instrumented, not yet done
        self._cleanup = ExitStack()
        self._scheduler: Scheduler | None = None
        self._survivors: list[Task] = []
        self._runs = 0
        self._has_left = self._has_left_loops = False  # whether the last execution's garbage is there, and loops in it
        self.is_interrupted = False

    def __enter__(self) -> Self:
        if not _ENTRY.acquire(blocking=False):
            raise WorldInUseError
        with ExitStack() as cleanup:
            cleanup.callback(_ENTRY.release)
            self._enter(cleanup)
            self._cleanup = cleanup.pop_all()
        return self

    def _enter(self, cleanup: ExitStack) -> None:
        cleanup.callback(self._keep_collector())
        cleanup.callback(_let_recurse())
        self._states = StateSwitch()
        self._workers = Workers()
        cleanup.callback(self._workers.dismiss)
        gates = LockGates({module.__name__ for module in self.instrumentation.modules})
        cleanup.callback(gates.take_out)
        gates.put_in()
        self.isolation = Isolation(*self._state)
        cleanup.callback(self.isolation.restore)
        cleanup.callback(self._remove_code)
        self._insert_code()
        cleanup.callback(self._patches.take_out)
        names = tuple(self._names)
        known = {module.__name__ for module in self.instrumentation.modules}
        self._imports = ImportWatch(names, known, self._note_import, self._patches.follow_imports)
        self._patches.put_in(self._imports.replacements())
        self._loops_apart, self._hushed = _loop_managers()
        cleanup.enter_context(self._loops_apart)
        self._capture.start()
        cleanup.callback(self._capture.stop)
        cleanup.callback(self._watch_interrupts())
        if self._watchdog is not None:
            self._watchdog.start()
            cleanup.callback(self._watchdog.stop)
        cleanup.callback(self._collect)
        gc.freeze()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._cleanup.close()

    @property
    def limits(self) -> tuple[str, ...]:
        """What keeps the world from seeing or putting back everything, in a fixed order."""
        shared = [] if is_supported() else ["threading.local has the same contents in all threads on this interpreter"]
        late = (f"module {module.__name__!r} was imported too late to be instrumented" for module in self._imported)
        return (*self.instrumentation.limits, *self.isolation.limits, *shared, *late)

    def execute(
        self, choose: Choose, *, record: bool = False, tracker: Tracker | None = None, watch: Watch | None = None
    ) -> Outcome:
        """Run the program once under the choices of a strategy.

        Args:
            choose: Picks who goes on at each choice.
            record: Keep the events; several times slower.
            tracker: Told what tasks will do and what they do.
            watch: Told what they do, and what orders them.

        Raises:
            KeyboardInterrupt: a second interrupt came before the first took effect, or the program raised it.
        """
        self._collect()
        self.isolation.restore()
        self._patches.reset(tracker)
        self._states.reset()
        if self._setup is not None:
            with self._loops_apart.left():
                self._setup()
        recorder = Recorder(self._home) if record else None
        scheduler = self._scheduler = Scheduler(
            choose,
            recorder,
            self._engine,
            self._states,
            self._workers,
            tracker=tracker,
            watch=watch,
            faults=self._faults,
        )
        try:
            scheduler.run(self._program)
            if scheduler.loops and scheduler.stop is None:
                with self._hushed:
                    gc.collect(0)  # tells of tasks forgotten and exceptions not retrieved
        except TaskExit:
            pass  # the watchdog's, come too late for the task it was meant for
        finally:
            self._scheduler = None
            self._loops_apart.reset()
            self._survivors += scheduler.survivors
            output = self._capture.take()
        if scheduler.stop is not None and isinstance(scheduler.stop.error, KeyboardInterrupt):
            raise scheduler.stop.error
        outcome = _outcome(scheduler, output)
        if scheduler.loops:
            with self._hushed:
                scheduler.dispose()
        else:
            scheduler.dispose()
        self._runs += 1
        self._has_left, self._has_left_loops = True, bool(scheduler.loops)
        return outcome

    def warm_up(self) -> Outcome:
        """Run the program once, task after task, so that what it imports and caches is there in every execution.

        Modules to be instrumented that it imported are rewritten together with the others.
        """
        outcome = self.execute(_first_come)
        self._collect()
        self._imports.report()
        if self._imported:
            modules = [*self.instrumentation.modules, *self._imported]
            self._imported.clear()
            self._remove_code()
            self.instrumentation = Instrumentation(modules)
            self._insert_code()
            gc.freeze()
        return outcome

    def _note_import(self, module: ModuleType) -> None:
        self._imported.append(module)
        self.isolation.add(module)

    def _insert_code(self) -> None:
        self.instrumentation.swap_in()
        self._install_hooks(self._engine)

    def _install_hooks(self, engine: Engine) -> None:
        instrumentation = self.instrumentation
        kinds = KindTable((module.__name__ for module in instrumentation.modules), instrumentation.stored.is_forced)
        namespaces = [module.__dict__ for module in instrumentation.modules]
        patches = self._patches
        hooks = make_hooks(instrumentation.sites, kinds, engine, patches.stand_in, namespaces, patches.stand_ins)
        install_hooks(hooks)

    def _remove_code(self) -> None:
        self.instrumentation.swap_out()
        # A thread or a suspended coroutine may be inside a rewritten function; it must go on finding hooks, which let
        # it pass.
        if self.instrumentation.is_running():
            self._install_hooks(NO_ENGINE)
        else:
            remove_hooks()

    def _collect(self) -> None:
        """Free what the last execution left, at a moment that is the same in every run.

        That is right before the next one: by then nobody holds the error of a failing one, nor what its traceback leads
        to.
        """
        if not self._has_left:
            return
        self._has_left = False
        if self._has_left_loops:
            with self._hushed:
                self._free()
        else:
            self._free()

    def _free(self) -> None:
        if self._runs % _YOUNG_COLLECTION_EVERY:
            gc.collect(0)
        elif self._runs % _FULL_COLLECTION_EVERY:
            gc.collect(1)
        else:
            gc.collect()

    def _keep_collector(self) -> Callable[[], None]:
        """Turn automatic collection off; return what turns it on again, if it was on."""
        was_enabled = gc.isenabled()
        gc.disable()

        def resume() -> None:
            gc.unfreeze()
            if was_enabled:
                gc.enable()
                if next(_WORLDS) % _COLLECTION_EVERY == 0:
                    gc.collect()

        return resume

    def _watch_interrupts(self) -> Callable[[], None]:
        """Turn the first interrupt into the end of the exploration; return what undoes this."""
        if threading.current_thread() is not threading.main_thread():
            return lambda: None
        real = signal.getsignal(signal.SIGINT)

        def interrupt(number: int, frame: FrameType | None) -> None:
            if self._watchdog is not None and self._watchdog.is_biting:
                self._watchdog.handle()
                return
            if self.is_interrupted:
                signal.default_int_handler(number, frame)
            self.is_interrupted = True
            if self._scheduler is not None:
                self._scheduler.interrupt()

        def restore() -> None:
            signal.signal(signal.SIGINT, real)

        signal.signal(signal.SIGINT, interrupt)
        return restore


def _outcome(scheduler: Scheduler, output: Output) -> Outcome:
    stop, recorder = scheduler.stop or _ENDED_WELL, scheduler.recorder
    return Outcome(
        stop.kind,
        stop.error,
        stop.text,
        stop.task,
        tuple(scheduler.choices),
        scheduler.steps,
        scheduler.preemptions,
        output,
        () if recorder is None else recorder.events(),
        tuple([task.name for task in scheduler.tasks]),
        scheduler.leaked,
        () if recorder is None else tuple(recorder.loops),
    )


def _let_recurse() -> Callable[[], None]:
    """Let tasks call as deep as threads of their own could; return what undoes this."""
    before = sys.getrecursionlimit()
    depth, frame = 0, sys._getframe()
    while frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    sys.setrecursionlimit(before * _FRAMES_PER_CALL + depth)
    return lambda: sys.setrecursionlimit(before)


def _loop_managers() -> tuple[LoopsApart, AbstractContextManager[None]]:
    from harness.sim.loops import Hushed, LoopsApart  # loads asyncio

    return LoopsApart(), Hushed()


def _first_come(candidates: Sequence[Candidate], current: Task | None) -> Candidate:
    """Let the running task go on as long as it can."""
    return current if current is not None and current in candidates else candidates[0]


_ENDED_WELL = Stop("ok")
_WORLDS = count(1)
_ENTRY = threading.Lock()  # held while a world exists; made before any world, so a real lock
