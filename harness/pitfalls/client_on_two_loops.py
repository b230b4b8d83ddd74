"""A client made on one loop and used on another: its pooled connections belong to the loop that opened them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.pitfalls.pitfall import Pitfall

if TYPE_CHECKING:
    import httpx

__all__ = ["CLIENT_ON_TWO_LOOPS"]

Ask = Callable[["Provider", str], Coroutine[object, object, str]]


class Provider:
    """A provider that keeps its client, as registries like to."""

    def __init__(self) -> None:
        self.client = self.make_client()

    def make_client(self) -> httpx.AsyncClient:
        """Return a new client; nothing it asks is encrypted."""
        import httpx

        return httpx.AsyncClient(timeout=None, trust_env=False, verify=False)  # noqa: S113, S501 - on loopback


async def ask_with_the_kept_client(provider: Provider, url: str) -> str:
    """Use the provider's client, whichever loop it has been used on."""
    return (await provider.client.get(url)).text


async def ask_with_a_client_of_this_loop(provider: Provider, url: str) -> str:
    """Use a client of the running loop, closed before the loop ends."""
    async with provider.make_client() as client:
        return (await client.get(url)).text


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request of a connection."""
    with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong")
    writer.close()


class Server:
    """A provider's server on loopback, on a loop of its own."""

    def __init__(self) -> None:
        self.is_ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()), name="server")

    async def serve(self) -> None:
        """Serve until told to stop."""
        self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        self.is_ready.set()
        await self.stop.wait()
        server.close()

    def __enter__(self) -> Server:
        self.thread.start()
        self.is_ready.wait()
        return self

    def __exit__(self, *raised: object) -> None:
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join()


def session_then_workflow(ask: Ask) -> None:
    """A session asks on its loop, then a workflow on another; both must get an answer."""
    provider = Provider()
    with Server() as server:
        for user in ("session", "workflow"):
            got = asyncio.run(ask(provider, server.url))
            assert got == "pong", f"{user} got {got!r}"


def broken() -> None:
    """Fail on the second loop."""
    session_then_workflow(ask_with_the_kept_client)


def mended() -> None:
    """Answer on both."""
    session_then_workflow(ask_with_a_client_of_this_loop)


CLIENT_ON_TWO_LOOPS = Pitfall(
    id="client-on-two-loops",
    title="a provider's client is used on a second loop, where its connections cannot live",
    origin="flocks P6, R23, B14",
    family="foreign loop",
    broken=broken,
    mended=mended,
    program=session_then_workflow,
    replaced=(ask_with_the_kept_client, ask_with_a_client_of_this_loop),
    instrument=(),
    lesson="A client belongs to the loop that first awaits with it: make one per loop, and close it there.",
)
