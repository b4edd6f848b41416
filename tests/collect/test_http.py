"""The client against servers that refuse, lie, stall and attack: an explained answer, never a hang or a leak."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import brotli
import pytest
import zstandard
from tests.servers.clocks import Clock
from tests.servers.paged import Paged
from tests.servers.replay import Got, Replay, Served, named, replaying, whole_world

from discourse.collect.answers import Answer, Ask
from discourse.collect.http import Client, Failure, user_agent
from discourse.collect.manners import Patience
from discourse.collect.sources.platform import Login
from discourse.config import CapsConfig, CollectConfig

QUICK = Patience(attempts=2, connect=2, read=0.3, total=2)
PRIVATE = CollectConfig(allow_private=True, contact="me@example.org")


@pytest.fixture
def replay() -> Iterator[Replay]:
    """A server that knows nothing yet."""
    with replaying() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    """A clock that only waiting moves."""
    return Clock()


Make = Callable[..., Client]


@pytest.fixture
def make(clock: Clock) -> Iterator[Make]:
    """Make clients that wait on `clock` and are closed after the test."""
    with ExitStack() as stack:

        def made(config: CollectConfig = PRIVATE, **options: Any) -> Client:
            given = {"clock": clock, "sleep": clock.sleep, "patience": QUICK, **options}
            return stack.enter_context(Client(config, **given))

        yield made


def whole(found: Answer | Failure) -> Answer:
    """Expect an answer."""
    assert isinstance(found, Answer), found
    return found


def failed(found: Answer | Failure) -> Failure:
    """Expect a failure, explained in a sentence."""
    assert isinstance(found, Failure), found
    assert 10 < len(found.reason) < 400
    assert "\n" not in found.reason
    return found


def test_an_answer_is_what_the_server_sent(replay: Replay, make: Make) -> None:
    """Status, headers in lower case, body, key and context of the request; an honest user agent."""
    replay.put("/a?b=1", Served("é".encode(), headers={"X-Thing": "y"}))
    ask = Ask(f"{replay.url}/a?b=1", context=(("k", "v"),))
    answer = whole(make().ask(ask))
    assert (answer.status, answer.body, answer.headers["x-thing"]) == (200, "é".encode(), "y")
    assert (answer.key, answer.context, answer.url) == (ask.key, {"k": "v"}, ask.url)
    assert replay.log[0].headers["user-agent"].startswith("discourse/")
    assert replay.log[0].headers["user-agent"].endswith("(+me@example.org)")


def test_a_contact_cannot_add_headers() -> None:
    """Line breaks in the contact stay in the one header."""
    assert "\r" not in user_agent("a\r\nX-Evil: 1")
    assert user_agent(None).count(" ") == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 451, 204, 300])
def test_refusals_are_answers(replay: Replay, make: Make, clock: Clock, status: int) -> None:
    """What a server says for good is taken at once, with its body."""
    replay.put("/", Served(b"" if status == 204 else b"no", status))
    assert whole(make().ask(Ask(f"{replay.url}/"))).status == status
    assert len(replay.log) == 1
    assert clock.waits == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(replay: Replay, make: Make, clock: Clock, status: int) -> None:
    """A server that is full is asked again after a wait; its last answer is given if it stays so."""
    replay.put("/", lambda server, _: Served(b"ok", 200 if len(server.log) > 1 else status))
    assert whole(make().ask(Ask(f"{replay.url}/"))).status == 200
    assert clock.waits == [pytest.approx(1.0, abs=0.5)]
    replay.put("/", Served(b"full", status))
    assert whole(make().ask(Ask(f"{replay.url}/"))).status == status


@pytest.mark.parametrize("form", ["seconds", "date", "nonsense"])
def test_retry_after_is_waited_for(replay: Replay, make: Make, clock: Clock, form: str) -> None:
    """Retry-After counts as a number of seconds and as a date; what is neither is not followed."""
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    written = {"seconds": "40", "date": later, "nonsense": "soon"}[form]
    replay.put("/", lambda server, _: Served(b"", 200 if len(server.log) > 1 else 429, {"Retry-After": written}))
    assert whole(make().ask(Ask(f"{replay.url}/"))).status == 200
    assert sum(clock.waits) == pytest.approx(1 if form == "nonsense" else 40, abs=2)


def test_too_long_a_wait_is_an_explained_stop(replay: Replay, make: Make, clock: Clock) -> None:
    """Nobody is left waiting for a day."""
    replay.put("/", Served(b"", 429, {"Retry-After": "86400"}))
    found = failed(make().ask(Ask(f"{replay.url}/")))
    assert found.passing
    assert "24.0 hours" in found.reason
    assert clock.waits == []


def test_waits_are_shown(replay: Replay, make: Make) -> None:
    """Each wait is told before it begins and after it ended."""
    told: list[float] = []
    replay.put("/", lambda server, _: Served(b"", 200 if len(server.log) > 1 else 429, {"Retry-After": "9"}))
    make(waiting=told.append).ask(Ask(f"{replay.url}/"))
    assert told == [9.0, 0.0]


def test_one_request_at_a_time_at_the_given_rate(make: Make, clock: Clock, replay: Replay) -> None:
    """A host is asked not more often than the rate says; loopback is spared where private addresses are allowed."""
    client = make(CollectConfig(allow_private=True, rate=0.5), resolve=named({"h.test": ["127.0.0.1"]}))
    for _ in range(3):
        client.ask(Ask(f"http://h.test:{replay.port}/"))
        client.ask(Ask(f"{replay.url}/"))
    assert clock.waits == [2.0, 2.0]


# Broken answers


def raw(replies: list[bytes], *, hold: float = 0.0, drip: float = 0.0) -> tuple[str, Callable[[], None]]:
    """Start a server that sends exactly these bytes, one for each connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for reply in replies:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    for at in range(len(reply)) if drip else ():
                        connection.sendall(reply[at : at + 1])
                        time.sleep(drip)
                    if not drip:
                        connection.sendall(reply)
                    time.sleep(hold)
                except OSError:
                    pass

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/", listener.close


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"", "cut short"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "cut short"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf", "cut short"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not HTTP"),
        (b"hello, I am no web server\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000 + b"\r\n", "not HTTP"),
    ],
    ids=["dropped", "truncated", "chunk cut", "bad chunk", "no http", "two lengths", "endless head"],
)
def test_broken_answers_are_tried_again_and_explained(make: Make, reply: bytes, why: str) -> None:
    """An answer that is not whole is never taken for one."""
    url, close = raw([reply, reply])
    found = failed(make().ask(Ask(url)))
    close()
    assert found.passing
    assert why in found.reason or "broke off" in found.reason


def test_silence_is_a_time_out(make: Make) -> None:
    """A server that says nothing is given up."""
    url, close = raw([b"HTTP/1.1 200 OK\r\n"] * 2, hold=3)
    assert "did not answer in time" in failed(make().ask(Ask(url))).reason
    close()


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"], ids=["head", "body"])
def test_a_byte_now_and_then_does_not_hold_us(make: Make, head: bytes) -> None:
    """The whole answer has its time, however many bytes keep coming."""
    reply = b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500 if not head else head + b"z" * 500
    url, close = raw([reply], drip=0.05)
    began = time.monotonic()
    patience = Patience(attempts=1, read=2, total=0.6)
    found = failed(make(clock=time.monotonic, sleep=time.sleep, patience=patience).ask(Ask(url)))
    close()
    assert time.monotonic() - began < 3
    assert "in time" in found.reason


def test_nobody_there_and_no_such_name(make: Make) -> None:
    """A closed port and an unknown name are told apart from a refusal."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert "cannot be reached" in failed(make().ask(Ask(f"http://127.0.0.1:{port}/"))).reason

    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, f"{host} {port}")

    assert "no server named" in failed(make(resolve=unknown).ask(Ask("http://nowhere.test/"))).reason


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw deflate": lambda data: zlib.compress(data)[2:-4],
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "two members": lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]),
    "gzip, br": lambda data: brotli.compress(gzip.compress(data)),
}


def encoding(name: str) -> str:
    """The header of a way of packing."""
    return {"raw deflate": "deflate", "two members": "gzip"}.get(name, name)


@pytest.mark.parametrize("name", PACKERS)
def test_packed_bodies_are_unpacked(replay: Replay, make: Make, name: str) -> None:
    """All content encodings of the web are undone, in layers too."""
    data = b"comment " * 40_000
    replay.put("/", Served(PACKERS[name](data), headers={"Content-Encoding": encoding(name)}))
    answer = whole(make().ask(Ask(f"{replay.url}/")))
    assert answer.body == data
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("name", PACKERS)
def test_bombs_stop_at_the_cap(replay: Replay, make: Make, name: str) -> None:
    """A body that unpacks beyond the cap is left out, at the cap and not after it, and not asked again."""
    replay.put("/", Served(PACKERS[name](bytes(60_000_000)), headers={"Content-Encoding": encoding(name)}))
    config = CollectConfig(allow_private=True, caps=CapsConfig(bytes=1_000_000))
    found = failed(make(config).ask(Ask(f"{replay.url}/")))
    assert found.capped
    assert "larger than 1,000,000 bytes" in found.reason
    assert len(replay.log) == 1


@pytest.mark.parametrize("name", ["gzip", "br", "deflate"])
def test_packed_bodies_that_end_early_are_noticed(replay: Replay, make: Make, name: str) -> None:
    """A packed body that is cut short is not taken for a whole one, though its length is right."""
    body = PACKERS[name](json.dumps(list(range(9_000))).encode())[:-40]
    replay.put("/", Served(body, headers={"Content-Encoding": name}))
    assert "cannot be unpacked" in failed(make().ask(Ask(f"{replay.url}/"))).reason


def test_unknown_packing_is_explained(replay: Replay, make: Make) -> None:
    """An encoding that nobody knows, or ten of them, is a reason."""
    replay.put("/", Served(b"x", headers={"Content-Encoding": "rot13"}))
    assert "rot13" in failed(make().ask(Ask(f"{replay.url}/"))).reason
    replay.put("/", Served(b"x", headers={"Content-Encoding": ", ".join(["gzip"] * 10)}))
    assert "packed 10 times" in failed(make().ask(Ask(f"{replay.url}/"))).reason


def test_fifty_megabytes_are_the_limit(replay: Replay, make: Make) -> None:
    """A plain body larger than 50 MB is left out, with the setting that allows more."""
    replay.put("/", Served(bytes(50_000_001)))
    found = failed(make(patience=Patience(attempts=1)).ask(Ask(f"{replay.url}/")))
    assert found.capped
    assert "[collect.caps]" in found.reason


# Redirects and addresses


def to(target: str, status: int = 302) -> Served:
    """Redirect."""
    return Served(b"", status, {"Location": target})


def test_redirects_are_followed(replay: Replay, make: Make) -> None:
    """The answer tells where it came from; the key stays that of the request."""
    replay.put("/a", to("b", 301))
    replay.put("/b", to(f"{replay.url}/c", 308))
    replay.put("/c", Served(b"there"))
    ask = Ask(f"{replay.url}/a")
    answer = whole(make().ask(ask))
    assert (answer.body, answer.url, answer.key) == (b"there", f"{replay.url}/c", ask.key)


def test_a_post_is_sent_again_only_where_that_is_meant(replay: Replay, make: Make) -> None:
    """307 and 308 keep method and body; 301, 302 and 303 make a GET of it."""
    for status in (301, 302, 303, 307, 308):
        replay.put("/a", to("/b", status), method="POST")
        make().ask(Ask(f"{replay.url}/a", method="POST", body="{}"))
        last = replay.log[-1]
        assert (last.method, last.body) == (("POST", b"{}") if status > 303 else ("GET", b""))


def test_circles_and_chains_of_redirects_end(replay: Replay, make: Make) -> None:
    """A circle is told as such, and no chain is longer than ten."""
    replay.put("/a", to("/b"))
    replay.put("/b", to("/a"))
    assert "in a circle" in failed(make().ask(Ask(f"{replay.url}/a"))).reason
    for number in range(20):
        replay.put(f"/{number}", to(f"/{number + 1}"))
    assert "more than 10 times" in failed(make().ask(Ask(f"{replay.url}/0"))).reason


INSIDE = [
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://017700000001/",
    "http://127.1/",
    "http://0/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://100.64.0.1/",
    "http://10.0.0.1/",
    "http://inside.test/",
    "http://metadata.test/",
    "http://localhost/",
]
NAMES = {"inside.test": ["127.0.0.1"], "metadata.test": ["169.254.169.254"], "open.test": ["1.1.1.1"]}


@pytest.fixture
def outside(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> Replay:
    """Let the public address 1.1.1.1 be the server on loopback; all other addresses stay what they are."""
    real = socket.create_connection

    def connect(address: tuple[str, int], *rest: Any, **options: Any) -> socket.socket:
        assert address[0] == "1.1.1.1", f"connected to {address}"
        return real(("127.0.0.1", replay.port), *rest, **options)

    monkeypatch.setattr(socket, "create_connection", connect)
    return replay


@pytest.mark.parametrize("target", INSIDE)
def test_nothing_inside_is_asked_directly_or_after_a_redirect(outside: Replay, make: Make, target: str) -> None:
    """Names, IPv6, decimal, octal, hexadecimal and full-width forms of inside addresses are refused at connect."""
    client = make(CollectConfig(rate=1000), resolve=named(NAMES))
    direct = failed(client.ask(Ask(target)))
    assert not direct.passing
    assert any(why in direct.reason for why in ("public internet", "cloud", "no address"))
    outside.put("/", to(target))
    redirected = failed(client.ask(Ask("http://open.test/")))
    assert not redirected.passing
    assert outside.targets == ["/"]


def test_a_name_that_changes_after_the_check_changes_nothing(outside: Replay, make: Make) -> None:
    """The address that was checked is the one connected to: the name is resolved once for a connection."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        del port
        asked.append(host)
        return ["1.1.1.1"] if len(asked) == 1 else ["127.0.0.1"]

    outside.put("/", lambda _, __: Served(b"first", headers={"Connection": "close"}))
    client = make(CollectConfig(rate=1000), resolve=rebinding)
    assert whole(client.ask(Ask("http://open.test/"))).body == b"first"
    assert len(asked) == 1
    assert "leads to 127.0.0.1" in failed(client.ask(Ask("http://open.test/"))).reason
    assert len(outside.log) == 1


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://h.test/", "gopher://h.test/", "data:text/html,x", "javascript:alert(1)"]
)
def test_only_http_is_spoken(replay: Replay, make: Make, target: str) -> None:
    """Other schemes are refused, asked directly or by a redirect."""
    assert "only http and https" in failed(make().ask(Ask(target))).reason
    replay.put("/", to(target))
    assert "only http and https" in failed(make().ask(Ask(f"{replay.url}/"))).reason


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://[::1",
        "http://h.test:99999/",
        "http://h.test/\x00",
        "http://h.test/a\r\nX: y",
        "",
        "h.test",
        "http://" + "a" * 300 + ".test/",
        "http://h.test/" + "a" * 20_000,
        "http://\udcff/",
        "http://a..b/",
        "http://xn--/",
        "http://１２７.０.０.１/",
    ],
)
def test_ill_formed_addresses_are_explained(make: Make, url: str) -> None:
    """No address raises."""
    failed(make(patience=Patience(attempts=1, connect=1)).ask(Ask(url)))


def test_passwords_in_addresses_are_refused(replay: Replay, make: Make) -> None:
    """An address with a password in it is not asked, given or by a redirect."""
    replay.put("/", to(replay.url.replace("//", "//u:p@")))
    found = failed(make().ask(Ask(f"{replay.url}/")))
    assert "password" in found.reason
    assert "u:p" not in found.reason


def test_no_cookie_is_sent_back(replay: Replay, make: Make) -> None:
    """What a server sets is neither sent again nor kept, within redirects too."""
    replay.put("/a", Served(b"", 302, {"Location": "/b", "Set-Cookie": "id=1"}))
    replay.put("/b", Served(b"ok", headers={"Set-Cookie": "id=2"}))
    client = make()
    answers = [whole(client.ask(Ask(f"{replay.url}/a"))) for _ in range(2)]
    assert all("cookie" not in got.headers for got in replay.log)
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_a_wrong_content_type_changes_nothing(replay: Replay, make: Make) -> None:
    """JSON that is called HTML is JSON."""
    replay.put("/", Served(b'{"a": 1}', headers={"Content-Type": "text/html; charset=utf-16"}))
    assert whole(make().ask(Ask(f"{replay.url}/"))).body == b'{"a": 1}'


def test_known_answers_are_asked_for_conditionally(replay: Replay, make: Make) -> None:
    """ETag and Last-Modified go back to the server, which says that nothing changed."""
    replay.put("/", lambda _, got: Served(b"", 304) if got.headers.get("if-none-match") == '"1"' else Served(b"new"))
    known = Answer("", 200, {"etag": '"1"', "last-modified": "Sat, 01 Mar 2025 12:00:00 GMT"}, b"", datetime.now(UTC))
    client = make()
    assert whole(client.ask(Ask(f"{replay.url}/"), known)).status == 304
    assert replay.log[0].headers["if-modified-since"] == "Sat, 01 Mar 2025 12:00:00 GMT"
    assert whole(client.ask(Ask(f"{replay.url}/"))).body == b"new"


# robots.txt


def test_robots_counts_for_pages_alone(replay: Replay, make: Make) -> None:
    """A page that robots.txt closes is an explained stop; what is no page is asked without looking there."""
    replay.put("/robots.txt", Served(b"User-agent: *\nDisallow: /closed\n"))
    replay.put("/closed", Served(b"secret"))
    replay.put("/open", Served(b"hello"))
    client = make()
    assert "robots.txt of 127.0.0.1 does not allow" in failed(client.page(f"{replay.url}/closed")).reason
    assert whole(client.page(f"{replay.url}/open")).body == b"hello"
    assert replay.targets == ["/robots.txt", "/open"]
    assert whole(client.ask(Ask(f"{replay.url}/closed"))).body == b"secret"


def test_robots_counts_after_a_redirect(replay: Replay, make: Make) -> None:
    """A page that redirects to a closed one is closed."""
    replay.put("/robots.txt", Served(b"User-agent: discourse\nDisallow: /closed\n"))
    replay.put("/a", to("/closed"))
    failed(make().page(f"{replay.url}/a"))
    assert "/closed" not in replay.targets


def test_robots_that_cannot_be_read_closes(replay: Replay, make: Make) -> None:
    """RFC 9309: without a robots.txt all is open, while a server that fails to give it is left alone for now."""
    replay.put("/a", Served(b"a"))
    assert whole(make().page(f"{replay.url}/a")).body == b"a"
    replay.put("/robots.txt", Served(b"", 500))
    assert failed(make().page(f"{replay.url}/a")).passing


def test_crawl_delay_is_followed(replay: Replay, make: Make, clock: Clock) -> None:
    """A site that asks for more time between requests gets it."""
    replay.put("/robots.txt", Served(b"User-agent: *\nCrawl-delay: 7\n"))
    client = make(CollectConfig(allow_private=True), resolve=named({"h.test": ["127.0.0.1"]}))
    for path in "ab":
        client.page(f"http://h.test:{replay.port}/{path}")
    assert clock.waits == [1.0, 7.0]


# Keys


KEY = "s3cret/key+of=mine"


@dataclass(frozen=True, slots=True)
class Keyed:
    """A platform's login and the environment that it is for."""

    login: Login

    def client(self, make: Make, **options: Any) -> Client:
        """Make a client of it."""
        platform = Paged(login_with=self.login, login_name="paged")
        return make(platform=platform, environment={"PAGED_KEY": KEY}, **options)


HEADER = Keyed(Login(header="authorization", value=f"Bearer {KEY}"))
QUERY = Keyed(Login(query="key", value=KEY))


def token(replay: Replay) -> Keyed:
    """A login that fetches a token first."""
    ask = Ask(f"{replay.url}/token", method="POST", body="grant=x", media="application/x-www-form-urlencoded")
    return Keyed(Login(ask, "client", KEY, header="authorization", value="Bearer {access_token}"))


def keyed(url: str) -> Ask:
    """A request that needs the key."""
    return Ask(url, login="paged")


def test_keys_reach_the_server_and_nothing_else(replay: Replay, make: Make) -> None:
    """In a header or in the query; the answer's address, headers and body do not show them, repeated or not."""

    def echo(_: Replay, got: Got) -> Served:
        sent = got.headers.get("authorization", got.target)
        return Served(f"you sent {sent}".encode(), headers={"Link": sent, "X-Session-Token": "abc"})

    replay.put("/a", echo)
    replay.put("/a?key=s3cret%2Fkey%2Bof%3Dmine", echo)
    for login in (HEADER, QUERY):
        answer = whole(login.client(make).ask(keyed(f"{replay.url}/a")))
        shown = repr(answer)
        assert "s3cret" not in shown
        assert "you sent" in shown
        assert "x-session-token" not in answer.headers
    assert replay.log[0].headers["authorization"] == f"Bearer {KEY}"
    assert replay.log[1].target == "/a?key=s3cret%2Fkey%2Bof%3Dmine"
    assert "?" not in answer.url


def test_keys_do_not_follow_to_another_server(replay: Replay, make: Make) -> None:
    """A redirect to another host or port gets no key, neither as a header nor as a query."""
    with replaying() as other:
        for login in (HEADER, QUERY):
            replay.answers.clear()
            replay.put("/a", to(f"{other.url}/b"))
            replay.put("/a?key=s3cret%2Fkey%2Bof%3Dmine", to(f"{other.url}/b"))
            login.client(make).ask(keyed(f"{replay.url}/a"))
        assert [got.target for got in other.log] == ["/b", "/b"]
        assert all("authorization" not in got.headers for got in other.log)


def test_keys_follow_on_the_same_server(replay: Replay, make: Make) -> None:
    """A redirect within one server keeps the login."""
    replay.put("/a", to("/b"))
    replay.put("/b", lambda _, got: Served(b"", 200 if "authorization" in got.headers else 401))
    assert whole(HEADER.client(make).ask(keyed(f"{replay.url}/a"))).status == 200


def test_keys_are_not_sent_in_the_open(make: Make) -> None:
    """Over http they are sent only where the user allows private addresses."""
    client = HEADER.client(make, config=CollectConfig())
    assert "over https" in failed(client.ask(keyed("http://h.test/"))).reason


def test_a_missing_key_is_named(replay: Replay, make: Make) -> None:
    """The message says which variable to set."""
    client = make(platform=Paged(login_name="paged"), environment={})
    assert "set PAGED_KEY in the environment" in failed(client.ask(keyed(f"{replay.url}/a"))).reason


def test_a_token_is_fetched_once_and_again_when_it_ran_out(replay: Replay, make: Make) -> None:
    """The token is fetched when it is needed; after a 401 one more is fetched, once."""
    given: list[str] = []

    def fetch(_: Replay, got: Got) -> Served:
        assert got.headers["authorization"].startswith("Basic ")
        given.append(f"token-number-{len(given)}")
        return Served(json.dumps({"access_token": given[-1]}).encode())

    def guarded(_: Replay, got: Got) -> Served:
        good = got.headers.get("authorization") == f"Bearer {given[-1]}" and len(given) != 1
        return Served(got.headers.get("authorization", "").encode(), 200 if good else 401)

    replay.put("/token", fetch, method="POST")
    replay.put("/a", guarded)
    client = token(replay).client(make)
    answer = whole(client.ask(keyed(f"{replay.url}/a")))
    assert answer.status == 200
    assert b"token-number" not in answer.body
    whole(client.ask(keyed(f"{replay.url}/a")))
    assert len(given) == 2
    replay.put("/a", Served(b"", 401))
    assert whole(client.ask(keyed(f"{replay.url}/a"))).status == 401
    assert len(given) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 200])
def test_refused_keys_are_explained_without_them(replay: Replay, make: Make, status: int) -> None:
    """The message names the variable and the refusal, and not the key."""
    replay.put("/token", Served(f'{{"error": "bad {KEY}"}}'.encode(), status), method="POST")
    found = failed(token(replay).client(make).ask(keyed(f"{replay.url}/a")))
    assert "refuses the keys in PAGED_KEY" in found.reason
    assert "s3cret" not in found.reason


def test_the_log_holds_no_key(replay: Replay, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Even where everything is logged, addresses with keys are not."""
    with caplog.at_level(logging.DEBUG):
        QUERY.client(make).ask(keyed(f"{replay.url}/a"))
        HEADER.client(make).ask(keyed(f"{replay.url}/a"))
    assert "s3cret" not in caplog.text


def test_recorded_answers_are_replayed_under_their_own_addresses(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replay server stands for every host over https, and tells requests apart by their body."""
    asks = [Ask("https://h.test/a?x=1&y=2"), Ask("https://api.test/q", method="POST", body="1"), Ask("https://h.test/")]
    asks.append(replace(asks[1], body="2"))
    at = datetime.now(UTC)
    with replaying(Answer(ask.url, 200, {}, ask.key.encode(), at, ask.key) for ask in asks) as server:
        whole_world(monkeypatch, server)
        client = make(CollectConfig(rate=1000))
        assert [whole(client.ask(ask)).body.decode() for ask in asks] == [ask.key for ask in asks]
