"""The program under test: its checks, its name, and the world it runs in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from types import ModuleType

from harness.explore.errors import InvalidArgumentError
from harness.instrument import Target, is_named, module_of, resolve_targets, unwrap
from harness.sim import ENGINES, EngineName, Fault, World

_OWN = ("harness.instrument", "harness.sim", "harness.explore")
_OF_PROGRAMS = ("harness.explore.linearizability",)  # it is in there, and runs in programs only
_REPLACED = ("asyncio", "builtins", "socket", "threading")

__all__ = ["check_program", "check_setup", "file_of", "instrument_names", "make_world", "name_of", "plain"]


def name_of(program: Callable[..., object]) -> str:
    """Return the name of a program as reports give it."""
    function = unwrap(program)
    return str(getattr(program if function is None else function, "__qualname__", type(program).__qualname__))


def file_of(program: Callable[..., object]) -> str:
    """Return the path of the file that a program is written in; empty where it has none."""
    function = unwrap(program)
    return function.__code__.co_filename if function is not None else ""


def check_program(program: object) -> None:
    """Check that a program can be called with no arguments and is an ordinary or a coroutine function.

    Raises:
        InvalidArgumentError: it cannot.
    """
    if not callable(program):
        raise InvalidArgumentError(f"program={program!r} cannot be called; pass a function without arguments")
    if inspect.isgeneratorfunction(unwrap(program)) or inspect.isasyncgenfunction(unwrap(program)):
        raise InvalidArgumentError(
            f"program {name_of(program)!r} is a generator function, calling it runs nothing; pass a plain function"
        )
    needed = _needed_arguments(program)
    if needed:
        raise InvalidArgumentError(
            f"program {name_of(program)!r} takes arguments ({', '.join(needed)}), it is called without any; "
            "wrap it: lambda: program(...)"
        )


def check_setup(setup: object) -> None:
    """Check that what is to run before each execution can be called with no arguments, if there is something.

    Raises:
        InvalidArgumentError: it cannot.
    """
    if setup is not None and not callable(setup):
        raise InvalidArgumentError(f"{setup=} cannot be called; pass a function without arguments")
    needed = _needed_arguments(setup) if setup is not None else ()
    if needed:
        raise InvalidArgumentError(f"setup is called without arguments, it takes {', '.join(needed)}; bind them")


def plain(program: Callable[[], object]) -> Callable[[], object]:
    """Return what runs a program to its end: for a coroutine function, in an event loop of its own.

    Where a loop runs already, natively in a notebook, it runs in a thread of its own.
    """
    if not (inspect.iscoroutinefunction(program) or inspect.iscoroutinefunction(unwrap(program))):
        return program
    import asyncio  # programs without loops do without it

    @wraps(program)  # so that lines are told as those of the program's file
    def run() -> None:
        if asyncio._get_running_loop() is None:
            asyncio.run(program())  # type: ignore[arg-type]  # a coroutine, as it is a coroutine function
            return
        with ThreadPoolExecutor(1) as executor:
            executor.submit(asyncio.run, program()).result()  # type: ignore[arg-type]  # so it is here

    return run


def _needed_arguments(program: Callable[..., object]) -> list[str]:
    try:
        parameters = inspect.signature(program).parameters.values()
    except (TypeError, ValueError):  # some built-in callables have no signature
        return []
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is inspect.Parameter.empty and p.kind not in optional]


def instrument_names(instrument: Iterable[Target]) -> tuple[str, ...]:
    """Return the names of modules and packages to be instrumented, as a token carries them."""
    names = []
    for target in instrument:
        module = None if isinstance(target, str) else module_of(target)
        name = target if isinstance(target, str) else module.__name__ if module is not None else repr(target)
        names.append(name)
    return tuple(dict.fromkeys(names))


def make_world(
    program: Callable[[], object],
    instrument: Sequence[Target],
    *,
    isolate: Sequence[object] = (),
    setup: Callable[[], object] | None = None,
    patience_s: float | None = 2.0,
    engine: EngineName = "greenlet",
    faults: Sequence[Fault] = (),
    kept: Sequence[object] = (),
) -> World:
    """Return the world of a program: its own module and the named ones instrumented, their state put back (not `kept`).

    Raises:
        InvalidArgumentError: the program belongs to no imported module, the engine is unknown, a fault is none, or
            ``instrument`` names what worlds are made of.
        UnknownModuleError: a name in ``instrument`` or ``isolate`` cannot be imported.
    """
    if engine not in tuple(ENGINES):
        raise InvalidArgumentError(f"{engine=} is unknown; pass one of {', '.join(map(repr, ENGINES))}")
    for fault in faults:
        if isinstance(fault, type) or not isinstance(fault, Fault):
            raise InvalidArgumentError(
                f"faults wants objects with name, may_strike and strike, has {fault!r}; see Fault"
            )
    own = module_of(program)
    if own is None:
        raise InvalidArgumentError(
            f"program {name_of(program)!r} belongs to no imported module, so nothing of it can be seen; "
            "define it in a module, a file or a notebook cell"
        )
    if any(is_named(own.__name__, name) for name in (*_OWN, *_REPLACED)):
        raise InvalidArgumentError(
            f"program {name_of(program)!r} is of {own.__name__!r}, which is not instrumented; "
            "call it in a function of your own"
        )
    modules = {own.__name__: own}
    modules.update((module.__name__, module) for module in _resolve(instrument))
    named = [item for item in isolate if isinstance(item, (str, ModuleType))]
    roots = [item for item in isolate if not isinstance(item, (str, ModuleType))]
    return World(
        plain(program),
        list(modules.values()),
        names=[target for target in instrument if isinstance(target, str)],
        isolated=resolve_targets(named, "isolate"),
        roots=[program, *roots],
        kept=kept,
        setup=setup,
        patience_s=patience_s,
        engine=engine,
        faults=faults,
    )


def _resolve(instrument: Sequence[Target]) -> list[ModuleType]:
    """Return the modules named, none of which may be one that worlds run on or replace."""
    modules = resolve_targets(instrument)
    for name in [module.__name__ for module in modules if module.__name__ not in _OF_PROGRAMS]:
        if any(is_named(name, own) for own in _OWN):
            raise InvalidArgumentError(
                f"instrument={list(instrument)!r} takes in {name!r}, by which programs are run; "
                "name the modules that you mean"
            )
        if any(is_named(name, replaced) for replaced in _REPLACED):
            raise InvalidArgumentError(
                f"instrument={list(instrument)!r} takes in {name!r}, whose operations are steps already; "
                "name the modules that use it"
            )
    return modules
