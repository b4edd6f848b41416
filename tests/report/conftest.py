"""A workspace as the other stages leave it: two threads, a reply tree, deleted rows, three scripts, hostile markup."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.report.parts import parts

from discourse.codebook import Codebook, load_codebook
from discourse.config import Config, parse_config
from discourse.models.input_key import input_key
from discourse.receipt import Receipt, StageRecord
from discourse.report import run
from discourse.tables import (
    COMMENTS,
    EMBEDDINGS,
    ESTIMATES,
    FIT,
    FRAMES,
    LABELS,
    QUARANTINE,
    STANCES,
    THREADS,
    TOPIC_INFO,
    TOPICS,
    Table,
)
from discourse.workspace import Workspace, create_workspace

HERE = Path(__file__).parent
STORY: list[dict[str, Any]] = tomllib.loads((HERE / "story.toml").read_text(encoding="utf-8"))["comment"]
TARGET = "the late buses"
START = datetime(2026, 3, 2, 8, 17, 43, tzinfo=UTC)
THREAD = {"buses": "demo:buses-777123", "depot": "demo:depot-777124"}
ADDRESS = "https://news.example.org/thread/777123"
BUNDLES = {"frames": "frames-minilm@0123456789ab", "stance": "stance-minilm@ba9876543210"}
ELSEWHERE = "The model errs on these comments as often as on comments from other sites."
DRAWN = "The labelled comments were drawn at random, and readers followed the codebook."


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    """The codebook of the story."""
    return load_codebook(HERE / "codebook.toml")


@pytest.fixture(scope="session")
def config() -> Config:
    """What the run was asked for."""
    return parse_config(
        {
            "codebook": {"file": str(HERE / "codebook.toml")},
            "stance": {"targets": [TARGET]},
            "input": {"sources": [ADDRESS]},
        }
    )


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The full workspace."""
    workspace = create_workspace(tmp_path_factory.mktemp("story") / "ws")
    tables: list[tuple[Table, list[dict[str, Any]]]] = [
        (THREADS, threads()),
        (COMMENTS, comments()),
        (QUARANTINE, quarantine()),
        (FRAMES, frames()),
        (STANCES, stances()),
        (TOPICS, topics()),
        (TOPIC_INFO, topic_info()),
        (EMBEDDINGS, embeddings()),
        (FIT, fit()),
        (LABELS, labels()),
        (ESTIMATES, estimates()),
    ]
    for table, rows in tables:
        workspace.write(table, as_table(table, rows))
    record = StageRecord(inputs={"raw/buses.jsonl": "ab12"}, outputs={"comments": "cd34"}, finished_at=START)
    sources = {ADDRESS: "9f" * 32}
    workspace.save_receipt(Receipt(sources=sources, bundles=BUNDLES, stages={"collect": record}))
    return workspace


@pytest.fixture(scope="session")
def report(story: Workspace, config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the full workspace, quoting in full."""
    output = tmp_path_factory.mktemp("report") / "report.html"
    run(story, config, output)
    return output


@pytest.fixture
def bare(tmp_path: Path) -> Workspace:
    """A workspace in which no table was written yet."""
    workspace = create_workspace(tmp_path / "bare")
    workspace.save_receipt(Receipt())
    return workspace


@pytest.fixture(scope="session")
def estimate() -> Callable[..., dict[str, Any]]:
    """Return the maker of one row of the estimates table."""
    return row


@pytest.fixture(scope="session")
def table_of() -> Callable[[Table, list[dict[str, Any]]], pl.DataFrame]:
    """Return the maker of a table from rows."""
    return as_table


def as_table(table: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows as a frame that conforms to `table`."""
    if not rows:
        return table.empty()
    known = {name: dtype for name, dtype in table.schema.items() if name in rows[0]}
    return table.conform(pl.DataFrame(rows, schema_overrides=known, infer_schema_length=None))


def row(level: str, measure: str, value: float | None, **values: Any) -> dict[str, Any]:
    """Return one row of the estimates table."""
    whole: dict[str, Any] = {
        "unit": "all",
        "measure": measure,
        "level": level,
        "population": "collected",
        "variant": "main",
        "denominator": "1,204 eligible comments of 1,278",
        "n": 1204,
        "n_labelled": 0,
        "n_unsure": 37,
        "estimate": value,
        "low": None,
        "high": None,
        "method": {"count": "tag_count", "quality": "heldout"}.get(measure, "heldout_correction"),
        "assumptions": "",
        "mark": None,
        **values,
    }
    split = "|".join(str(whole.get(name)) for name in ("group_by", "group", "contrast", "variant", "population"))
    key = f"{whole['unit']}|{level}|{measure}|{whole['method']}|{split}"
    return {"estimate_id": hashlib.sha256(key.encode()).hexdigest()[:16], **whole}


def estimates() -> list[dict[str, Any]]:
    """Return estimates of each method and mark, for the whole and by thread."""
    elsewhere = {"mark": "not_validated", "assumptions": ELSEWHERE}
    readers = {"method": "difference_estimator", "n_labelled": 120, "assumptions": DRAWN}
    about = {"denominator": "those about the target", "mark": "not_validated"}
    topic = {"method": "assignment_count"}
    rows = [
        row("frame:fear_of_crime", "count", 198.0),
        row("frame:fear_of_crime", "share", 0.171, low=0.083, high=0.262, **elsewhere),
        row("frame:fear_of_crime", "share", 0.142, low=0.109, high=0.178, **readers),
        row("frame:waste_of_money", "count", 61.0),
        row("frame:waste_of_money", "share", 0.043, low=0.004, high=0.091, **elsewhere),
        row("frame:town_against_country", "count", 31.0),
        row("frame:town_against_country", "share", None, **{**elsewhere, "mark": "not_estimable"}),
        row(f"stance:{TARGET}:about", "share", 0.204, low=0.161, high=0.249, mark="not_validated"),
        row(f"stance:{TARGET}:favor", "share", 0.31, low=0.22, high=0.41, **about),
        row(f"stance:{TARGET}:against", "share", 0.45, low=0.36, high=0.55, **about),
        row(f"stance:{TARGET}:neutral", "share", 0.24, low=0.16, high=0.33, **about),
        row("topic:0", "count", 412.0, **topic),
        row("topic:0", "stability", 0.82, method="seed_overlap"),
        row("topic:1", "count", 230.0, **topic),
        row("topic:2", "count", 118.0, **topic),
        row("topic:outlier", "count", 444.0, **topic),
    ]
    tagged = {"favor": 71, "against": 112, "neutral": 62, "unsure": 19, "off_target": 940}
    rows += [row(f"stance:{TARGET}:{side}", "count", float(value)) for side, value in tagged.items()]
    for name, value in {
        "f1": 0.81,
        "average_precision": 0.86,
        "sensitivity": 0.79,
        "false_positive_rate": 0.021,
    }.items():
        rows.append(row(f"frame:fear_of_crime:{name}", "quality", value, low=value - 0.02, high=value + 0.05, n=560))
    counts: dict[str, int] = tomllib.loads((HERE / "counts.toml").read_text(encoding="utf-8"))
    whole = counts.pop("whole")
    rows += [row(f"data:{name}", "count", float(value), method="data_count") for name, value in whole.items()]
    for name, values in counts.items():
        rows += _of_thread(f"thread:{THREAD[name]}", values)
    return rows + parts(row, TARGET, list(THREAD.values()))


def _of_thread(unit: str, counts: dict[str, int]) -> list[dict[str, Any]]:
    size = {"unit": unit, "n": counts["eligible"]}
    wide = 0.05 if counts["eligible"] > 500 else 0.11
    return [
        *(row(f"data:{name}", "count", float(value), unit=unit, method="data_count") for name, value in counts.items()),
        row("frame:fear_of_crime", "count", round(size["n"] * 0.17), **size),
        row("frame:fear_of_crime", "share", 0.15, low=0.15 - wide, high=0.15 + wide, mark="not_validated", **size),
        row("frame:town_against_country", "count", 12.0, **size),
        row("frame:town_against_country", "share", None, mark="not_estimable", **size),
    ]


def comment_id(place: int) -> str:
    """Return the id of a comment of the story."""
    return THREAD["buses"] if STORY[place].get("opening") else f"demo:cm{place:04d}x9"


def threads() -> list[dict[str, Any]]:
    """Return the two threads; the address of the second is hostile."""
    common = {"platform": "demo", "published_at": START, "collected_at": START + timedelta(days=9)}
    numbers = dict.fromkeys(("collected", "deleted", "removed", "held", "unreachable", "capped", "quarantined"), 0)
    titles = {"buses": "Council keeps late buses for another year", "depot": "New depot “too dear”, says treasurer"}
    links = {"buses": ADDRESS, "depot": "javascript:alert(1)"}
    return [
        {
            "thread_id": THREAD[name],
            "title": titles[name],
            "url": links[name],
            "reason": f"see {ADDRESS}",
            "source": f"raw/{name}.jsonl",
            **common,
            **numbers,
        }
        for name in titles
    ]


def comments() -> list[dict[str, Any]]:
    """Return the comments of the story with their tree."""
    rows: list[dict[str, Any]] = []
    for place, said in enumerate(STORY):
        parent = said.get("parent")
        kind = "opening" if said.get("opening") else "top" if parent is None else "reply"
        rows.append(
            {
                "comment_id": comment_id(place),
                "thread_id": THREAD[said["thread"]],
                "parent_id": None if parent is None else comment_id(parent),
                "reply_kind": kind,
                "depth": 0 if parent is None else rows[parent]["depth"] + 1,
                "position": 0 if said.get("opening") else place + 1,
                "author": said.get("author"),
                "role": said.get("role", "user"),
                "created_at": START + timedelta(minutes=31 * place),
                "created_precision": "exact",
                "text": said.get("text"),
                "quotes": [{"text": q["text"], "comment_id": comment_id(q["comment"])} for q in said.get("quotes", [])],
                "links": [],
                "language": said.get("language", "en") if "text" in said else None,
                "state": said.get("state", "visible"),
                "url": f"{ADDRESS}#{comment_id(place)}",
                "raw": {"file": "raw/buses.jsonl", "offset": place},
            }
        )
    return rows


def _evidence(said: dict[str, Any], sentence: str | None) -> dict[str, int | None]:
    start = said["text"].index(sentence) if sentence else None
    return {"evidence_start": start, "evidence_end": start + len(sentence) if start is not None and sentence else None}


def frames() -> list[dict[str, Any]]:
    """Return tags: some yes with evidence, one unsure, the comments in other languages unsure."""
    rows: list[dict[str, Any]] = []
    for place, said in enumerate(STORY):
        if "text" not in said or "role" in said or said.get("opening"):
            continue
        for frame in ("fear_of_crime", "waste_of_money", "town_against_country"):
            tag = said.get("tags", {}).get(frame, {})
            decision = "yes" if "evidence" in tag else "unsure" if tag or "language" in said else "no"
            reason = "language" if "language" in said else "model" if decision == "unsure" else None
            common = {"tier": "encoder", "path": "exact", "bundle": BUNDLES["frames"]}
            rows.append(
                {
                    "comment_id": comment_id(place),
                    "frame": frame,
                    "probability": None if reason == "language" else tag.get("probability", 0.04 + place * 0.01),
                    "above_threshold": decision == "yes",
                    "decision": decision,
                    "reason": reason,
                    **_evidence(said, tag.get("evidence")),
                    **common,
                }
            )
    return rows


def stances() -> list[dict[str, Any]]:
    """Return the side of a few comments, and off_target of the rest."""
    rows: list[dict[str, Any]] = []
    for place, said in enumerate(STORY):
        if "text" in said and not said.get("opening"):
            side = said.get("stance", {}).get("side", "off_target")
            likely = {
                f"p_{name}": 0.8 if name == side else 0.1 for name in ("favor", "against", "neutral", "off_target")
            }
            common = {"tier": "encoder", "path": "exact", "bundle": BUNDLES["stance"]}
            evidence = _evidence(said, said.get("stance", {}).get("evidence"))
            place_of = {"comment_id": comment_id(place), "target": TARGET, "stance": side}
            rows.append({**place_of, **likely, **evidence, **common})
    return rows


def topics() -> list[dict[str, Any]]:
    """Return the topic of each comment with text, one in four an outlier."""
    return [
        {
            "comment_id": comment_id(place),
            "topic": None if place % 4 == 3 else place % 3,
            "probability": 0.7,
            "assignment": "outlier" if place % 4 == 3 else "fitted",
        }
        for place, said in enumerate(STORY)
        if "text" in said
    ]


def embeddings() -> list[dict[str, Any]]:
    """Return a vector for each text, those of one topic near to each other."""
    return [
        {
            "input_key": input_key(said["text"], "minilm@0123456789ab"),
            "encoder": "minilm@0123456789ab",
            "vector": [float(place % 3 == axis) + 0.01 * ((place * (axis + 3)) % 7) for axis in range(4)],
        }
        for place, said in enumerate(STORY)
        if "text" in said
    ]


def fit() -> list[dict[str, Any]]:
    """Return one check that the depot's thread does not pass, two that both do, and one of which nothing is known."""
    found = {"all": ["fits", "fits", "unknown"], "buses": ["fits", "fits"], "depot": ["differs", "fits"]}
    return [
        {
            "bundle": BUNDLES["frames"],
            "thread_id": THREAD.get(name, name),
            "check": check,
            "effect": None if verdict == "unknown" else 0.2,
            "threshold": None if verdict == "unknown" else 0.5,
            "verdict": verdict,
            "reason": "there are too few comments to compare" if verdict == "unknown" else None,
        }
        for name, verdicts in found.items()
        for check, verdict in zip(("distance", "length", "style"), verdicts, strict=False)
    ]


def topic_info() -> list[dict[str, Any]]:
    """Return three topics."""
    found = [
        ("Getting home at night", ["stop", "walk", "night", "taxi", "lamp"], [0, 1]),
        ("What it costs", ["money", "schools", "bridge", "cost"], [9, 24]),
        ("Town and villages", ["villages", "town", "tax", "opera"], [16]),
    ]
    return [
        {"topic": topic, "label": label, "keywords": words, "representatives": [*map(comment_id, places)], "size": 0}
        for topic, (label, words, places) in enumerate(found)
    ]


def quarantine() -> list[dict[str, Any]]:
    """Return records that could not become comments, one kind hostile."""
    broken = '{"id": "7770", "body": "<img src=x onerror=alert(1)>"'
    kinds = [("buses", "malformed", broken, 7), ("depot", "furniture", "Most read today", 4)]
    return [
        {"source": f"raw/{name}.jsonl", "location": f"line {place + 3}", "reason": reason, "excerpt": excerpt}
        for name, reason, excerpt, times in kinds
        for place in range(times)
    ]


def labels() -> list[dict[str, Any]]:
    """Return labels of two readers: agreed on one comment, divided on another."""
    given = [(0, "yes", "anna"), (0, "yes", "bert"), (3, "yes", "anna"), (3, "no", "bert"), (4, "no", "anna")]
    common = {
        "kind": "frame",
        "level": "fear_of_crime",
        "hard": False,
        "design": "uniform",
        "inclusion": 0.1,
        "round": 0,
    }
    return [
        {"comment_id": comment_id(place), "value": value, "annotator": who, **common} for place, value, who in given
    ]
