"""A sample labelled by the external coder: estimates, reports, training and people's labels beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.servers.coder import Answer, CoderServer, Sent, coded, coder_server, completion, well

from discourse.config import Config, override
from discourse.pipeline import run
from discourse.tables import ESTIMATES, LABELS, SAMPLES, TOPIC_INFO, TOPIC_NAMES, VOTES
from discourse.workspace import Workspace

Command = Callable[..., Any]
FEAR = "fear_of_surveillance"
WHO = ("the night ferry", "that bicycle lane", "the fish market", "our library", "the new bridge", "the old quay")
WHAT = (
    "They watch us at {}, and it scares me.",
    "I like {} well enough on a Sunday.",
    "Nobody told us what {} would cost in the end.",
    "My aunt has not been to {} for years now.",
    "Somebody should paint {} before the winter.",
    "Cameras watch every step around {} these days.",
    "The band played near {} until eleven at night.",
    "Rain again, so {} stayed empty all week.",
    "You can reach {} by bus from the market square.",
    "The council talked about {} for two whole hours.",
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Generator[CoderServer]:
    """A server that answers well, named in the environment."""
    with coder_server() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of sixty comments that differ, by fifteen authors, tagged by the bundle."""
    rows = [
        {"id": f"c{place}", "thread_id": "quay", "author": f"p{place % 15}", "text": what.format(who)}
        for place, (what, who) in enumerate((what, who) for who in WHO for what in WHAT)
    ]
    file = tmp_path_factory.mktemp("judge") / "sixty.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    run(override(Config(), {"input.sources": [str(file)], "topics.random_seeds": [0]}), file.parent / "ws")
    return file.parent / "ws"


@pytest.fixture
def workspace(tagged: Path, tmp_path: Path) -> Path:
    """A copy of it to work in."""
    return Path(shutil.copytree(tagged, tmp_path / "ws"))


ASK = ("--judge-model", "tiny")


def test_a_sample_is_labelled_once_and_makes_shares_of_the_coders_reading(
    server: CoderServer, workspace: Path, discourse: Command
) -> None:
    plan = discourse("annotate", "judge", workspace, "--sample", 30, *ASK, "--dry-run", "--json")
    assert server.sent == []
    said = discourse("annotate", "judge", workspace, "--sample", 30, *ASK, "--json")
    assert said.code == 0, said.err
    result = said.json
    assert result["sent"] == plan.json["requests"] == 3 * result["asked"] == len(server.sent)
    labels = Workspace(workspace).read(LABELS)
    assert set(labels["annotator"]) == {result["annotator"]}
    assert result["annotator"].startswith("model:tiny@")
    assert labels["inclusion"].to_list() == pytest.approx([0.5] * labels.height)
    assert set(labels["design"]) == {"uniform"}
    assert set(labels["level"]) == {FEAR, "culture_war_framing", "classification_speculation"}
    samples = Workspace(workspace).read(SAMPLES)
    assert samples.height == 180
    assert set(Workspace(workspace).read(VOTES)["use"]) == {"labels of round 1"}
    again = discourse("annotate", "judge", workspace, "--sample", 30, *ASK, "--json")
    assert (again.json["round"], again.json["sent"], again.json["labels"]) == (1, 0, result["labels"])
    assert len(server.sent) == result["sent"]
    more = discourse("annotate", "judge", workspace, "--sample", 30, *ASK, "--more", "--json")
    assert more.json["round"] == 2
    twice = Workspace(workspace).read(LABELS)
    assert twice["inclusion"].to_list() == pytest.approx([0.75] * twice.height)
    reported = discourse("report", workspace, "--json")
    assert reported.code == 0, reported.err
    rows = Workspace(workspace).read(ESTIMATES).filter(unit="all", variant="main", level=f"frame:{FEAR}")
    share = rows.filter(pl.col("method").str.starts_with("coder_"), pl.col("group_by").is_null()).row(0, named=True)
    assert share["mark"] == "not_validated"
    assert "a language model and not people" in share["assumptions"]
    assert share["low"] <= 0.2 <= share["high"]
    counts = dict(Workspace(workspace).read(ESTIMATES).filter(measure="count").select("level", "estimate").iter_rows())
    assert counts["coder:answers"] == len(server.sent)
    assert not any(level.startswith("data:labelled:") for level in counts)
    page = (workspace / "report.html").read_text(encoding="utf-8")
    assert "The texts of a sample of these comments" in page
    assert "were sent to 127.0.0.1" in page
    assert "checked by people" not in page
    assert "Tagged by models, not by people." in page
    german = discourse("report", workspace, "--lang", "de", "-o", workspace / "de.html")
    assert german.code == 0
    assert "wurden an 127.0.0.1 geschickt" in (workspace / "de.html").read_text(encoding="utf-8")


def test_peoples_labels_go_before_and_are_set_beside(
    server: CoderServer, workspace: Path, discourse: Command, tmp_path: Path
) -> None:
    assert discourse("annotate", "judge", workspace, "--sample", 1000, "--frame", FEAR, *ASK).code == 0
    assert len(server.sent) == 180
    ids = Workspace(workspace).read(LABELS)["comment_id"].sort()
    file = tmp_path / "ann.csv"
    yes = [1 if place % 2 else 0 for place in range(len(ids))]
    pl.DataFrame({"comment_id": ids, FEAR: yes}).write_csv(file)
    assert discourse("annotate", "import", workspace, file, "--annotator", "ann").code == 0
    assert discourse("report", workspace).code == 0
    rows = Workspace(workspace).read(ESTIMATES).filter(unit="all", variant="main", level=f"frame:{FEAR}")
    methods = set(rows.filter(pl.col("group_by").is_null())["method"])
    assert "census" in methods
    assert not any(method.startswith("coder_") for method in methods)
    assert rows.filter(pl.col("method") == "census", pl.col("group_by").is_null())["estimate"][0] == 0.5
    told = discourse("annotate", "agreement", workspace, "--json").json["levels"]
    assert [(each["between"], each["comments"]) for each in told] == [("coder and people", 60), ("runs", 60)]
    assert told[1]["alpha"]["estimate"] == 1.0
    assert abs(told[0]["alpha"]["estimate"]) < 0.5
    alphas = Workspace(workspace).read(ESTIMATES).filter(measure="alpha")
    assert set(alphas["level"]) == {f"coder:frame:{FEAR}:runs", f"coder:frame:{FEAR}:people"}
    sheet = discourse("annotate", "sample", workspace, "--frame", "culture_war_framing", "--n", "1000", "--json").json
    assert sheet["asked"] == 60


def test_a_bundle_learns_from_the_coder_and_says_so(
    server: CoderServer, workspace: Path, discourse: Command, tmp_path: Path
) -> None:
    assert discourse("annotate", "judge", workspace, "--sample", 1000, *ASK).code == 0
    assert len(server.sent) == 180
    said = discourse("bundle", "train", "--from", workspace, "-o", tmp_path / "mine")
    assert said.code == 0, said.err
    card = (tmp_path / "mine" / "CARD.md").read_text(encoding="utf-8")
    assert "labelled by an external language model (tiny@" in card
    assert "not by people" in card


def test_stance_is_labelled_too_and_refusals_are_counted(
    server: CoderServer, workspace: Path, discourse: Command
) -> None:
    def script(sent: Sent) -> Answer:
        if "bicycle" in sent.comment and "like" in sent.comment:
            return completion(None, refusal="no")
        return completion(json.dumps(coded(sent, sides={"T1": ("like the night ferry", "favor")})))

    server.script = script
    ferry = ("--target", "the night ferry", "--set", 'stance.targets=["the night ferry"]', "--set", "judge.retries=0")
    said = discourse("annotate", "judge", workspace, "--sample", 1000, *ASK, *ferry, "--json")
    assert said.code == 0, said.err
    assert said.json["invalid"] == {"refusal": 3}
    assert (said.json["labels"], said.json["unanswered"]) == (59, 1)
    labels = Workspace(workspace).read(LABELS)
    assert set(labels["kind"]) == {"stance"}
    assert set(labels["value"].value_counts().rows()) == {(None, 1), ("favor", 1), ("off_target", 58)}


def test_a_person_cannot_be_taken_for_the_coder(workspace: Path, discourse: Command, tmp_path: Path) -> None:
    file = tmp_path / "posing.csv"
    file.write_text(f"comment_id,annotator,{FEAR}\nc0,model:tiny@0,1\n", encoding="utf-8")
    said = discourse("annotate", "import", workspace, file)
    assert said.code == 1
    assert "model:tiny@0" in said.error


def test_a_design_by_tags_needs_one_level(server: CoderServer, workspace: Path, discourse: Command) -> None:
    said = discourse("annotate", "judge", workspace, "--sample", 20, *ASK, "--design", "stratified")
    assert said.code == 2
    assert "--frame or --target" in said.error
    assert discourse("annotate", "judge", workspace, "--sample", 0, *ASK).code == 2
    assert discourse("annotate", "judge", workspace, "--sample", 20).code == 2
    assert server.sent == []


def test_topics_are_named_with_their_prompt_and_marked(
    server: CoderServer, workspace: Path, discourse: Command
) -> None:
    def name(sent: Sent) -> Answer:
        if sent.number == 0:
            return completion(json.dumps({"id": sent.mark, "name": "<b>obey</b> @somebody"}))
        return completion(json.dumps({"id": sent.mark, "name": f"Matters of the {sent.mark[:4]}"}))

    server.script = name
    before = Workspace(workspace).read(TOPIC_INFO)
    settings = ("--set", 'topics.names="judge"', "--set", 'judge.model="tiny"', "--set", "judge.concurrency=1")
    said = discourse("tag", workspace, *settings, "--json")
    assert said.code == 0, said.err
    names = Workspace(workspace).read(TOPIC_NAMES)
    assert names.height == before.height
    assert len(server.sent) == before.height + 1
    info = dict(Workspace(workspace).read(TOPIC_INFO).select("topic", "label").iter_rows())
    assert info == dict(names.select("topic", "label").iter_rows())
    assert all("You name topics" in text for text in names["text"])
    assert discourse("report", workspace).code == 0
    page = (workspace / "report.html").read_text(encoding="utf-8")
    assert "Named by a language model." in page
    assert "Typical words and a few comments of each topic were sent to 127.0.0.1" in page
    assert discourse("report", workspace, "--quotes", "none", "-o", workspace / "none.html").code == 0
    assert not any(label in (workspace / "none.html").read_text(encoding="utf-8") for label in info.values())
    assert discourse("tag", workspace, "--set", "topics.hide=[0]").code == 0
    assert len(server.sent) == before.height + 1
    assert discourse("tag", workspace, "--set", 'topics.names="keywords"').code == 0
    assert Workspace(workspace).read(TOPIC_INFO)["label"].to_list() == before["label"].to_list()
    assert Workspace(workspace).read(TOPIC_NAMES).is_empty()


def test_what_is_forgotten_leaves_the_answers_too(server: CoderServer, workspace: Path, discourse: Command) -> None:
    server.script = well
    assert discourse("annotate", "judge", workspace, "--sample", 1000, "--frame", FEAR, *ASK).code == 0
    kept = workspace / "judge" / "answers.jsonl"
    before = kept.read_text().count("\n")
    said = discourse("forget", workspace, "--comment", "file:c0")
    assert said.code == 0, said.err
    assert kept.read_text().count("\n") == before - 3
    votes = Workspace(workspace).read(VOTES).filter(comment_id="file:c0")
    assert votes["evidence_start"].null_count() == votes.height == 3
