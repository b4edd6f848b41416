"""Ask the external coder one thing: with patience for servers, none for what cannot get better, and within limits."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib import metadata
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import httpx2
import stamina

from discourse.models.judge.answers import Invalid, Reply
from discourse.models.judge.endpoint import KEY, URL, Endpoint
from discourse.workspace import now

# The first two write addresses into the log, the last warns of each new attempt.
for _name in ("httpx2", "httpcore2", "stamina"):
    logging.getLogger(_name).setLevel(logging.ERROR)

LARGEST = 1_000_000  # bytes of one answer
LONGEST_CONTENT = 20_000  # characters of it that are read and kept
_TOO_LONG = re.compile(
    r"context.{0,40}(?:length|size|window|exceed)|(?:maximum|max).{0,20}(?:context|token|length)"
    r"|too (?:long|many tokens)|exceed.{0,40}(?:context|token|length)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often one request is tried.

    Attributes:
        attempts: how often, at most.
        wait_initial, wait_max: seconds of the first back-off and of the longest.
        retry_after: the longest Retry-After that is waited for, in seconds; a longer one ends the coding for now.
    """

    attempts: int = 4
    wait_initial: float = 1.0
    wait_max: float = 20.0
    retry_after: float = 300.0


class StopError(Exception):
    """No request can go well, so that none is sent any more; the message is one clause that names the host."""


class UnansweredError(Exception):
    """The server gave no answer to this request, several times; the message is one clause that names the host.

    Attributes:
        wait: seconds that it asks to wait.
        fault: what it is called where the server answers other requests.
        alive: whether something answered that is no gateway, so that the request itself may be what it fails on.
    """

    def __init__(
        self, reason: str, wait: float | None = None, fault: Invalid = Invalid.NO_ANSWER, *, alive: bool = False
    ) -> None:
        super().__init__(reason)
        self.wait = wait
        self.fault = fault
        self.alive = alive


class Client:
    """Sends requests to one endpoint and nowhere else: redirects are not followed, proxies and cookies not used.

    Args:
        endpoint: where to.
        timeout: seconds for one answer, all of it.
        concurrency: connections at once.
        patience: see there.
    """

    def __init__(self, endpoint: Endpoint, timeout: float, concurrency: int, patience: Patience | None = None) -> None:
        self.endpoint = endpoint
        # Whether an answer was of the right form already: what is refused after that is refused for its content.
        self.proved = False
        self._timeout = timeout
        self._patience = patience or Patience()
        self._http = httpx2.AsyncClient(
            headers={
                "user-agent": f"discourse/{metadata.version('discourse')}",
                "accept": "application/json",
                "accept-encoding": "identity",
            },
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 20.0)),
            limits=httpx2.Limits(max_connections=concurrency),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def ask(self, body: Mapping[str, Any]) -> Reply:
        """Send one request, again and again within the patience.

        Raises:
            StopError: the key, the model or the address is wrong, or the server asks for a very long wait.
            UnansweredError: there was no answer of the right form.
        """
        patience = self._patience
        async for attempt in stamina.retry_context(
            on=_wait,
            attempts=patience.attempts,
            timeout=None,
            wait_initial=patience.wait_initial,
            wait_max=patience.wait_max,
        ):
            with attempt:
                try:
                    return await self._once(body)
                except UnansweredError as e:
                    if e.wait is not None and e.wait > patience.retry_after:
                        raise StopError(f"{e} and asks to wait {e.wait / 60:.0f} minutes") from e
                    raise
        raise AssertionError("stamina ends with an answer or an error")

    async def _once(self, body: Mapping[str, Any]) -> Reply:
        host = self.endpoint.host
        content = json.dumps(body, ensure_ascii=True).encode()
        headers = {"content-type": "application/json", **self.endpoint.headers()}
        try:
            # Of httpx2's time-outs each is for one read; a server that drips is stopped by this one.
            async with (
                asyncio.timeout(self._timeout),
                self._http.stream("POST", self.endpoint.url, headers=headers, content=content) as response,
            ):
                received = bytearray()
                async for part in response.aiter_bytes():
                    received += part
                    if len(received) > LARGEST:
                        return Reply(fault=Invalid.TOO_LARGE)
                return self._reply(response, bytes(received), body)
        except (TimeoutError, httpx2.TimeoutException) as e:
            raise UnansweredError(f"{host} did not answer within {self._timeout:g} seconds") from e
        except httpx2.ConnectError as e:
            if "certificate" in str(e).lower():
                raise StopError(f"{host} shows a certificate that is not valid for it") from e
            raise UnansweredError(f"{host} cannot be reached") from e
        except (httpx2.TransportError, httpx2.DecodingError) as e:
            raise UnansweredError(f"the connection to {host} broke off") from e
        finally:
            self._http.cookies.clear()

    def _reply(self, response: httpx2.Response, received: bytes, body: Mapping[str, Any]) -> Reply:
        status, host = response.status_code, self.endpoint.host
        if 200 <= status < 300:
            reply = chat_reply(received)
            if reply is None:
                said = f"{host} answers, but not in the form of chat completions; check {URL}, which often ends in /v1"
                raise UnansweredError(said, fault=Invalid.MALFORMED, alive=True)
            self.proved = True
            return replace(reply, content=self.endpoint.hide(reply.content))
        if 300 <= status < 400:
            raise StopError(f"{host} redirects {self._target(response)}, where nothing is sent; correct {URL}")
        # What is said of a key may repeat a part of it.
        said = "" if status in {401, 403} else self._said(received, body)
        named = f"{host} answers {_named(status)}{f': {said}' if said else ''}"
        if _TOO_LONG.search(said) and status not in {401, 403, 404, 429}:
            return Reply(fault=Invalid.TOO_LONG)
        if status in {408, 425, 429} or status >= 500:
            raise UnansweredError(named, retry_after(response.headers), alive=status == 500)
        if status == 401 or (status == 403 and not self.proved):
            raise StopError(f"{named}; check {KEY}" if self.endpoint.key else f"{named}; it asks for a key: set {KEY}")
        if status == 404:
            raise StopError(f'{named}; check [judge] model ("{body.get("model")}") and {URL}, which often ends in /v1')
        if not self.proved:
            raise StopError(f"{named}; check the settings under [judge]")
        return Reply(fault=Invalid.REJECTED)

    def _target(self, response: httpx2.Response) -> str:
        try:
            there = urlsplit(urljoin(self.endpoint.url, response.headers.get("location", ""))).hostname
        except ValueError:
            there = None
        return f"to {there[:100]}" if there and there.isprintable() and there != self.endpoint.host else "elsewhere"

    def _said(self, received: bytes, body: Mapping[str, Any]) -> str:
        """Return what an error says, as one line without the key; nothing where it repeats what was sent."""
        text = received[:5_000].decode("utf-8", "replace")
        try:
            found: Any = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            inner: Any = cast("dict[str, Any]", found).get("error", found)
            if isinstance(inner, dict):
                held = cast("dict[str, Any]", inner)
                inner = held.get("message") or held.get("detail") or ""
            text = inner if isinstance(inner, str) else ""
        elif "<" in text[:200]:
            return ""  # a page for browsers
        line = " ".join(self.endpoint.hide(text).split())
        line = "".join(letter for letter in line if letter.isprintable())[:160]
        sent = " ".join(str(message["content"]) for message in body["messages"])
        sent = " ".join(sent.split())
        pieces = range(0, max(len(line) - 16, 1), 8)
        return "" if any(len(line) >= 16 and line[at : at + 16] in sent for at in pieces) else line


def chat_reply(received: bytes) -> Reply | None:
    """Read the body of a chat completion; None if it is none."""
    try:
        found: Any = json.loads(received)
        first = found["choices"][0]
        message = first["message"]
        content = message.get("content")
        if isinstance(content, list):
            content = "".join(part.get("text", "") for part in cast("list[dict[str, Any]]", content))
        refused = bool(message.get("refusal")) or first.get("finish_reason") == "content_filter"
        usage = dict(found.get("usage") or {})
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return None
    if not isinstance(content, str | None):
        return None
    sent, answered = (
        number if isinstance(number, int) and 0 <= number < 10**9 else None
        for number in (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    )
    finish = str(first.get("finish_reason") or "")[:40]
    return Reply((content or "")[:LONGEST_CONTENT], finish, refused, sent, answered)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a Retry-After header asks for, written as a number or as a date; None without one."""
    written = headers.get("retry-after", "").strip()[:64]
    if written.isdigit():
        return float(min(int(written[:9]), timedelta(days=365).total_seconds()))
    try:
        until = parsedate_to_datetime(written)
        return max((until - now()).total_seconds(), 0.0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _wait(error: Exception) -> bool | float:
    if not isinstance(error, UnansweredError):
        return False
    return True if error.wait is None else error.wait


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
