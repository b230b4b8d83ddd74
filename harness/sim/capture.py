"""What the program prints, logs and warns, kept per execution instead of shown.

Only what a task writes is kept; other threads of the process, and the process itself between executions, write where
they always did.
"""

from __future__ import annotations

import logging
import sys
import warnings
from dataclasses import dataclass
from typing import TextIO, final

from harness.sim.task import current_task, is_being_ended, running_task

__all__ = ["Output", "OutputCapture"]

_LOG_FORMAT = logging.Formatter("%(levelname)s:%(name)s:%(message)s")


@dataclass(frozen=True, slots=True)
class Output:
    """What one execution wrote: standard output, standard error, log records and warnings, one per line."""

    stdout: str = ""
    stderr: str = ""
    log: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        sections = ("stdout", self.stdout), ("stderr", self.stderr), ("log", self.log), ("warnings", self.warnings)
        lines = [(name, text if isinstance(text, str) else "\n".join(text)) for name, text in sections]
        return "\n".join(f"--- {name} ---\n{text.rstrip()}" for name, text in lines if text)


class _TaskStream:
    """Stands in for a standard stream: keeps what tasks write, passes on everything else."""

    def __init__(self, real: TextIO) -> None:
        self._real = real
        self._kept: list[str] = []
        self.is_logged_to = False  # while handlers of the program's write, which others must not come between

    def write(self, text: str) -> int:
        if current_task() is None and not self.is_logged_to:
            # What it has to say while it unwinds nobody asked for.
            return len(text) if is_being_ended() else self._real.write(text)
        self._kept.append(text)
        return len(text)

    def flush(self) -> None:
        if current_task() is None:
            self._real.flush()

    def take(self) -> str:
        text = "".join(self._kept)
        self._kept.clear()
        return text

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


@final
class OutputCapture:
    """Captures output for the time of an exploration. Confined; `start` and `stop` pair up."""

    def __init__(self) -> None:
        self._log: list[str] = []
        self._warnings: list[str] = []

    def start(self) -> None:
        """Put the capture in place."""
        self._real = sys.stdout, sys.stderr, warnings.showwarning, logging.Logger.callHandlers
        self._out, self._err = _TaskStream(sys.stdout), _TaskStream(sys.stderr)
        self._handlers = {id(handler) for handler in _handlers()}
        sys.stdout, sys.stderr = self._out, self._err
        warnings.showwarning = self._shown = self._show_warning
        self._hooks = sys.unraisablehook, sys.excepthook
        self._filters, self._kept_filters = warnings.filters, list(warnings.filters)
        logging.Logger.callHandlers = self._call_handlers  # type: ignore[method-assign,assignment]  # a function in its place

    def stop(self) -> None:
        """Take the capture away."""
        self._put_back()
        sys.stdout, sys.stderr, warnings.showwarning, call_handlers = self._real
        logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign]  # the method it was

    def take(self) -> Output:
        """Return what was written since the last call, and put back how the program wants to be told of things."""
        is_untouched = warnings.showwarning == self._shown and (sys.unraisablehook, sys.excepthook) == self._hooks
        if not is_untouched or warnings.filters is not self._filters or self._filters != self._kept_filters:
            self._put_back()
        if not (self._out._kept or self._err._kept or self._log or self._warnings):
            return _NOTHING
        output = Output(self._out.take(), self._err.take(), tuple(self._log), tuple(self._warnings))
        self._log.clear()
        self._warnings.clear()
        return output

    def _put_back(self) -> None:
        sys.unraisablehook, sys.excepthook = self._hooks
        warnings.showwarning = self._shown
        if warnings.filters is not self._filters or self._filters != self._kept_filters:
            warnings.filters = self._filters
            warnings.resetwarnings()  # tells what is written in C that they have changed
            self._filters[:] = self._kept_filters  # type: ignore[index]  # it is a list, whatever the stubs say

    @property
    def _call_handlers(self) -> object:
        real = self._real[3]

        def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
            task = current_task()
            if task is None:
                if not is_being_ended():
                    real(logger, record)
                return
            task.atomic += 1
            self._out.is_logged_to = self._err.is_logged_to = True
            try:
                self._log.append(_LOG_FORMAT.format(record))
                for handler in _handlers_of(logger):
                    if id(handler) not in self._handlers and record.levelno >= handler.level:
                        handler.handle(record)
            finally:
                self._out.is_logged_to = self._err.is_logged_to = False
                task.atomic -= 1

        return call_handlers

    def _show_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if running_task() is None:
            self._real[2](message, category, filename, lineno, file, line)
        else:
            self._warnings.append(f"{category.__name__}: {message}")


_NOTHING = Output()


def _handlers() -> list[logging.Handler]:
    loggers = [
        logging.root,
        *(log for log in logging.root.manager.loggerDict.values() if isinstance(log, logging.Logger)),
    ]
    return [handler for logger in loggers for handler in logger.handlers]


def _handlers_of(logger: logging.Logger) -> list[logging.Handler]:
    found: list[logging.Handler] = []
    current: logging.Logger | None = logger
    while current is not None:
        found.extend(current.handlers)
        current = current.parent if current.propagate else None
    return found
