"""Names and addresses: loopback is known, the rest of the world is out of reach."""

from __future__ import annotations

import socket
from typing import Any, NoReturn

from harness.sim.task import current_task

__all__ = ["getaddrinfo", "gethostbyaddr", "gethostbyname", "require_loopback"]

_ANY = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what servers listen on, in memory
_INSTEAD = "let the program serve it on 127.0.0.1, or mock it"
_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})
_real_getaddrinfo = socket.getaddrinfo
_real_gethostbyname = socket.gethostbyname
_real_gethostbyaddr = socket.gethostbyaddr


def require_loopback(address: object, verb: str) -> int:
    """Return the port of a loopback address; any other ends the execution, with the line."""
    host, port = (address[0], address[1]) if isinstance(address, tuple) and len(address) >= 2 else (address, None)
    if not isinstance(port, int) or _resolved(host) is None:
        _escape(f"{verb} {_shown(host, port)}" if port is not None else f"{verb} {host!r}")
    assert isinstance(port, int)
    return port


def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> list[Any]:  # noqa: A002
    """Resolve a name; as ``socket.getaddrinfo``, for loopback only inside a task."""
    if current_task() is None:
        return _real_getaddrinfo(host, port, family, type, proto, flags)
    wants_six = family == socket.AF_INET6
    loopback, anything = ("::1", "::") if wants_six else ("127.0.0.1", "0.0.0.0")  # noqa: S104
    address = (anything if flags & socket.AI_PASSIVE else loopback) if host is None else _resolved(host, loopback)
    if address is None:
        _escape(f"connects to {_shown(host, port)}")
    is_six = ":" in address
    number = socket.getservbyname(port) if isinstance(port, str) and not port.isdigit() else int(port or 0)
    if family not in (socket.AF_UNSPEC, socket.AF_INET6 if is_six else socket.AF_INET):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    where = (address, number, 0, 0) if is_six else (address, number)
    found = socket.AF_INET6 if is_six else socket.AF_INET
    stream = socket.SOCK_STREAM if type in (0, socket.SOCK_STREAM) else type
    return [(found, socket.SocketKind(stream), proto or socket.IPPROTO_TCP, "", where)]


def gethostbyname(host: str) -> str:
    """Resolve a name; as ``socket.gethostbyname``, for loopback only inside a task."""
    if current_task() is None:
        return _real_gethostbyname(host)
    address = _resolved(host)
    if address is None:
        _escape(f"looks up {host}")
    return address


def gethostbyaddr(host: str) -> tuple[str, list[str], list[str]]:
    """Name an address; as ``socket.gethostbyaddr``, every loopback address being called localhost inside a task."""
    if current_task() is None:
        return _real_gethostbyaddr(host)
    return "localhost", [], [gethostbyname(host)]


def _resolved(host: object, loopback: str = "127.0.0.1") -> str | None:
    """Return the address of a loopback host, or ``None``; ``loopback`` is that of ``localhost``."""
    name = host.decode() if isinstance(host, bytes) else host
    if not isinstance(name, str):
        return None
    if name in _NAMES:
        return loopback
    return name if name in _ANY or name == "::1" or name.startswith("127.") else None


def _shown(host: object, port: object) -> str:
    return f"{host.decode() if isinstance(host, bytes) else host}:{port}"


def _escape(what: str) -> NoReturn:
    task = current_task()
    if task is not None:
        task.scheduler.escape(task, f"{what}, which leaves the controlled world", _INSTEAD)
    raise OSError(f"an address on loopback is wanted, the program {what}")
