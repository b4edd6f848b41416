"""A loopback server that gives recorded answers again: as they were, or with the faults that a seed draws."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpcore2
import pytest

from discourse.collect.addresses import look_up
from discourse.collect.answers import Answer
from discourse.collect.connecting import CheckedBackend

Fault = Literal["drop", "delay", "truncate", "cut", "busy", "full", "repeat", "reorder"]
FAULTS: tuple[Fault, ...] = ("drop", "delay", "truncate", "cut", "busy", "full", "repeat", "reorder")
_HOP = {"content-encoding", "transfer-encoding", "content-length", "connection", "keep-alive"}


@dataclass(frozen=True, slots=True)
class Served:
    """What the server gives for one request."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])


Serve = Callable[["Replay", "Got"], Served]


@dataclass(frozen=True, slots=True)
class Got:
    """A request as the server got it."""

    method: str
    host: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def names(self) -> Iterator[str]:
        """By what its answer may be recorded, the most exact first."""
        for host in (self.host, ""):
            for target in (self.target, _in_order(self.target)):
                if self.body:
                    yield f"{self.method} {host}{target} {hashlib.sha256(self.body).hexdigest()}"
                yield f"{self.method} {host}{target}"


@dataclass(slots=True)
class Replay:
    """A running server: what it gives, what it was asked, and which faults it still makes."""

    server: ThreadingHTTPServer
    answers: dict[str, Served | Serve] = field(default_factory=dict[str, "Served | Serve"])
    log: list[Got] = field(default_factory=list[Got])
    faults: random.Random | None = None
    kinds: tuple[Fault, ...] = FAULTS
    share: float = 0.0
    made: list[Fault] = field(default_factory=list[Fault])
    last: Served | None = None

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def targets(self) -> list[str]:
        """The path and query of each request, in order."""
        return [got.target for got in self.log]

    def put(self, target: str, given: Served | Serve, method: str = "GET") -> None:
        """Answer `target` (path and query) with this."""
        self.answers[f"{method} {target}"] = given

    def record(self, answer: Answer) -> None:
        """Answer the request that `answer` answered, of any host, with it; its `key` must be set."""
        method, url, *body = answer.key.split(" ")
        parts = urlsplit(url)
        headers = {name: value for name, value in answer.headers.items() if name not in _HOP}
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        given = Served(answer.body, answer.status, headers)
        for host in (parts.netloc, ""):
            for one in (target, _in_order(target)):
                self.answers[" ".join([method, f"{host}{one}", *body])] = given

    def find(self, got: Got) -> Served:
        """Return what is recorded for a request; 404 if nothing is."""
        given = next((self.answers[name] for name in got.names if name in self.answers), None)
        if given is None:
            return Served(b"not recorded", 404, {"content-type": "text/plain"})
        return given if isinstance(given, Served) else given(self, got)

    def draw(self) -> Fault | None:
        """Draw the fault of the next answer."""
        if self.faults is None or self.faults.random() >= self.share:
            return None
        self.made.append(self.faults.choice(self.kinds))
        return self.made[-1]


@contextmanager
def replaying(
    answers: Iterable[Answer] = (), *, seed: int | None = None, share: float = 0.3, kinds: tuple[Fault, ...] = FAULTS
) -> Generator[Replay]:
    """Serve recorded answers until the block is left; with a `seed`, about `share` of them with a fault."""
    server = _Server(("127.0.0.1", 0), _Handler)
    replay = Replay(server, faults=None if seed is None else random.Random(seed), share=share, kinds=kinds)
    server.replay = replay
    for answer in answers:
        replay.record(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield replay
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def whole_world(monkeypatch: pytest.MonkeyPatch, replay: Replay) -> None:
    """Let every name lead to `replay`, over http and https: the addresses of recorded answers work as they are."""

    class Stream(httpcore2.NetworkStream):
        """A connection that is called secure, and is plain."""

        def __init__(self, stream: httpcore2.NetworkStream) -> None:
            self.read, self.write, self.close = stream.read, stream.write, stream.close
            self.get_extra_info = stream.get_extra_info

        def start_tls(self, *_: Any, **__: Any) -> httpcore2.NetworkStream:
            return self

    def connect(self: CheckedBackend, host: str, port: int, *_: Any, **__: Any) -> httpcore2.NetworkStream:
        del self, host, port
        return Stream(httpcore2.SyncBackend().connect_tcp("127.0.0.1", replay.port, timeout=10))

    monkeypatch.setattr(CheckedBackend, "connect_tcp", connect)


def named(names: dict[str, list[str]]) -> Callable[[str, int], list[str]]:
    """Return a resolver that knows these names, and leaves the others to the system."""
    return lambda host, port: names[host] if host in names else look_up(host, port)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    replay: Replay

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any
    timeout = 20
    # Otherwise each answer waits for the client's late acknowledgement of its head.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's own name
        """Say nothing: `Replay.log` holds it."""

    def _answer(self) -> None:
        replay = self.server.replay
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        got = Got(self.command, headers.get("host", ""), self.path, headers, body)
        replay.log.append(got)
        fault, given = replay.draw(), replay.find(got)
        match fault:
            case "drop":
                self.close_connection = True
                return
            case "delay":
                time.sleep(0.3)
            case "busy":
                given = Served(b"slow down", 429, {"retry-after": "7"})
            case "full":
                later = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
                given = Served(b"<h1>try again</h1>", 503, {"retry-after": later, "content-type": "text/html"})
            case "repeat":
                given = replay.last or given
            case "reorder":
                given = Served(_shuffled(given.body, replay.faults), given.status, given.headers)
            case _:
                pass
        if fault in {None, "delay", "reorder"}:
            replay.last = given
        self._send(given, fault)

    def _send(self, given: Served, fault: Fault | None) -> None:
        self.send_response(given.status)
        sized = fault != "cut"
        for name, value in given.headers.items():
            self.send_header(name, value)
        if sized and "content-length" not in {name.lower() for name in given.headers}:
            self.send_header("Content-Length", str(len(given.body)))
        body = given.body
        if fault in {"truncate", "cut"}:
            # With its length told, a client can see that the rest is missing; without, it cannot.
            body, self.close_connection = body[: len(body) * 2 // 3], True
            if not sized:
                self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _in_order(target: str) -> str:
    path, _, query = target.partition("?")
    return f"{path}?{urlencode(sorted(parse_qsl(query, keep_blank_values=True)))}" if query else path


def _shuffled(body: bytes, draw: random.Random | None) -> bytes:
    """Shuffle the lists in a JSON object's first level, as a server does that sorts by nothing."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    for one in value.values() if isinstance(value, dict) else ():
        if isinstance(one, list) and draw is not None:
            draw.shuffle(one)
    return json.dumps(value).encode()
