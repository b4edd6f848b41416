"""What is asked of a platform and what it answered: the same two things for a live collection and for a saved file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import cast
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from selectolax.lexbor import LexborHTMLParser

from discourse.collect.charset import decode_body
from discourse.collect.nesting import deepest
from discourse.tables import Reason

MAX_DEPTH = 2_000
EXCERPT = 200

_HALF = re.compile(r"\\u[dD][89a-fA-F]")

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


class UnreadableAnswerError(ValueError):
    """An answer that is not what its platform promises: cut short, too deep, of another kind."""

    def __init__(self, reason: Reason, excerpt: str, why: str) -> None:
        super().__init__(why)
        self.reason = reason
        self.excerpt = excerpt


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, as a value: two equal asks are one request, and an ask that was answered is not asked again.

    Attributes:
        url: absolute http or https address; empty where a saved file does not tell where its platform is.
        thread: native id of the thread that it is for, empty if not known yet.
        method: GET or POST.
        body: of a POST, as text; part of what the request is.
        media: content type of `body`.
        accept: the Accept header.
        login: name of a platform whose credentials are sent along, empty for none; the credentials are no part of it.
        expects: how many comments are known to be behind it, 0 if that is not known. Counted as unreachable (or capped)
            if it is never answered.
        page: whether this is a page for people, so that robots.txt counts.
        context: what `read` must know besides the answer; kept in the archive with it.
    """

    url: str
    thread: str = ""
    method: str = "GET"
    body: str = ""
    media: str = "application/json"
    accept: str = "application/json"
    login: str = ""
    expects: int = 0
    page: bool = False
    context: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """What makes two requests the same: method, address and body."""
        return f"{self.method} {self.url} {hashlib.sha256(self.body.encode()).hexdigest() if self.body else ''}".strip()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, or what a saved file holds.

    Attributes:
        url: where it came from, after redirects; empty if a file does not tell.
        status: HTTP status; 200 for a saved file.
        headers: names in lower case.
        body: bytes without transfer and content encoding.
        at: when it was received, in UTC.
        key: `Ask.key` of the request; empty if a file does not tell.
        context: of the request.
        location: the place in its file for a person, such as ``record 3``.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    key: str = ""
    context: Mapping[str, str] = field(default_factory=dict[str, str])
    location: str = "record 1"

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def media(self) -> str:
        """Content type in lower case without parameters; empty if none was given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def excerpt(self) -> str:
        """The start of the body, for the quarantine."""
        return _start(self.body)

    def text(self) -> str:
        """The body as text: byte order mark, then the header's charset, then `<meta>`, then UTF-8, then cp1252."""
        return decode_body(self.body, self.headers.get("content-type", ""))

    def json(self) -> Json:
        """The body as JSON, to be read and not changed.

        Raises:
            UnreadableAnswerError: it is no JSON, is cut short, or is nested deeper than `MAX_DEPTH`.
        """
        return _load_json(self.body, self.headers.get("content-type", ""))

    def html(self) -> LexborHTMLParser:
        """The body as an HTML tree; any bytes give one. It is parsed anew at each call, so that it may be changed."""
        return LexborHTMLParser(self.text())

    def xml(self) -> Element:
        """The body as an XML tree, in which entities are refused.

        Raises:
            UnreadableAnswerError: it is no well-formed XML, or declares entities.
        """
        return _load_xml(self.body)


def _whole_number(digits: str) -> int | float:
    """Read a whole number; one of thousands of digits, on which int() spends its time, becomes a float."""
    return int(digits) if len(digits) <= 40 else float(digits)


def _start(body: bytes) -> str:
    return body[: 4 * EXCERPT].decode("utf-8", errors="replace")[:EXCERPT]


# Each platform in turn looks at a saved answer to tell whether it is its own; the answer is parsed once for all.
@lru_cache(maxsize=2)
def _load_json(body: bytes, content_type: str) -> Json:
    text = decode_body(body, content_type)
    if deepest(text) > MAX_DEPTH:
        raise UnreadableAnswerError(Reason.TOO_DEEP, _start(body), f"JSON nested deeper than {MAX_DEPTH:,} levels")
    try:
        found = cast("Json", json.loads(text, parse_int=_whole_number))
    except RecursionError as e:
        raise UnreadableAnswerError(Reason.TOO_DEEP, _start(body), "JSON nested deeper than it can be read") from e
    except ValueError as e:
        raise UnreadableAnswerError(Reason.MALFORMED, _start(body), f"no JSON or cut short ({e})"[:200]) from e
    return _whole_characters(found) if _HALF.search(text) else found


def _whole_characters(found: Json) -> Json:
    r"""Replace halves of surrogate pairs, which an escape such as ``\ud800`` can write and no text file can hold."""
    holder: list[Json] = [found]
    waiting: list[list[Json] | dict[str, Json]] = [holder]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            pairs = [(_whole_text(key), value) for key, value in one.items()]
            one.clear()
            one.update((key, _whole_text(value) if isinstance(value, str) else value) for key, value in pairs)
            inner = list(one.values())
        else:
            one[:] = [_whole_text(value) if isinstance(value, str) else value for value in one]
            inner = one
        waiting += [value for value in inner if isinstance(value, list | dict)]
    return holder[0]


def _whole_text(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@lru_cache(maxsize=2)
def _load_xml(body: bytes) -> Element:
    try:
        return ElementTree.fromstring(body)
    except (ParseError, DefusedXmlException, ValueError, RecursionError, LookupError) as e:
        raise UnreadableAnswerError(Reason.MALFORMED, _start(body), f"no XML or not safe ({e})"[:200]) from e
