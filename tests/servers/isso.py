"""A real Isso server, with a thread that was written, moderated, edited and deleted through its own interface."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from tests.servers.process import free_port, listens, running, server_python
from tests.servers.truth import Known

from discourse.tables import State

URI = "/lamps/"
_CONFIG = """
[general]
dbpath = {folder}/comments.db
host = http://127.0.0.1:{port}/
latest-enabled = true
[admin]
enabled = true
password = lamp-post
[moderation]
enabled = true
[server]
listen = http://127.0.0.1:{port}
[guard]
enabled = false
"""


class Isso:
    """A client of the server that does what readers and the moderator do."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.thread = f"{self.address}/?uri=%2Flamps%2F"
        self._client = httpx2.Client(base_url=self.address, timeout=20)
        self.known: list[Known] = []
        assert self._client.post("/login/", data={"password": "lamp-post"}).has_redirect_location

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def write(self, text: str, author: str | None, parent: str | None = None) -> str:
        """Post a comment, which is held at first; return its id."""
        body = {"text": text, "author": author, "parent": None if parent is None else int(parent), "title": "Lamps"}
        answer = self._client.post("/new", params={"uri": URI}, json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def approve(self, *native_ids: str) -> None:
        """Let comments through, as the moderator does on the page of held comments."""
        page = self._client.get("/admin/", params={"mode": "2"}).text
        for native_id in native_ids:
            key = re.search(rf"validate_com\({native_id}, '([^']+)'", page)
            assert key is not None, f"comment {native_id} is not on the page"
            self._client.post(f"/id/{native_id}/activate/{key[1]}").raise_for_status()

    def edit(self, native_id: str, text: str) -> None:
        """Change a comment as its author, whose cookie the client keeps."""
        self._client.put(f"/id/{native_id}", json={"text": text}).raise_for_status()

    def delete(self, native_id: str) -> None:
        """Delete a comment as its author; one with replies stays without its words."""
        self._client.delete(f"/id/{native_id}").raise_for_status()

    def count(self) -> int:
        """Return how many visible comments the server counts in the thread."""
        return int(self._client.post("/count", json=[URI]).json()[0])


@contextmanager
def isso(folder: Path) -> Iterator[Isso]:
    """Start the server with one thread: 40 top comments, replies, an edited, two deleted and two held comments."""
    python, port = server_python(), free_port()
    config = folder / "isso.cfg"
    config.write_text(_CONFIG.format(folder=folder, port=port), encoding="utf-8")
    command = [python.with_name("isso"), "-c", config, "run"]
    with running(command, lambda: listens(port), folder / "isso.log"):
        server = Isso(port)
        try:
            _fill(server)
            yield server
        finally:
            server.close()


def _fill(server: Isso) -> None:
    known: list[Known] = []

    def write(text: str, author: str | None, parent: str | None = None) -> str:
        native_id = server.write(text, author, parent)
        known.append(Known(native_id, parent, author, text))
        return native_id

    first = write("The lamps on Mill Lane **shine** into bedrooms.", "Ada")
    reply = write("Not into mine: a < b & so on.", "Bo", first)
    # Isso hangs this on the top comment.
    deeper = server.write("A reply to a reply, with 漢字 and 🙂.", "Chi", reply)
    known.append(Known(deeper, first, "Chi", "A reply to a reply, with 漢字 and 🙂."))
    write("Nobody signs this.", None, first)
    for number in range(37):
        write(f"Comment number {number} on the price of lamps.", "Dé")
    # Not the last one: Isso gives the id of a deleted last comment to the next.
    vanished = write("This one is deleted and has none.", "Gus")
    gone = write("This one is deleted and has a reply.", "Eva")
    write("I answer what is gone.", "Fay", gone)
    server.approve(*(one.native_id for one in known))
    server.edit(reply, "Not into mine: edited.")
    server.delete(gone)
    server.delete(vanished)
    held = [server.write("A held top comment.", "Spam"), server.write("A held reply.", "Spam", first)]
    changed = {
        reply: Known(reply, first, "Bo", "Not into mine: edited."),
        gone: Known(gone, None, None, None, State.DELETED),
        vanished: Known(vanished, None, None, None, State.DELETED, listed=False),
    }
    server.known = [changed.get(one.native_id, one) for one in known]
    server.known += [Known(one, None, None, None, State.HELD, listed=False) for one in held]
