"""What an error says, for people: a group first says what its first member says, and no error keeps us from it.

And whether it tells of a time-out.
"""

from __future__ import annotations

__all__ = ["is_time_out", "text_of"]


def text_of(error: BaseException) -> str:
    """Return the text of an error; that of a group of errors begins with the first of them."""
    try:
        text = str(error)
    except Exception:  # the program's own
        return "<exception str() failed>"  # as the interpreter says it
    if isinstance(error, BaseExceptionGroup):
        first = error.exceptions[0]
        return f"{type(first).__name__}: {text_of(first)} ({text})"
    return text


def is_time_out(error: BaseException | None) -> bool:
    """Return whether an error, or one that it came from, says that a time-out fell due; libraries have their own."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, TimeoutError) or "timeout" in type(error).__name__.lower():
            return True
        inner = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else None
        error = inner or error.__cause__ or error.__context__
    return False
