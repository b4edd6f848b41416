"""The external coder from the command line: what it sends, costs, keeps and tells."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.servers.coder import Answer, CoderServer, Sent, coder_server, completion, in_turn, well

from discourse.tables import ANSWERS, ESTIMATES, FRAMES, STANCES, VOTES
from discourse.workspace import Workspace

Command = Callable[..., Any]
KEY = "sk-a-key-that-nobody-may-see"
LINES = (
    "They watch us through every lamp on the quay.",
    "I love the night ferry, whatever they say.",
    "The bakery opens at six in the morning now.",
    "Who watches the people who watch the cameras?",
    "My aunt never took the boat in her life.",
    "The council meets again on Tuesday evening.",
    "Rain all week, and the market stays closed.",
    "They read every ticket that we buy, I think.",
    "The new bridge is wide and rather ugly.",
    "Nobody asked the fishermen about any of it.",
)
ASK = ("--tagger", "openai-compatible", "--judge-model", "tiny")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Generator[CoderServer]:
    """A server that answers well until it is told otherwise, named in the environment."""
    with coder_server() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield running


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    """Ten comments that differ, the second last answering the first."""
    rows = [{"id": f"c{place}", "thread_id": "quay", "text": text} for place, text in enumerate(LINES)]
    rows[8]["parent_id"] = "c0"
    file = tmp_path / "ten.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_ten_comments_cost_ten_requests_a_run_and_nothing_the_second_time(
    server: CoderServer, ten: Path, discourse: Command, tmp_path: Path
) -> None:
    ws = tmp_path / "ws"
    said = discourse("run", ten, "--target", "the night ferry", *ASK, "-o", ws, "--json")
    assert said.code == 0, said.err
    assert len(server.sent) == 30
    assert "10 comments × 3 runs, 30 requests still to send" in said.err
    assert "no price is known" in said.err
    tags = Workspace(ws).read(FRAMES).filter(tier="judge")
    assert set(tags["path"]) == {"judge"}
    assert set(tags["bundle"]) == {Workspace(ws).read(VOTES)["coder"][0]}
    yes = tags.filter(decision="yes", frame="fear_of_surveillance")
    assert set(yes["comment_id"]) == {"file:c0", "file:c3"}
    assert yes.select("evidence_start", "evidence_end").rows() == [(5, 10), (4, 9)]
    sided = Workspace(ws).read(STANCES).filter(tier="judge", stance="favor")
    assert sided.select("comment_id", "p_favor", "evidence_start").rows() == [("file:c1", 1.0, 2)]
    counts = {stage["name"]: stage["counts"] for stage in said.json["stages"]}["tag"]
    assert (counts["judge_answers"], counts["judge_sent"], counts["judge_invalid"]) == (30, 30, 0)
    whole = Workspace(ws).read(ESTIMATES)
    fear = whole.filter(unit="all", level="frame:fear_of_surveillance", variant="main", measure="count")
    assert fear.filter(pl.col("group_by").is_null())["estimate"].to_list() == [2.0]
    again = discourse("run", ten, "--target", "the night ferry", *ASK, "-o", ws, "--json")
    assert [stage["status"] for stage in again.json["stages"]] == ["skip"] * 6
    other = discourse("tag", ws, "--set", "topics.random_seeds=[5]", "--json")
    assert {stage["name"]: stage["status"] for stage in other.json["stages"]}["tag"] == "run"
    assert len(server.sent) == 30
    parent = next(sent for sent in server.sent if sent.comment == LINES[8])
    assert parent.part("parent") == LINES[0]
    everything = b"".join(path.read_bytes() for path in ws.rglob("*") if path.is_file())
    assert KEY.encode() not in everything
    assert KEY not in said.out + said.err + again.out + again.err


def test_invalid_answers_show_in_receipt_json_and_report(
    server: CoderServer, ten: Path, discourse: Command, tmp_path: Path
) -> None:
    server.script = in_turn(completion("no JSON at all"), completion(None, refusal="never"), completion("again not"))
    said = discourse("run", ten, *ASK, "-o", tmp_path / "ws", "--json")
    assert said.code == 0, said.err
    counts = {stage["name"]: stage["counts"] for stage in said.json["stages"]}["tag"]
    assert counts["judge_invalid:no_json"] == 2
    assert counts["judge_invalid:refusal"] == 1
    assert Workspace(tmp_path / "ws").receipt().stages["tag"].counts == counts
    told = dict(Workspace(tmp_path / "ws").read(ANSWERS).select("outcome", "answers").iter_rows())
    assert told == {"valid": 30, "no_json": 2, "refusal": 1}
    assert "3 of them invalid (2 no_json, 1 refusal)" in said.err


def test_a_dry_run_says_what_would_be_sent(server: CoderServer, ten: Path, discourse: Command, tmp_path: Path) -> None:
    assert discourse("collect", ten, "-o", tmp_path / "ws").code == 0
    assert discourse("normalize", tmp_path / "ws").code == 0
    prices = ("--set", "judge.price_in=0.5", "--set", "judge.price_out=2")
    said = discourse("tag", tmp_path / "ws", *ASK, *prices, "--dry-run")
    assert "10 comments × 3 runs, 30 requests" in said.out
    assert "in the currency of your prices" in said.out
    assert server.sent == []


def test_above_a_limit_nothing_is_sent_without_yes(
    server: CoderServer, ten: Path, discourse: Command, tmp_path: Path
) -> None:
    limit = ("--set", "judge.max_requests=29")
    said = discourse("run", ten, *ASK, *limit, "-o", tmp_path / "ws")
    assert said.code == 2
    assert "30 requests" in said.error
    assert "add --yes" in said.error
    assert server.sent == []
    assert discourse("run", ten, *ASK, *limit, "--yes", "-o", tmp_path / "ws").code == 0
    assert len(server.sent) == 30


REFUSED: dict[str, tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]] = {
    "no model": ({}, ("--tagger", "openai-compatible"), ("[judge] model",)),
    "no address": ({"OPENAI_BASE_URL": ""}, ASK, ("OPENAI_BASE_URL", "http://127.0.0.1:8080/v1")),
    "no http": ({"OPENAI_BASE_URL": "ftp://127.0.0.1/v1"}, ASK, ("OPENAI_BASE_URL", "http")),
    "a key in the address": ({"OPENAI_BASE_URL": "http://me:secret@127.0.0.1/v1"}, ASK, ("OPENAI_API_KEY",)),
    "unencrypted": ({"OPENAI_BASE_URL": "http://93.184.215.14/v1"}, ASK, ("unencrypted", "https")),
    "a key of two lines": ({"OPENAI_API_KEY": "a secret\nkey"}, ASK, ("OPENAI_API_KEY",)),
    "unknown": ({}, ("--tagger", "gpt"), ("tagger", "openai-compatible")),
    "no runs": ({}, (*ASK, "--judge-runs", "0"), ("judge.runs",)),
    "own fields": ({}, (*ASK, "--set", "judge.body={stream = true}"), ("judge.body", "stream")),
}


@pytest.mark.parametrize(("environment", "arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_asked_is_refused_in_one_sentence(
    environment: dict[str, str],
    arguments: tuple[str, ...],
    words: tuple[str, ...],
    server: CoderServer,
    ten: Path,
    discourse: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    said = discourse("run", ten, *arguments, "-o", tmp_path / "ws", "--json")
    assert (said.code, said.out) == (2, ""), said.err
    assert all(word in said.error for word in words), said.error
    assert "secret" not in said.error
    assert server.sent == []


def test_a_table_is_not_sent_anywhere(ten: Path, discourse: Command, tmp_path: Path) -> None:
    said = discourse("tag", ten, "--text-column", "text", "-o", tmp_path / "out.csv", *ASK)
    assert said.code == 2
    assert "discourse run" in said.error


def test_a_killed_run_asks_only_for_what_is_missing(
    server: CoderServer, ten: Path, discourse: Command, tmp_path: Path
) -> None:
    server.script = lambda sent: Answer(body=well(sent).body, wait=0.05 if sent.number < 12 else 30.0)
    arguments = ["run", str(ten), *ASK, "-o", str(tmp_path / "ws")]
    command = [sys.executable, "-c", "from discourse.cli import main; main()", *arguments]
    first = subprocess.Popen(command, stderr=subprocess.PIPE)
    end = time.monotonic() + 120
    while len(server.sent) < 16 and time.monotonic() < end:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    kept = (tmp_path / "ws" / "judge" / "answers.jsonl").read_text().count("\n")
    assert kept == 12
    before = len(server.sent)
    server.script = well
    done = discourse(*arguments)
    assert done.code == 0, done.err
    assert len(server.sent) - before == 30 - kept
    asked = {(sent.comment, sent.body["seed"]) for sent in server.sent}
    assert len(asked) == 30


def test_a_codebook_of_ones_own_needs_no_bundle(
    server: CoderServer, ten: Path, discourse: Command, tmp_path: Path
) -> None:
    book = tmp_path / "own.toml"
    book.write_text(
        'name = "own"\nversion = 1\nunit = "one comment"\n[[frames]]\nname = "weather"\ntitle = "Weather"\n'
        'definition = "Speaks of the weather."\nyes = ["rain"]\nno = ["anything else"]\n',
        encoding="utf-8",
    )

    def rain(sent: Sent) -> Answer:
        yes = "Rain" in sent.comment
        cell = {"answer": "yes" if yes else "no", "evidence": "Rain" if yes else ""}
        return completion(json.dumps({"id": sent.mark, "frames": {"weather": cell}}))

    server.script = rain
    said = discourse("run", ten, "--codebook", book, *ASK, "-o", tmp_path / "ws", "--json")
    assert said.code == 0, said.err
    tags = Workspace(tmp_path / "ws").read(FRAMES)
    assert tags.filter(decision="yes")["comment_id"].to_list() == ["file:c6"]
    assert "replies are not compared by frames" in said.err
    page = (tmp_path / "ws" / "report.html").read_text(encoding="utf-8")
    assert "Weather" in page
