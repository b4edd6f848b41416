"""A server of chat completions on 127.0.0.1, which answers as a test scripts it: well, badly, late or not at all."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it came in: its place in order, path, headers and body, and the parts of its message."""

    number: int
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def message(self) -> str:
        """The user's message."""
        return self.body["messages"][-1]["content"]

    @property
    def system(self) -> str:
        """The instructions."""
        return self.body["messages"][0]["content"]

    @property
    def mark(self) -> str:
        """The id that the answer must carry."""
        return self.message.splitlines()[0].removeprefix("id: ")

    def part(self, name: str) -> str:
        """Return what stands between the markers of `title`, `parent` or `comment`."""
        found = re.search(f"<<<{name} {self.mark}\n(.*?)\n{name} {self.mark}>>>", self.message, re.DOTALL)
        return found.group(1) if found else ""

    @property
    def comment(self) -> str:
        """The comment."""
        return self.part("comment")

    def form(self) -> dict[str, Any]:
        """The form of answer that the instructions show."""
        line = next(line for line in self.system.splitlines() if line.startswith('{"id": '))
        return json.loads(line)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a status, headers and a body; or ways of not answering."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    wait: float = 0.0
    reset: bool = False
    cut_at: int | None = None


Script = Callable[[Sent], Answer]


def completion(content: object, finish: str = "stop", **message: object) -> Answer:
    """Return a chat completion with some content."""
    whole = {
        "choices": [{"message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20},
    }
    return Answer(body=json.dumps(whole).encode())


def coded(
    sent: Sent, *, words: dict[str, str] | None = None, sides: dict[str, tuple[str, str]] | None = None
) -> dict[str, Any]:
    """Return a valid answer: a frame is yes where its word stands in the comment, else no.

    Args:
        sent: the request.
        words: by frame, the word that is looked for and quoted.
        sides: by T1, T2 …, a word and the stance where it stands; else off_target.
    """
    form = sent.form()
    found: dict[str, Any] = {"id": sent.mark}
    if "frames" in form:
        found["frames"] = {
            name: {"answer": "yes", "evidence": word}
            if (word := (words or {}).get(name, "\x00")) in sent.comment
            else {"answer": "no", "evidence": ""}
            for name in form["frames"]
        }
    if "stance" in form:
        found["stance"] = {}
        for name in form["stance"]:
            word, side = (sides or {}).get(name, ("\x00", ""))
            shows = word in sent.comment
            found["stance"][name] = {"answer": side if shows else "off_target", "evidence": word if shows else ""}
    return found


def well(sent: Sent) -> Answer:
    """Answer well: fear where somebody watches, favor where somebody loves."""
    words = {"fear_of_surveillance": "watch"}
    return completion(json.dumps(coded(sent, words=words, sides={"T1": ("love", "favor")})))


@dataclass(slots=True)
class CoderServer:
    """The server while it runs; `script` may be changed at any time."""

    url: str
    script: Script
    sent: list[Sent] = field(default_factory=list[Sent])

    @property
    def environment(self) -> dict[str, str]:
        """What a user would set."""
        return {"OPENAI_BASE_URL": self.url}


@contextlib.contextmanager
def coder_server(script: Script = well) -> Generator[CoderServer]:
    """Run the server while the block runs."""
    lock = threading.Lock()
    running: list[CoderServer] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            server = running[0]
            with lock:
                headers = {name.lower(): value for name, value in self.headers.items()}
                sent = Sent(len(server.sent), self.path, headers, body)
                server.sent.append(sent)
            answer = server.script(sent)
            time.sleep(answer.wait)
            if answer.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            with contextlib.suppress(OSError):
                self.send_response(answer.status)
                headers = {"content-type": "application/json", **answer.headers}
                for name, value in {**headers, "content-length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body[: answer.cut_at])
                if answer.cut_at is not None:
                    self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's own name
            del format, args

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            del request, client_address

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    running.append(CoderServer(f"http://127.0.0.1:{server.server_address[1]}/v1", script))
    try:
        yield running[0]
    finally:
        server.shutdown()
        server.server_close()


def in_turn(*answers: Answer | Script) -> Script:
    """Return a script that gives each answer once and then answers well."""
    left: Iterator[Answer | Script] = iter(answers)
    lock = threading.Lock()

    def script(sent: Sent) -> Answer:
        with lock:
            found = next(left, well)
        return found if isinstance(found, Answer) else found(sent)

    return script
