"""What an error says, for people: a group first says what its first member says, and no error keeps us from it."""

from __future__ import annotations

__all__ = ["text_of"]


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
