"""Answers that somebody saved: HAR, cassettes, and what is none."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.collect.forms import discourse_forum as form
from tests.collect.trees import Node, Tree

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.rawfile import RawFile
from discourse.collect.saved import saved_answers
from discourse.collect.sources import recognise
from discourse.collect.sources.platforms import platforms
from discourse.config import InputConfig
from discourse.errors import InputError
from discourse.tables import State

AT = datetime(2026, 1, 1, tzinfo=UTC)
TREE = Tree(
    "A thread", "Lamps?", tuple(Node(n, n - 1 or None, f"{n} lamps", "ada", State.VISIBLE, 1) for n in range(1, 8))
)
ANSWERS = form.answers(TREE, page_size=3)


def har(*, encoded: bool) -> bytes:
    """Return the answers as a browser saves them."""
    entries = [
        {
            "startedDateTime": "2025-03-01T12:00:00Z",
            "request": {"method": "GET", "url": one.url},
            "response": {
                "status": one.status,
                "headers": [{"name": "Content-Type", "value": "application/json"}],
                "content": {
                    "mimeType": "application/json",
                    **(
                        {"text": base64.b64encode(one.body).decode(), "encoding": "base64"}
                        if encoded
                        else {"text": one.body.decode()}
                    ),
                },
            },
        }
        for one in ANSWERS
    ]
    return json.dumps({"log": {"version": "1.2", "entries": entries}}).encode()


def cassette(body: Any) -> bytes:
    """Return the answers as a test's cassette keeps them."""
    exchanges = [
        {
            "request": {"method": "GET", "uri": one.url, "body": None},
            "response": {
                "status": {"code": 200},
                "headers": {"Content-Type": ["application/json"], "Content-Encoding": ["gzip"]},
                "body": body(one),
            },
        }
        for one in ANSWERS
    ]
    return json.dumps({"interactions": exchanges}).encode()


def packed(one: Answer) -> dict[str, str]:
    """Return a body as Betamax writes it."""
    return {"base64_string": base64.b64encode(gzip.compress(one.body)).decode(), "encoding": "utf-8"}


FILES = {
    "har": har(encoded=False),
    "har-base64": har(encoded=True),
    "cassette": cassette(lambda one: {"string": one.body.decode()}),
    "cassette-gzip": cassette(packed),
}


@pytest.mark.parametrize("name", FILES)
def test_saved_answers_become_the_thread(name: str) -> None:
    """A thread that was saved in several answers is whole again, and no request is missing."""
    raw = RawFile(f"{name}.json", FILES[name])
    parsed = recognise(raw, InputConfig(), platforms()).parse(raw, InputConfig(), AT)
    thread = parsed.threads.row(0, named=True)
    assert (parsed.threads.height, thread["declared"], thread["unreachable"], thread["reason"]) == (1, 7, 0, None)
    assert parsed.comments.height == 8


def test_a_saved_part_says_what_it_lacks() -> None:
    """The first answer alone counts the posts that it only names."""
    raw = RawFile("a.json", ANSWERS[0].body)
    parsed = recognise(raw, InputConfig(), platforms()).parse(raw, InputConfig(), AT)
    thread = parsed.threads.row(0, named=True)
    assert thread["unreachable"] == thread["declared"] - (parsed.comments.height - 1) > 0
    assert thread["reason"]


@pytest.mark.parametrize(
    "data",
    [
        b'interactions: !!python/object/apply:os.system ["touch pwned"]\n',
        b'{"log": {"entries": [{"request": {"url": "https://h.test/"}, "response": {"content": {"text": "x"}}}]}}',
        b'{"error": "Forbidden", "message": "you cannot read this"}',
    ],
)
def test_what_is_of_no_platform_is_told(data: bytes) -> None:
    """A file without a platform's answers gives one reason, executes nothing and makes no comment of a message."""
    raw = RawFile("saved.body", data)
    with pytest.raises(InputError):
        recognise(raw, InputConfig(), platforms()).parse(raw, InputConfig(), AT)


def test_a_body_that_is_no_base64_is_refused_by_name() -> None:
    """A damaged part is named, and the others are kept."""
    loaded = json.loads(FILES["har-base64"])
    loaded["log"]["entries"][0]["response"]["content"]["text"] = "é!"
    refused: list[str] = []

    def refuse(place: str, error: UnreadableAnswerError) -> None:
        refused.append(f"{place}: {error.reason}")

    found = saved_answers(RawFile("a.har", json.dumps(loaded).encode()), AT, refuse)
    assert len(found) == len(ANSWERS) - 1
    assert refused == ["entry 1: malformed"]
