"""Each platform collected over HTTP from a server that gives its answers: the same tables as from the answers alone."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from tests.collect.test_contract import FORMS
from tests.collect.trees import BEGAN, Node, Tree
from tests.servers.clocks import Clock
from tests.servers.replay import Served, replaying, whole_world

from discourse.collect.answers import Answer
from discourse.collect.archive import read_archive
from discourse.collect.crawl import crawl
from discourse.collect.harvest import Collected, harvest
from discourse.collect.sources.platform import Platform
from discourse.collect.sources.platforms import platform_of_address, platforms
from discourse.config import CollectConfig
from discourse.tables import State

_UNORDERED = ("file", "offset", "location", "first_seen", "last_seen")


def planted(depth: int | None) -> Tree:
    """A thread of 40 comments, some of them gone, drawn with a fixed seed."""
    chance = random.Random(7)
    nodes: list[Node] = []
    levels: dict[int, int] = {}
    for number in range(1, 41):
        open_to = [node.number for node in nodes if depth is None or levels[node.number] < depth]
        parent = chance.choice(open_to) if open_to and chance.random() < 0.7 else None
        levels[number] = 0 if parent is None else levels[parent] + 1
        state = State.DELETED if number % 11 == 0 else State.VISIBLE
        nodes.append(Node(number, parent, f'{number} lamp posts <b> & "cameras"', "ada", state, number % 5))
    return Tree("A thread about lamp posts", "The council wants lamps with cameras.", tuple(nodes))


def keyed(answer: Answer, platform: Platform, keys: dict[str, str]) -> str:
    """Return the request as the server gets it: with the key in its address, where the platform wants it there."""
    login = platform.login(keys)
    method, url, *body = answer.key.split(" ")
    if login is not None and login.query:
        url += f"{'&' if '?' in url else '?'}{login.query}={login.value}"
    return " ".join([method, url, *body])


@pytest.mark.parametrize("name", [name for name in FORMS if import_module(f"tests.collect.forms.{name}").ADDRESS])
def test_a_live_collection_equals_its_answers(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is collected over HTTP is what the answers hold, asked for once each; a second round changes nothing."""
    form = import_module(f"tests.collect.forms.{name}")
    keys = dict.fromkeys(("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET", "YOUTUBE_API_KEY", "DISQUS_API_KEY"), "k" * 20)
    for variable, value in keys.items():
        monkeypatch.setenv(variable, value)
    answers = form.answers(planted(getattr(form, "DEPTH", None)), page_size=6)
    platform = platform_of_address(form.ADDRESS, platforms())
    clean = harvest(platform, answers, Collected("file", BEGAN, "unnamed", {}))
    clock = Clock()
    path = tmp_path / "live.warc.gz"
    with replaying() as server:
        for answer in answers:
            server.record(replace(answer, key=keyed(answer, platform, keys)))
        token = json.dumps({"access_token": "t" * 20, "token_type": "bearer", "expires_in": 3600}).encode()
        server.put("/api/v1/access_token", Served(token, 200, {"content-type": "application/json"}), method="POST")
        whole_world(monkeypatch, server)
        config = CollectConfig(allow_private=True, rate=1_000)
        outcome = crawl(path, form.ADDRESS, platform, config, environment=keys, clock=clock, sleep=clock.sleep)
        first = len(server.targets)
        again = crawl(path, form.ADDRESS, platform, config, environment=keys, clock=clock, sleep=clock.sleep)
    assert outcome.finished
    assert again.finished
    assert first <= 3 * len(answers) + 3
    assert b"k" * 20 not in path.read_bytes()
    contents = read_archive(path)
    for answer in contents.answers:
        assert "k" * 20 not in answer.url
    how = Collected("file", BEGAN + timedelta(days=1), "unnamed", contents.unanswered, contents.rounds[-1].began)
    live = harvest(platform, contents.answers, how)
    assert live.comments.drop(_UNORDERED).equals(clean.comments.drop(_UNORDERED))
