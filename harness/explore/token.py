"""Tokens: a schedule as short text that replays in another process.

``h1`` and the URL-safe base64 of: 4 bytes of the program's fingerprint; the names of the instrumented modules; the
number of choices; the deviations from the base policy; 3 bytes of checksum. Numbers are LEB128. Nothing in a token
depends on the strategy that found the schedule.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.explore.errors import InvalidTokenError
from harness.explore.schedule import Schedule
from harness.instrument import unwrap

__all__ = ["Token", "fingerprint"]

_PREFIX = "h1"
_BREAKPOINT = re.compile(r"^[ \t]*breakpoint\(\)[ \t]*\n", flags=re.MULTILINE)
_FINGERPRINT_BYTES = 4
_CHECK_BYTES = 3


def fingerprint(program: Callable[..., object]) -> bytes:
    """Return 4 bytes that tell a program from others: of its name and its source text, or its name alone."""
    function = unwrap(program)
    name = getattr(function, "__qualname__", type(program).__qualname__)
    try:
        text = textwrap.dedent(inspect.getsource(function)) if function is not None else ""
        text = _BREAKPOINT.sub("", text)  # who looks into a replay does not make another program
    except (OSError, TypeError):
        text = ""
    return hashlib.blake2b(f"{name}\n{text.strip()}".encode(), digest_size=_FINGERPRINT_BYTES).digest()


@dataclass(frozen=True, slots=True)
class Token:
    """What a token's text says.

    Attributes:
        program: Fingerprint of the program.
        instrument: Names of the instrumented modules beside the program's own.
        schedule: The choices.
    """

    program: bytes
    instrument: tuple[str, ...]
    schedule: Schedule

    def encode(self) -> str:
        """Return the text."""
        names = ",".join(self.instrument).encode()
        body = self.program + _number(len(names)) + names + _schedule_bytes(self.schedule)
        return _PREFIX + base64.urlsafe_b64encode(body + _check(body)).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str) -> Token:
        """Return what a token's text says.

        Raises:
            InvalidTokenError: the text is no token, is cut, or has a wrong letter.
        """
        body = _body(text.strip())
        names, position = _take_names(body, _FINGERPRINT_BYTES)
        return cls(body[:_FINGERPRINT_BYTES], names, _take_schedule(body[position:]))

    def require(self, program: Callable[..., object]) -> None:
        """Check that the token was made for a program.

        Raises:
            InvalidTokenError: it was made for another one, or the program's own text has changed.
        """
        if self.program != fingerprint(program):
            name = getattr(unwrap(program), "__qualname__", repr(program))
            raise InvalidTokenError(
                f"a token of {name!r} is wanted, this one belongs to another program or to an older text of it; "
                f"explore {name!r} again for a new token"
            )


def _body(text: str) -> bytes:
    if not text.startswith(_PREFIX):
        raise InvalidTokenError(f"a token starts with {_PREFIX!r}, this one is {_short(text)!r}; copy it whole")
    try:
        data = base64.b64decode(text[len(_PREFIX) :] + "=" * (-(len(text) - len(_PREFIX)) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    body, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
    if len(body) <= _FINGERPRINT_BYTES or check != _check(body):
        raise InvalidTokenError(f"token {_short(text)!r} is cut or has a wrong letter; copy it whole")
    return body


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:21] + "..."


def _check(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECK_BYTES).digest()


def _number(value: int) -> bytes:
    """Return a number in LEB128: seven bits a byte, lowest first, the high bit set on all but the last."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _numbers(data: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield value
            value = shift = 0


def _schedule_bytes(schedule: Schedule) -> bytes:
    """Return length, size of the task numbers, and one number per deviation: gap since the last one, and task."""
    size = max((task for _, task in schedule.deviations), default=0) + 1
    positions = [position for position, _ in schedule.deviations]
    gaps = [now - before for before, now in zip([0, *positions], positions, strict=False)]
    packed = [gap * size + task for gap, (_, task) in zip(gaps, schedule.deviations, strict=True)]
    return b"".join(map(_number, [schedule.length, size, *packed]))


def _take_schedule(data: bytes) -> Schedule:
    length, size, *packed = _numbers(data)
    position, deviations = 0, []
    for value in packed:
        gap, task = divmod(value, size)
        position += gap
        deviations.append((position, task))
    return Schedule(length, tuple(deviations))


def _take_names(body: bytes, start: int) -> tuple[tuple[str, ...], int]:
    length = next(_numbers(body[start:]))
    start += len(_number(length))
    names = body[start : start + length].decode()
    return tuple(names.split(",")) if names else (), start + length
