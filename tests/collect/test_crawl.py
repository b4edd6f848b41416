"""A collection asks for what it lacks, stops at its limits with a reason, and goes on where it stopped."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.servers.clocks import Clock
from tests.servers.paged import Paged, fill, page
from tests.servers.replay import Got, Replay, Served, named, replaying

from discourse.collect.archive import read_archive
from discourse.collect.crawl import BARREN, READ_ATTEMPTS, CrawlOutcome, Progress, crawl
from discourse.collect.manners import Patience
from discourse.collect.sources.platform import Login
from discourse.config import CapsConfig, CollectConfig
from discourse.errors import InputError

PRIVATE = CollectConfig(allow_private=True)


@pytest.fixture
def replay() -> Iterator[Replay]:
    """A server that knows nothing yet."""
    with replaying() as server:
        yield server


Collect = Callable[..., CrawlOutcome]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Where the answers go."""
    return tmp_path / "ws" / "raw" / "t.warc.gz"


@pytest.fixture
def collect(archive: Path) -> Collect:
    """Collect an address into `archive`, with waits that take no time."""

    def collected(
        url: str, platform: Paged | None = None, config: CollectConfig = PRIVATE, **more: Any
    ) -> CrawlOutcome:
        clock = Clock()
        given = {"environment": {}, "clock": clock, "sleep": clock.sleep, "patience": Patience(attempts=2, read=2)}
        return crawl(archive, url, platform or Paged(), config, **{**given, **more})

    return collected


def ids(path: Path) -> set[str]:
    """The ids of all comments in an archive; of several answers to one request the last counts."""
    found: set[str] = set()
    for answer in {answer.key: answer for answer in read_archive(path).answers}.values():
        if answer.ok:
            found |= {comment.native_id or "" for comment in Paged().read(answer).comments}
    return found


def test_all_pages_are_collected(replay: Replay, collect: Collect, archive: Path) -> None:
    """Each page is asked once, and the round is finished."""
    outcome = collect(fill(replay, 12))
    assert (outcome.finished, outcome.requests, outcome.unanswered) == (True, 12, {})
    assert replay.targets == [f"/t?page={number}" for number in range(1, 13)]
    assert ids(archive) == {str(number) for number in range(1, 121)}
    assert read_archive(archive).finished


def test_progress_is_told(replay: Replay, collect: Collect) -> None:
    """The line tells requests, comments, what the platform declares, waits and the time left."""
    told: list[Progress] = []
    collect(fill(replay, 3), report=told.append)
    assert [(one.requests, one.comments, one.declared) for one in told][-1] == (3, 30, 30)
    assert str(replace(told[1], waiting=7.4, left=125)) == "2 requests, 20 of 30 comments, waiting 7 s, 2:05 left"


def test_a_foreign_address_is_refused(collect: Collect, archive: Path) -> None:
    """An address that is not the platform's, or that holds a password, is an input error; nothing is written."""
    with pytest.raises(InputError, match="no address of Paged"):
        collect("ftp://h.test/")
    with pytest.raises(InputError, match="without"):
        collect("http://user:secret@h.test/t?page=1")
    assert not archive.exists()


def test_ctrl_c_ends_cleanly_and_the_next_run_goes_on(replay: Replay, collect: Collect, archive: Path) -> None:
    """The message says what to type; the next run asks for the rest alone."""
    url = fill(replay, 8)

    def stop(progress: Progress) -> None:
        if progress.requests == 3:
            raise KeyboardInterrupt

    outcome = collect(url, report=stop)
    assert (outcome.interrupted, outcome.finished) == (True, False)
    assert outcome.note.startswith(
        "stopped by Ctrl-C after 3 requests, 30 comments; to go on, type: discourse collect "
    )
    assert outcome.note.endswith(f"'{url}' -o {archive.parents[1]}")
    contents = read_archive(archive)
    assert not contents.finished
    assert [one.why for one in contents.unanswered.values()] == ["the collection was interrupted"]
    del replay.log[:]
    outcome = collect(url)
    assert (outcome.finished, outcome.requests, outcome.answered_before) == (True, 5, 3)
    assert replay.targets == [f"/t?page={number}" for number in range(4, 9)]
    assert len(read_archive(archive).rounds) == 1


def test_a_finished_collection_is_renewed(replay: Replay, collect: Collect, archive: Path) -> None:
    """The next round asks anew; what the server calls unchanged has its earlier body and the new time."""
    url = fill(replay, 3)
    for number in (1, 2, 3):
        served = replay.answers[f"GET /t?page={number}"]
        assert isinstance(served, Served)

        def conditional(_: Replay, got: Got, served: Served = served) -> Served:
            known = got.headers.get("if-none-match") == '"x"'
            return Served(b"", 304) if known else replace(served, headers={"ETag": '"x"'})

        replay.put(f"/t?page={number}", conditional)
    collect(url)
    outcome = collect(url)
    assert (outcome.finished, outcome.requests, outcome.answered_before) == (True, 3, 0)
    contents = read_archive(archive)
    first, second = contents.answers[:3], contents.round
    assert [one.body for one in first] == [one.body for one in second]
    assert all(one.at < other.at for one, other in zip(first, second, strict=True))
    assert sum(b"WARC-Type: revisit" in one for one in [gzip.decompress(archive.read_bytes())]) == 1


def test_what_failed_for_now_is_asked_by_the_next_run(replay: Replay, collect: Collect, archive: Path) -> None:
    """A server that was full is said to be; the next run asks that page alone, and what follows from it."""
    url = fill(replay, 4)
    good = replay.answers["GET /t?page=3"]
    replay.put("/t?page=3", Served(b"full", 503))
    outcome = collect(url)
    assert not outcome.finished
    (lost,) = outcome.unanswered.values()
    assert (lost.why, lost.passing, lost.expects) == ("the server answers 503 Service Unavailable", True, 20)
    assert "to ask for these again, type: discourse collect" in outcome.note
    replay.answers["GET /t?page=3"] = good
    del replay.log[:]
    assert collect(url).finished
    assert replay.targets == ["/t?page=3", "/t?page=4"]
    assert len(ids(archive)) == 40


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_refusals_are_kept_and_not_asked_again(replay: Replay, collect: Collect, archive: Path, status: int) -> None:
    """A refusal is an answer, is told, and ends the round."""
    url = fill(replay, 4)
    replay.put("/t?page=3", Served(b"no", status))
    outcome = collect(url)
    assert outcome.finished
    (lost,) = outcome.unanswered.values()
    assert str(status) in lost.why
    assert [answer.status for answer in read_archive(archive).answers] == [200, 200, status]


@pytest.mark.parametrize(
    "body",
    [b"<html>login</html>", b'{"comments": [{"id"', b"[" * 100_000, b'{"comments":' * 100_000, b"\xff\xfe\x00", b""],
    ids=["another kind", "cut short", "deep list", "deep object", "no text", "empty"],
)
def test_unreadable_answers_are_asked_again_and_kept(
    replay: Replay, collect: Collect, archive: Path, body: bytes
) -> None:
    """An answer that cannot be read is asked for a few times; all are kept, the reason is told, and nothing crashes."""
    url = fill(replay, 4)
    replay.put("/t?page=3", Served(body))
    outcome = collect(url)
    (lost,) = outcome.unanswered.values()
    assert lost.why.startswith("the answer cannot be read")
    assert [answer.body for answer in read_archive(archive).answers[2:]] == [body] * READ_ATTEMPTS
    assert outcome.finished


def test_a_second_try_that_can_be_read_counts(replay: Replay, collect: Collect, archive: Path) -> None:
    """A page that was cut short once is whole in the end."""
    url = fill(replay, 4)
    good = replay.answers["GET /t?page=2"]
    assert isinstance(good, Served)
    replay.put("/t?page=2", lambda server, _: Served(b"{") if len(server.log) < 3 else good)
    outcome = collect(url)
    assert (outcome.finished, outcome.unanswered) == (True, {})
    assert len(ids(archive)) == 40


def endless(replay: Replay, comments: Callable[[int], list[dict[str, object]]]) -> str:
    """A thread that always names one more page."""

    class Pages(dict[str, Any]):
        def __contains__(self, name: object) -> bool:
            return "/t?page=" in str(name)

        def __getitem__(self, name: str) -> Any:
            number = int(name.rpartition("=")[2])
            return Served(json.dumps({"comments": comments(number), "next": number + 1}).encode())

    replay.answers = Pages()
    return f"{replay.url}/t?page=1"


def test_pages_that_bring_nothing_new_end(replay: Replay, collect: Collect) -> None:
    """A server that gives the same comments on page after page is left, with the reason."""
    outcome = collect(endless(replay, lambda _: [{"id": 1, "text": "again"}]))
    assert outcome.requests == BARREN + 1
    (lost,) = outcome.unanswered.values()
    assert lost.capped
    assert lost.why == f"{BARREN} answers in a row brought nothing new"


def test_pages_that_never_end_stop_at_the_cap(replay: Replay, collect: Collect) -> None:
    """A server that makes up new comments for ever is left at the cap of comments, with the setting that raises it."""
    config = CollectConfig(allow_private=True, caps=CapsConfig(comments=50))
    outcome = collect(endless(replay, lambda n: [{"id": n * 10 + i, "text": "x"} for i in range(10)]), config=config)
    assert outcome.requests == 5
    (lost,) = outcome.unanswered.values()
    assert (lost.capped, lost.why) == (True, "the cap of 50 comments is reached (comments under [collect.caps])")
    assert outcome.finished


def test_replies_deeper_than_the_cap_are_not_followed(replay: Replay, collect: Collect) -> None:
    """A chain of replies of which each page brings one deeper is left at the cap of depth."""
    config = CollectConfig(allow_private=True, caps=CapsConfig(depth=20))
    outcome = collect(endless(replay, lambda n: [{"id": n, "parent": n - 1 or None, "text": "x"}]), config=config)
    assert outcome.requests == 21
    assert "deeper than 20 levels" in next(iter(outcome.unanswered.values())).why


def test_the_cap_of_time_is_kept(replay: Replay, collect: Collect) -> None:
    """A collection that takes too long stops and can be gone on with."""
    config = CollectConfig(allow_private=True, rate=1, caps=CapsConfig(seconds=5))
    url = fill(replay, 20).replace("127.0.0.1", "h.test")
    outcome = collect(url, config=config, resolve=named({"h.test": ["127.0.0.1"]}))
    assert outcome.requests == 6
    assert not outcome.finished
    assert "cap of 5 seconds" in next(iter(outcome.unanswered.values())).why


def test_a_page_that_names_itself_ends(replay: Replay, collect: Collect) -> None:
    """One request is asked once, however often it is named."""
    body = page(1, 1) | {"next": 1}
    replay.put("/t?page=1", Served(json.dumps(body).encode()))
    outcome = collect(f"{replay.url}/t?page=1")
    assert (outcome.requests, outcome.finished) == (1, True)


def test_a_server_that_fails_is_left_alone(replay: Replay, collect: Collect) -> None:
    """After three requests in a row that fail for now the others are left for a later run."""

    class Many(Paged):
        def start(self, url: str) -> Any:
            return tuple(self._ask(f"{url}{number}", 5) for number in range(20))

    for number in range(20):
        replay.put(f"/t?page={number}", Served(b"", 500))
    outcome = collect(f"{replay.url}/t?page=", Many(), patience=Patience(attempts=1))
    assert outcome.requests == 3
    assert not outcome.finished
    assert len(outcome.unanswered) == 20
    assert sum("stopped answering" in one.why for one in outcome.unanswered.values()) == 17


def test_a_comment_of_fifty_megabytes_is_left_out(replay: Replay, collect: Collect) -> None:
    """One page that is too large is said to be capped; the rest is collected."""
    url = fill(replay, 3)
    huge = {"comments": [{"id": 1, "text": "x" * 50_000_000}], "next": 2}
    replay.put("/t?page=1", Served(gzip.compress(json.dumps(huge).encode(), 1), headers={"Content-Encoding": "gzip"}))
    outcome = collect(url, patience=Patience(attempts=1, total=60))
    (lost,) = outcome.unanswered.values()
    assert lost.capped
    assert "larger than 50,000,000 bytes" in lost.why


def test_no_key_is_kept(replay: Replay, collect: Collect, archive: Path) -> None:
    """The archive and the outcome hold no key, though the server repeats it in each answer."""
    secret = "s3cret-key-of-mine"  # noqa: S105 - a key made up here

    def echo(_: Replay, got: Got) -> Served:
        body = page(1, 2) | {"you": got.target}
        return Served(json.dumps(body).encode(), headers={"Link": f"<{got.target}>"})

    replay.put(f"/t?page=1&key={secret}", echo)
    replay.put(f"/t?page=2&key={secret}", Served(f"{secret} is wrong".encode(), 403))
    platform = Paged(login_with=Login(query="key", value=secret), login_name="paged")
    outcome = collect(f"{replay.url}/t?page=1", platform, environment={"PAGED_KEY": secret})
    assert outcome.requests == 2
    assert secret.encode() not in gzip.decompress(archive.read_bytes())
    assert secret not in repr(outcome)


def test_robots_is_an_explained_stop(replay: Replay, collect: Collect) -> None:
    """A page for people that robots.txt closes is not asked, and said to be."""
    url = fill(replay, 2)
    replay.put("/robots.txt", Served(b"User-agent: *\nDisallow: /"))
    outcome = collect(url, Paged(page=True))
    assert "robots.txt of 127.0.0.1 does not allow this page" in outcome.note
    assert replay.targets == ["/robots.txt"]
