"""The network in memory: sockets, streams, clients and servers above it run unmodified, faults included."""

from __future__ import annotations

import asyncio
import http.client
import http.server
import os
import re
import select
import selectors
import socket
import ssl
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from sink import make_sink

from harness.explore import Verdict, explore, replay
from harness.sim import shape_network

ENGINES = pytest.mark.parametrize("engine", ["greenlet", "threads"])


def in_thread(function, *args):
    thread = threading.Thread(target=function, args=args, daemon=True)
    thread.start()
    return thread


def holds(program, schedules=30, **options):
    result = explore(program, max_schedules=schedules, **options)
    assert result.verdict is Verdict.PASSED, f"{result}\n{''.join(traceback.format_exception(result.failure.error))}"
    return result


# Blocking sockets


def echo(listener):
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(1000):
            connection.sendall(data)


def with_echo(use):
    listener = socket.create_server(("127.0.0.1", 0))
    server = in_thread(echo, listener)
    with listener, socket.create_connection(listener.getsockname()) as client:
        use(client)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    server.join()


def receive(client, count):
    data = b""
    while len(data) < count:
        data += client.recv(count - len(data))
    return data


def speak(client):
    client.sendall(b"hello")
    assert receive(client, 5) == b"hello"


@pytest.mark.portable
@ENGINES
def test_blocking_sockets_echo(engine):
    holds(lambda: with_echo(speak), engine=engine)


def test_more_than_the_buffers_hold_arrives_in_order():
    data = bytes(range(256)) * 1_000

    def use(client):
        sender = in_thread(client.sendall, data)
        assert receive(client, len(data)) == data
        sender.join()

    holds(lambda: with_echo(use), 3)


def test_data_may_arrive_in_pieces():
    note, seen = make_sink()

    def program():
        shape_network(largest_piece=2)
        with_echo(lambda client: (client.sendall(b"hello"), note(client.recv(5)), receive(client, 0)))

    explore(program, max_schedules=60)

    assert {b"he"} < set(seen()) <= {b"he", b"hell", b"hello"}


def test_latency_passes_on_the_virtual_clock():
    def program():
        from time import monotonic

        shape_network(latency_s=30)
        with_echo(speak)
        assert monotonic() >= 90  # to connect, there and back

    holds(program, 3)


def test_latencies_are_drawn_so_that_answers_overtake_each_other():
    note, seen = make_sink()

    async def program():
        shape_network(latency_s=(0.001, 1.0))
        order = []
        async with await asyncio.start_server(stream_echo, "127.0.0.1", 0) as server:
            await asyncio.gather(*(ask(server, name, order) for name in "ab"))
        note("".join(order))

    async def ask(server, name, order):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(name.encode() + b"\n")
        order.append((await reader.readline()).decode().strip())
        writer.close()

    explore(program, max_schedules=60)

    assert set(seen()) == {"ab", "ba"}


def test_receiving_gives_up_in_simulated_time():
    def use(client):
        client.settimeout(60)
        with pytest.raises(TimeoutError, match="timed out"):
            client.recv(1)
        client.settimeout(None)

    holds(lambda: with_echo(use))


def refused():
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 9))


def reset():
    shape_network(reset_after=3)
    with_echo(speak)


def test_what_has_come_before_a_time_out_counts_however_slow_the_thread_is():
    def program():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            in_thread(lambda: socket.create_connection(listener.getsockname(), timeout=60))
            connection, _ = listener.accept()
            connection.close()

    holds(program, schedules=100)


def test_negative_time_out_is_refused():
    def program():
        with socket.socket() as client, pytest.raises(ValueError, match="Timeout value out of range"):
            client.settimeout(-1)

    holds(program)


@pytest.mark.portable
def test_sockets_come_in_pairs():
    def program():
        one, other = socket.socketpair()
        with one, other, Path(__file__).open("rb") as file:
            text = file.read(5)
            assert one.sendfile(file, 0, 5) == 5
            assert other.recvmsg(3)[0] == text[:3]
            rest = bytearray(2)
            assert other.recvfrom_into(rest) == (2, one.getsockname())
            assert bytes(rest) == text[3:]

    holds(program)


def test_localhost_has_an_address_of_each_family():
    def program():
        found = [socket.getaddrinfo("localhost", 80, family)[0][4] for family in (socket.AF_INET, socket.AF_INET6)]
        assert found == [("127.0.0.1", 80), ("::1", 80, 0, 0)]
        assert socket.getaddrinfo(None, 80, socket.AF_INET6)[0][4][0] == "::1"

    holds(program)


def test_nobody_listening_refuses():
    holds(refused)


def test_port_may_refuse_though_somebody_listens():
    def program():
        with socket.create_server(("127.0.0.1", 80)):
            shape_network(refused_ports=[80])
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("localhost", 80))

    holds(program)


def test_connection_is_reset():
    failure = explore(reset, max_schedules=1).failure

    assert failure is not None
    assert type(failure.error) in (ConnectionResetError, BrokenPipeError)


def test_address_in_use_is_refused():
    def program():
        with socket.create_server(("127.0.0.1", 80)), pytest.raises(OSError, match="Address already in use"):
            socket.create_server(("127.0.0.1", 80))

    holds(program)


def test_address_is_taken_between_two_operations_of_another_thread():
    def program():
        def serve():
            with socket.create_server(("127.0.0.1", 80)):
                pass

        in_thread(serve)
        serve()

    for strategy in ("random", "dpor"):
        failure = explore(program, strategy=strategy, max_schedules=100).failure
        assert failure is not None
        assert "Address already in use" in str(failure.error)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"latency_s": -1}, "latency_s=-1 is empty or negative; pass seconds"),
        ({"latency_s": "long"}, "latency_s='long' is no number; pass seconds"),
        ({"largest_piece": 0}, "largest_piece=0 is below 1; pass a number of bytes"),
        ({"refused_ports": 80}, r"refused_ports=80 is no collection; pass \[80\]"),
        ({"reset_after": -1}, "reset_after=-1 is below 0; pass a number of bytes"),
    ],
)
def test_wrong_shape_is_refused(options, what):
    with pytest.raises((ValueError, TypeError), match=what):
        shape_network(**options)


def test_select_and_poll_wait_for_sockets_in_memory():
    def use(client):
        assert select.select([client], [client], [], 0) == ([], [client], [])
        client.sendall(b"x")
        assert select.select([client], [], []) == ([client], [], [])
        poll = select.poll()
        poll.register(client, select.POLLIN)
        assert poll.poll(0) == [(client.fileno(), select.POLLIN)]
        assert client.recv(1) == b"x"
        assert poll.poll(1000) == []

    holds(lambda: with_echo(use))


@pytest.mark.portable
@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: socket.create_connection(("example.com", 80)), "connects to example.com:80"),
        (lambda: asyncio.run(asyncio.open_connection("10.0.0.1", 80)), "connects to 10.0.0.1:80"),
        (lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "makes a socket that is no stream on loopback"),
        (lambda: socket.create_server(("192.0.2.1", 80)), "binds 192.0.2.1:80"),
        (lambda: socket.gethostbyname("example.com"), "looks up example.com"),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine")
def test_what_is_not_loopback_is_refused_with_the_line(call, what):
    result = explore(call, max_schedules=1)

    assert result.verdict is Verdict.UNCONTROLLED
    assert f"{what}, which leaves the controlled world, at " in result.limits[0]
    assert "test_network.py:" in result.limits[0]
    assert re.search(r"; (use TCP|let the program serve it) on 127\.0\.0\.1", result.limits[0])


async def ask_the_world():
    async with httpx.AsyncClient() as client:
        await client.get("http://example.com/")


def test_address_that_a_package_asks_for_is_refused_with_the_programs_line():
    line = ask_the_world.__code__.co_firstlineno + 2

    result = explore(ask_the_world, max_schedules=1)

    assert "connects to example.com:80, which leaves the controlled world, at " in result.limits[0]
    assert f"test_network.py:{line} in ask_the_world (by anyio/" in result.limits[0]


# Streams, clients and servers


@pytest.mark.parametrize("kind", [selectors.DefaultSelector, selectors.PollSelector, selectors.SelectSelector])
def test_selectors_made_by_programs_wait_for_sockets_in_memory(kind):
    def use(client):
        with kind() as selector:
            selector.register(client, selectors.EVENT_READ)
            assert selector.select(timeout=1) == []
            client.send(b"a")
            ((key, events),) = selector.select()
            assert (key.fileobj, events) == (client, selectors.EVENT_READ)
            assert client.recv(1) == b"a"

    holds(lambda: with_echo(use))


def test_threaded_server_of_the_standard_library_answers():
    def program():
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(204, "fine")
                self.end_headers()

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            serving = in_thread(server.serve_forever, 0.05)
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
            connection.request("GET", "/")
            assert connection.getresponse().status == 204
            connection.close()
            server.shutdown()
            serving.join()

    holds(program)


def test_stream_whose_buffer_is_full_reports_the_reset():
    def close_at_once(listener):
        listener.accept()[0].close()

    async def send_for_ever(address):
        _, writer = await asyncio.open_connection(*address)
        while True:
            writer.write(bytes(100_000))
            await writer.drain()

    def program():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            closing = in_thread(close_at_once, listener)
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                asyncio.run(send_for_ever(listener.getsockname()))
            closing.join()

    holds(program)


def test_tls_around_a_blocking_socket_is_refused_with_the_line():
    context = ssl.create_default_context()

    def use(client):
        context.wrap_socket(client, server_hostname="localhost")

    result = explore(lambda: with_echo(use), max_schedules=1)

    assert result.verdict is Verdict.UNCONTROLLED
    assert "makes a SSLSocket of a socket in memory" in result.limits[0]


async def stream_echo(reader, writer):
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


async def http_server(reader, writer):
    """Answers each request of a connection with its path."""
    while head := await reader.readline():
        while (await reader.readline()).strip():
            pass
        body = head.split()[1]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    writer.close()


@pytest.mark.portable
@ENGINES
def test_pool_of_an_unmodified_httpx_client_keeps_connections(engine):
    async def program():
        connections = []

        async def serve(reader, writer):
            connections.append(writer)
            await http_server(reader, writer)

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, httpx.AsyncClient(verify=TLS) as client:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            for path in ("/a", "/b"):
                assert (await client.get(url + path)).text == path
            both = await asyncio.gather(*(client.get(url + path) for path in ("/c", "/d")))
            assert [answer.text for answer in both] == ["/c", "/d"]
            assert len(connections) == 2

    holds(program, 10, engine=engine)


TLS = httpx.create_ssl_context()  # takes tens of milliseconds, and is not used


def test_blocking_http_client_beside_a_loop():
    def program():
        ready, addresses = threading.Event(), []

        async def serve():
            async with await asyncio.start_server(http_server, "127.0.0.1", 0) as server:
                addresses.append(server.sockets[0].getsockname())
                ready.set()
                await server.serve_forever()

        in_thread(lambda: asyncio.run(serve()))
        ready.wait()
        client = http.client.HTTPConnection(*addresses[0])
        for path in ("/a", "/b"):
            client.request("GET", path)
            assert client.getresponse().read().decode() == path
        client.close()

    holds(program, 20)


async def asgi(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def test_asgi_server_runs_unmodified():
    uvicorn = pytest.importorskip("uvicorn")

    async def program():
        config = uvicorn.Config(asgi, port=8000, lifespan="off", loop="asyncio", http="h11", log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve())  # serve() itself wants signals
        while not server.started:
            await asyncio.sleep(0.1)
        async with httpx.AsyncClient(verify=TLS) as client:
            answers = await asyncio.gather(*(client.get("http://127.0.0.1:8000/") for _ in range(3)))
        assert [answer.text for answer in answers] == ["ok"] * 3
        server.should_exit = True
        await serving

    holds(program, 5)


def test_aiohttp_client_runs_unmodified():
    aiohttp = pytest.importorskip("aiohttp")

    async def program():
        async with await asyncio.start_server(http_server, "127.0.0.1", 0) as server, aiohttp.ClientSession() as client:
            port = server.sockets[0].getsockname()[1]
            async with client.get(f"http://127.0.0.1:{port}/a") as answer:
                assert await answer.text() == "/a"

    holds(program, 5)


# A client of one loop used on another


def ask_twice(make_client):
    """Serve in a thread; ask from two loops, one after the other, and tell what the second call gave."""
    ready, kept = threading.Event(), []

    async def serve():
        kept.append(asyncio.get_running_loop())
        server = await asyncio.start_server(http_server, "127.0.0.1", 0)
        kept.extend((server.sockets[0].getsockname()[1], asyncio.current_task()))
        ready.set()
        try:
            await asyncio.Event().wait()
        finally:
            server.close()  # without waiting for the connections of a client that cannot close them

    def run_server():
        with suppress(asyncio.CancelledError):
            asyncio.run(serve())

    server = in_thread(run_server)
    ready.wait()
    loop, port, task = kept

    async def ask():
        return (await make_client().get(f"http://127.0.0.1:{port}/")).status_code

    try:
        assert asyncio.run(ask()) == 200
        assert asyncio.run(ask()) == 200
    finally:
        loop.call_soon_threadsafe(task.cancel)
        server.join()


def one_client():
    client = httpx.AsyncClient(verify=TLS, timeout=None)
    ask_twice(lambda: client)


def client_per_loop():
    clients = {}

    def client():
        loop = asyncio.get_running_loop()
        if loop not in clients:
            clients[loop] = httpx.AsyncClient(verify=TLS, timeout=None)
        return clients[loop]

    ask_twice(client)


def where(error):
    """Return type and call: the line of the program that was to get the second answer."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == __file__]
    return (
        type(error),
        str(error),
        [(frame.name, frame.lineno) for frame in lines if frame.name in ("ask_twice", "ask")],
    )


NATIVE = """
import test_network
try:
    test_network.one_client()
except RuntimeError as error:
    print(test_network.where(error))
"""


def test_client_on_two_loops_fails_as_over_real_loopback():
    here = Path(__file__)
    paths = os.pathsep.join(map(str, (here.parent, here.parents[1], here.parents[2])))
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", NATIVE],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    failure = explore(one_client, max_schedules=20).failure

    assert failure is not None
    assert str(failure.error) == "Event loop is closed"
    assert str(where(failure.error)) == ran.stdout.strip()
    assert str(where(replay(one_client, failure.token).error)) == ran.stdout.strip()


def test_client_per_loop_holds():
    holds(client_per_loop, 20)
