"""A polite and careful client: one request at a time, never to a private address, never more than the caps."""

from __future__ import annotations

import logging
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from importlib import metadata
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urljoin, urlsplit

import httpx2
import stamina
from protego import Protego

from discourse.collect.addresses import BlockedAddressError, Resolve, look_up
from discourse.collect.answers import Answer, Ask
from discourse.collect.compression import EncodingError, TooLargeError, unpack
from discourse.collect.connecting import CheckedBackend, CheckedTransport, Deadline
from discourse.collect.credentials import Credential, Secrets
from discourse.collect.manners import ROBOT, Pace, Patience, retry_after, robots_rules
from discourse.collect.sources.platform import Login
from discourse.config import CollectConfig
from discourse.workspace import now

# The first two write whole addresses into the log, and a key may be part of one; the last warns of each new attempt.
for _name in ("httpx2", "httpcore2", "stamina"):
    logging.getLogger(_name).setLevel(logging.ERROR)

MOST_REDIRECTS = 10
_LONGEST_ADDRESS = 16_000
_LARGEST_ROBOTS = 512 * 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Of a response only what says something of the content is kept: cookies and marks of a session are not.
_NEVER_KEPT = re.compile(
    r"set-cookie2?|transfer-encoding|content-encoding|content-length|connection|keep-alive|.*(?:session|token).*"
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without an answer that could be kept.

    Attributes:
        reason: one clause for a person, without keys.
        passing: whether it may go well later (a time-out, a full server), so that it is worth asking again.
        capped: whether a cap of ours was the reason.
    """

    reason: str
    passing: bool = False
    capped: bool = False


class Needs(Protocol):
    """What of a platform the client needs to log in; a `Platform` has it."""

    @property
    def title(self) -> str:
        """For people."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Environment variables with keys."""
        ...

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Return how to use the keys."""
        ...


class _PassingError(Exception):
    """An attempt failed in a way that may pass."""

    def __init__(self, reason: str, wait: float | None = None, answer: Answer | None = None) -> None:
        super().__init__(reason)
        self.wait = wait
        self.answer = answer


class _RefusedError(Exception):
    """To try again now is useless; the message is one clause."""

    def __init__(self, reason: str, *, capped: bool = False, passing: bool = False) -> None:
        super().__init__(reason)
        self.capped = capped
        self.passing = passing


def user_agent(contact: str | None) -> str:
    """Return what we say of ourselves; `contact` is an address by which a server's owner can reach the user."""
    version = metadata.version("discourse")
    clean = re.sub(r"[^\x21-\x7e]+", " ", contact or "").replace("(", " ").replace(")", " ").strip()[:200]
    return f"{ROBOT}/{version} (+{clean})" if clean else f"{ROBOT}/{version}"


class Client:
    """Asks, waits its turn, follows redirects, unpacks, and explains what it could not get.

    Args:
        config: rate, contact, caps and whether private addresses may be asked.
        platform: whose keys are used for asks with a `login`; None if there are none.
        environment: where the keys are.
        clock, sleep: seconds that only go forward, and waiting; tests give their own.
        resolve: host name and port to IP addresses.
        patience: how long and how often a request is tried.
        waiting: called with the seconds of a wait before it begins, and with 0 when it is over.
    """

    def __init__(
        self,
        config: CollectConfig,
        *,
        platform: Needs | None = None,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        resolve: Resolve = look_up,
        patience: Patience | None = None,
        waiting: Callable[[float], None] | None = None,
    ) -> None:
        self.secrets = Secrets()
        self.requests = 0
        self._config = config
        self._platform = platform
        self._environment = environment or {}
        self._clock = clock
        self._sleep = sleep
        self._patience = patience or Patience()
        self._waiting = waiting
        self._deadline = Deadline(clock)
        self._pace = Pace(config.rate, not config.allow_private, clock)
        self._credential: Credential | None = None
        self._robots: dict[str, Protego | None] = {}
        self._http = httpx2.Client(
            transport=CheckedTransport(CheckedBackend(resolve, self._deadline, allow_private=config.allow_private)),
            headers={"user-agent": user_agent(config.contact), "accept-encoding": "gzip, deflate, br"},
            timeout=httpx2.Timeout(self._patience.read, connect=self._patience.connect),
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        del kind, error, trace
        self._http.close()

    def ask(self, ask: Ask, known: Answer | None = None, cap: int | None = None) -> Answer | Failure:
        """Send one request, again and again within `patience`, and return the answer or why there is none.

        Refusals (4xx) are answers; so is the last of several 429 and 5xx. An answer with status 304 says that `known`
        still holds.

        Args:
            ask: what to ask.
            known: an earlier answer to the same ask, for a conditional request.
            cap: the largest body in bytes, instead of the configuration's.
        """
        limit = self._config.caps.bytes if cap is None else cap
        try:
            for attempt in stamina.retry_context(
                on=_at_once,
                attempts=self._patience.attempts,
                timeout=None,
                wait_initial=self._patience.wait_initial,
                wait_max=self._patience.wait_max,
            ):
                with attempt:
                    try:
                        return self._try(ask, known, limit)
                    except _PassingError as e:
                        if (e.wait or 0.0) > self._patience.retry_after:
                            hours = (e.wait or 0.0) / 3600
                            return Failure(f"{e}; the server asks to wait {hours:.1f} hours", passing=True)
                        # Here and not in stamina, which waits without telling and cannot be given a clock.
                        if attempt.num < self._patience.attempts:
                            self._wait(max(e.wait or 0.0, attempt.next_wait))
                        raise
        except _PassingError as e:
            times = f", {self._patience.attempts} times" if self._patience.attempts > 1 else ""
            return e.answer or Failure(self.secrets.hide(f"{e}{times}"), passing=True)
        except _RefusedError as e:
            return Failure(self.secrets.hide(str(e)), passing=e.passing, capped=e.capped)
        raise AssertionError("stamina ends with an answer or an error")

    def page(self, url: str) -> Answer | Failure:
        """Fetch a page for people, if robots.txt allows it."""
        return self.ask(Ask(url, accept="text/html,application/xhtml+xml;q=0.9,*/*;q=0.5", page=True))

    def _try(self, ask: Ask, known: Answer | None, cap: int) -> Answer:
        credential = self._log_in(ask)
        answer = self._follow(ask, known, cap, credential)
        if answer.status == 401 and credential is not None and credential.login.token is not None:
            # The token ran out: fetch one more, once.
            credential.token = None
            answer = self._follow(ask, known, cap, self._log_in(ask))
        if answer.status == 429 or answer.status >= 500:
            raise _PassingError(f"the server answers {named(answer.status)}", retry_after(answer.headers), answer)
        return answer

    def _follow(self, ask: Ask, known: Answer | None, cap: int, credential: Credential | None) -> Answer:
        step, visited = ask, {ask.key}
        for _ in range(MOST_REDIRECTS + 1):
            self._check(step)
            if step.page:
                self._check_robots(step.url)
            mine = credential if credential is not None and _same_server(ask.url, step.url) else None
            answer = self._send(step, known if step is ask else None, cap, mine)
            target = answer.headers.get("location", "") if answer.status in {301, 302, 303, 307, 308} else ""
            if not target:
                return replace(answer, key=ask.key, context=dict(ask.context))
            step = _redirected(step, answer, self.secrets.hide(target))
            if mine is not None:
                step = replace(step, url=mine.bare_address(step.url))
            if step.key in visited:
                raise _RefusedError(f"{_host(ask.url)} redirects in a circle")
            visited.add(step.key)
        raise _RefusedError(f"{_host(ask.url)} redirects more than {MOST_REDIRECTS} times")

    def _send(self, ask: Ask, known: Answer | None, cap: int, credential: Credential | None) -> Answer:
        headers = {"accept": ask.accept, **_conditions(known)}
        content = None
        if ask.method == "POST":
            headers["content-type"], content = ask.media, ask.body.encode()
        url = ask.url
        if credential is not None:
            headers |= credential.headers()
            url = credential.address(url)
        self._wait(self._pace.turn(_host(url)))
        self._deadline.start(self._patience.total)
        self.requests += 1
        try:
            with self._http.stream(ask.method, url, headers=headers, content=content) as response:
                return self._read(response, credential, cap)
        except BlockedAddressError as e:
            raise _RefusedError(f"{e}; it is not asked (allow_private = true under [collect] allows it)") from e
        except TooLargeError as e:
            raise _RefusedError(f"the answer is left out: {e} (bytes under [collect.caps])", capped=True) from e
        except EncodingError as e:
            raise _PassingError(f"the answer of {_host(url)} cannot be unpacked: {e}") from e
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, UnicodeError) as e:
            raise _RefusedError("the address cannot be asked: it is not well formed") from e
        except httpx2.TransportError as e:
            raise _transport_fault(e, _host(url)) from e
        finally:
            # No answer may set what the next request sends.
            self._http.cookies.clear()

    def _read(self, response: httpx2.Response, credential: Credential | None, cap: int) -> Answer:
        headers = {
            name.lower(): self.secrets.hide(value)
            for name, value in response.headers.items()
            if not _NEVER_KEPT.fullmatch(name.lower())
        }
        body = unpack(response.iter_raw(), response.headers.get("content-encoding", ""), cap)
        url = str(response.url)
        return Answer(
            url=credential.bare_address(url) if credential is not None else self.secrets.hide(url),
            status=response.status_code,
            headers=headers,
            body=self.secrets.hide_in_body(body),
            at=now(),
        )

    def _check(self, ask: Ask) -> None:
        if len(ask.url) > _LONGEST_ADDRESS or _CONTROL.search(ask.url):
            raise _RefusedError("the address cannot be asked: it is not well formed")
        try:
            parts = urlsplit(ask.url)
            _ = parts.port
        except ValueError as e:
            raise _RefusedError("the address cannot be asked: it is not well formed") from e
        if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
            raise _RefusedError(f'an address of the kind "{parts.scheme[:20]}" is not asked, only http and https')
        if "@" in parts.netloc:
            raise _RefusedError("an address with a user name or a password in it is not asked")
        if ask.method not in {"GET", "POST"}:
            raise _RefusedError(f"a request of the kind {ask.method[:20]} is not sent")

    def _check_robots(self, url: str) -> None:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._robots:
            answer = self.ask(Ask(f"{origin}/robots.txt", accept="text/plain,*/*;q=0.5"), cap=_LARGEST_ROBOTS)
            if isinstance(answer, Failure):
                if answer.passing:
                    why = f"robots.txt of {parts.hostname} could not be read ({answer.reason})"
                    raise _RefusedError(why, passing=True)
                answer = Answer(origin, 404, {}, b"", now())
            self._robots[origin] = robots_rules(answer.status, answer.body)
            rules = self._robots[origin]
            self._pace.slow_down(_host(url), rules.crawl_delay(ROBOT) if rules is not None else None)
        rules = self._robots[origin]
        if rules is None:
            why = f"robots.txt of {parts.hostname} could not be read, so that its pages are not asked"
            raise _RefusedError(why, passing=True)
        if not rules.can_fetch(url, ROBOT):
            raise _RefusedError(f"robots.txt of {parts.hostname} does not allow this page")

    def _log_in(self, ask: Ask) -> Credential | None:
        if not ask.login or self._platform is None:
            return None
        if self._credential is None:
            login = self._platform.login(self._environment)
            if login is None:
                names = ", ".join(self._platform.needs)
                raise _RefusedError(f"{self._platform.title} needs keys; set {names} in the environment")
            self._credential = Credential(login, self.secrets)
        if not self._secured(ask.url):
            raise _RefusedError("keys are not sent over http, only over https")
        if not self._credential.ready:
            self._fetch_token(self._credential, self._platform)
        return self._credential

    def _fetch_token(self, credential: Credential, platform: Needs) -> None:
        login = credential.login
        token = login.token
        if token is None:
            return
        self._check(token)
        if not self._secured(token.url):
            raise _RefusedError("keys are not sent over http, only over https")
        basic = ""
        if login.user or login.password:
            basic = f"Basic {b64encode(f'{login.user}:{login.password}'.encode()).decode()}"
            self.secrets.add(basic)
        once = Credential(Login(header="authorization" if basic else "", value=basic), self.secrets)
        answer = self._send(token, None, _LARGEST_ROBOTS, once)
        if answer.status == 429 or answer.status >= 500:
            raise _PassingError(f"{platform.title} gives no token: {named(answer.status)}", retry_after(answer.headers))
        if not credential.accept(answer):
            names = ", ".join(platform.needs)
            raise _RefusedError(f"{platform.title} refuses the keys in {names} ({named(answer.status)}); check them")

    def _secured(self, url: str) -> bool:
        return self._config.allow_private or urlsplit(url).scheme.lower() == "https"

    def _wait(self, seconds: float) -> None:
        if seconds <= 0:
            return
        if self._waiting is not None:
            self._waiting(seconds)
        self._sleep(seconds)
        if self._waiting is not None:
            self._waiting(0.0)


def named(status: int) -> str:
    """Return a status as people know it, such as ``404 Not Found``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _at_once(error: Exception) -> bool | float:
    return 0.0 if isinstance(error, _PassingError) else False


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "the server")[:100]
    except ValueError:
        return "the server"


def _same_server(one: str, other: str) -> bool:
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, first.hostname, first.port) == (second.scheme, second.hostname, second.port)


def _redirected(ask: Ask, answer: Answer, target: str) -> Ask:
    try:
        url = urljoin(ask.url, target.strip()).partition("#")[0].replace(" ", "%20")
    except ValueError as e:
        raise _RefusedError(f"{_host(ask.url)} redirects to what is no address") from e
    # Browsers and RFC 9110 §15.4: only 307 and 308 send the body again.
    if answer.status in {307, 308} or ask.method == "GET":
        return replace(ask, url=url)
    return replace(ask, url=url, method="GET", body="")


def _conditions(known: Answer | None) -> dict[str, str]:
    """Return the headers that ask for an answer only if it is another than `known`."""
    if known is None:
        return {}
    names = {"etag": "if-none-match", "last-modified": "if-modified-since"}
    found = {asked: known.headers.get(told, "") for told, asked in names.items()}
    return {name: value for name, value in found.items() if value and value.isascii() and value.isprintable()}


def _transport_fault(error: httpx2.TransportError, host: str) -> _PassingError | _RefusedError:
    if isinstance(error, httpx2.TimeoutException):
        return _PassingError(f"{host} did not answer in time")
    if isinstance(error, httpx2.ConnectError):
        if "certificate" in str(error).lower():
            return _RefusedError(f"{host} shows a certificate that is not valid for it")
        return _PassingError(f"{host} cannot be reached ({str(error)[:100]})")
    if isinstance(error, httpx2.RemoteProtocolError):
        return _PassingError(f"the answer of {host} was cut short or is not HTTP")
    return _PassingError(f"the connection to {host} broke off")
