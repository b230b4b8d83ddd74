"""Exit codes, the same for all commands."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """What the command's end tells the shell."""

    HOLDS = 0
    FAILED = 1  # a failure was found, or came again; `run`: a form did not do what it should
    WRONG_USE = 2
    UNDECIDED = 3  # something escaped our control, or a replay diverged
    OUR_BUG = 70  # EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130  # 128 + SIGINT, as shells say it
    READER_GONE = 141  # 128 + SIGPIPE
