"""A real Django site with django-comments-xtd, whose thread was written and moderated through its own interface."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from selectolax.lexbor import LexborHTMLParser
from tests.servers.process import free_port, listens, running, server_python
from tests.servers.truth import Known

from discourse.tables import State

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Xtd:
    """A client of the site that does what readers and the moderator do."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.page = f"{self.address}/pages/1/"
        self.thread = f"{self.address}/comments/api/flatpages-flatpage/1/"
        self.known: list[Known] = []
        self._readers = httpx2.Client(base_url=self.address, timeout=20)
        self._moderator = httpx2.Client(base_url=self.address, timeout=20)
        self._submit("/admin/login/", username="moderator", password="lamp-post")  # noqa: S106 - the test's own site

    def close(self) -> None:
        """Close the connections."""
        self._readers.close()
        self._moderator.close()

    def write(self, text: str, author: str, parent: str | None = None) -> str:
        """Post a comment with the form that the article's page gives; return its id."""
        props = json.loads(
            self._readers.get("/pages/1/").text.partition("window.props = ")[2].partition("</script>")[0]
        )
        form = props["default_form"] | {
            "name": author, "email": f"{author.lower()}@example.org", "url": "", "comment": text, "followup": False,
            "reply_to": int(parent or 0), "honeypot": "",
        }  # fmt: skip
        answer = self._readers.post(props["send_url"], json=form)
        assert answer.status_code in {201, 202}, answer.text
        return self._newest()

    def edit(self, native_id: str, text: str) -> None:
        """Change a comment's text, as the moderator does in the administration."""
        self._submit(f"/admin/django_comments_xtd/xtdcomment/{native_id}/change/", comment=text)

    def remove(self, native_id: str) -> None:
        """Remove a comment, as the moderator does; a note stands in its place."""
        self._submit(f"/comments/delete/{native_id}/")

    def like(self, native_id: str) -> None:
        """Like a comment, as a user who is logged in."""
        body = {"comment": int(native_id), "flag": "like"}
        headers = {"x-csrftoken": self._moderator.cookies["csrftoken"]}
        self._moderator.post("/comments/api/feedback/", json=body, headers=headers).raise_for_status()

    def count(self) -> int:
        """Return how many comments the site counts in the thread."""
        return int(self._readers.get(f"{self.thread}count/").json()["count"])

    def _newest(self) -> str:
        page = self._moderator.get("/admin/django_comments_xtd/xtdcomment/", params={"o": "", "all": ""}).text
        return str(max(int(one) for one in re.findall(r"/xtdcomment/(\d+)/change/", page)))

    def _submit(self, url: str, **fields: Any) -> None:
        """Send a page's form with some fields changed."""
        page = self._moderator.get(url).text
        token = _TOKEN.search(page)
        assert token is not None, page[:500]
        filled = {"csrfmiddlewaretoken": token[1], **_fields(page), **fields}
        answer = self._moderator.post(url, data=filled, headers={"referer": self.address})
        assert answer.has_redirect_location, answer.text[:3000]


def _fields(page: str) -> dict[str, str]:
    """Return what a page's form holds."""
    found: dict[str, str] = {}
    for node in LexborHTMLParser(page).css("form input, form textarea, form select"):
        name, kind = node.attributes.get("name"), node.attributes.get("type")
        if not name or kind in {"submit", "button"} or (kind == "checkbox" and "checked" not in node.attributes):
            continue
        if node.tag == "select":
            chosen = node.css_first("option[selected]")
            found[name] = (chosen.attributes.get("value") or "") if chosen is not None else ""
        elif node.tag == "textarea":
            found[name] = node.text()
        else:
            found[name] = node.attributes.get("value") or ("on" if kind == "checkbox" else "")
    return found


@contextmanager
def xtd(folder: Path) -> Iterator[Xtd]:
    """Start the site with one thread: replies down to level 5, an edited, a removed, a liked and a held comment."""
    python, port = server_python(), free_port()
    command = [python, Path(__file__).with_name("xtd_site.py"), folder, str(port)]
    with running(command, lambda: listens(port), folder / "xtd.log"):
        site = Xtd(port)
        try:
            _fill(site)
            yield site
        finally:
            site.close()


def _fill(site: Xtd) -> None:
    known: dict[str, Known] = {}

    def write(text: str, author: str, parent: str | None = None) -> str:
        native_id = site.write(text, author, parent)
        known[native_id] = Known(native_id, parent, author, text)
        return native_id

    first = write("The lamps on Mill Lane shine into bedrooms.", "Ada")
    above = first
    for level, author in enumerate(("Bo", "Chi", "Dora", "Eva", "Fay"), 1):
        above = write(f"A reply at level {level}: a < b & so on, 漢字 🙂.", author, above)
    for number in range(6):
        write(f"Comment number {number} on the price of lamps.", "Gus")
    removed = write("This one is removed and has a reply.", "Rude")
    below = write("I answer what is removed.", "Hal", removed)
    edited = write("This one is changed.", "Ida", first)
    held = site.write("Buy lamps, no spam.", "Spammer")
    site.edit(edited, "This one was changed.")
    site.remove(removed)
    site.like(first)
    known[edited] = Known(edited, first, "Ida", "This one was changed.")
    known[removed] = Known(removed, None, "Rude", None, State.REMOVED)
    # The platform withholds what is below a removed comment.
    known[below] = Known(below, removed, None, None, State.HELD, listed=False)
    known[held] = Known(held, None, None, None, State.HELD, listed=False)
    site.known = list(known.values())
