"""`discourse bundle evaluate` on labelled files, good and bad."""

from __future__ import annotations

import json
import time
from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import average_precision_score, f1_score
from tests.cli.conftest import Command
from tests.models.tiny_bundle import tiny_bundle

from discourse.models.bundle import Bundle, load_bundle, seal, text_hash
from discourse.models.encoder import load_encoder
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import load_frames

LEVELS = ("fear_of_surveillance", "culture_war_framing", "classification_speculation")
WORDS = ["the lamps see everything", "a fine pie", "they lie about the tunnel", "buses at noon", "both tribes shout"]
SAID = [f"{one}, and {other}" for one in WORDS for other in WORDS]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of random weights that was trained on one of our texts."""
    folder = tmp_path_factory.mktemp("evaluate") / "tiny"
    made = tiny_bundle(folder)
    (folder / "trained_on.txt").write_text(text_hash(SAID[0]) + "\n", encoding="utf-8")
    return seal(folder, made.manifest.model_dump(exclude={"format", "files"}))


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw less often for the intervals, which takes most of the time on so few rows."""
    monkeypatch.setattr("discourse.bundle_evaluation.DRAWS", 60)
    monkeypatch.setattr("discourse.bundle_evaluation.GROUP_DRAWS", 20)


def labelled(n: int = 25) -> pl.DataFrame:
    rows = {"text": SAID[:n], "source": [f"s{i % 3}" for i in range(n)], "thread": [f"t{i % 8}" for i in range(n)]}
    labels = {level: [int(i % (k + 2) == 0) for i in range(n)] for k, level in enumerate(LEVELS)}
    return pl.DataFrame({**rows, **labels})


def test_the_figures_are_those_of_the_forced_answers(discourse: Command, bundle: Bundle, tmp_path: Path) -> None:
    labelled().write_csv(tmp_path / "x.csv")
    said = discourse("bundle", "evaluate", bundle.folder, tmp_path / "x.csv", "--json")
    assert said.code == 0
    found = said.json
    assert (found["kind"], found["n"], found["trained_on"]) == ("frames", 25, 1)
    assert "1 rows have texts that the bundle was trained on" in said.err
    scores = load_frames(bundle, load_encoder()).read([FrameInput(text) for text in SAID]).scores
    f1 = []
    for k, level in enumerate(LEVELS):
        row, label = found["by_label"][level], labelled()[level].to_numpy()
        f1.append(f1_score(label, scores[:, k] >= 0))
        assert row["f1"] == pytest.approx(f1[-1], abs=1e-4)
        assert row["average_precision"] == pytest.approx(average_precision_score(label, scores[:, k]), abs=1e-4)
        assert row["f1_answered"] == row["f1"]
        assert (row["threshold"], row["unsure_share"]) == (0.5, 0)
        assert row["intervals"]["f1"][0] <= row["f1"] <= row["intervals"]["f1"][1]
        assert {"precision", "recall", "ece", "slope", "brier", "brier_skill"} <= row.keys()
    assert found["macro_f1"] == pytest.approx(sum(f1) / 3, abs=1e-4)
    assert {"macro_average_precision", "ece", "brier", "by_source"} <= found.keys()
    table = discourse("bundle", "evaluate", bundle.folder, tmp_path / "x.csv").out
    assert f"{found['by_label'][LEVELS[0]]['f1']:.2f} [" in table
    assert f"unproven, since fewer than 25 rows (effective) are a yes: {', '.join(LEVELS)}" in table


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_the_form_of_the_file_changes_nothing(suffix: str, discourse: Command, bundle: Bundle, tmp_path: Path) -> None:
    file = tmp_path / f"x.{suffix}"
    write = {"csv": pl.DataFrame.write_csv, "jsonl": pl.DataFrame.write_ndjson, "parquet": pl.DataFrame.write_parquet}
    write[suffix](labelled(10), file)
    found = discourse("bundle", "evaluate", bundle.folder, file, "--by", "source", "--json").json
    assert list(found["by"]["groups"]) == ["s0", "s1", "s2"]
    assert [found["by"]["groups"][source]["n"] for source in ("s0", "s1", "s2")] == [4, 3, 3]
    scores = load_frames(bundle, load_encoder()).read([FrameInput(text) for text in SAID[:10]]).scores
    expected = f1_score(labelled(10)[LEVELS[0]], scores[:, 0] >= 0)
    assert found["by_label"][LEVELS[0]]["f1"] == pytest.approx(expected, abs=1e-4)


def test_broken_rows_are_counted_and_a_very_long_text_is_read(
    discourse: Command, bundle: Bundle, tmp_path: Path
) -> None:
    rows = labelled(5).to_dicts()
    rows[1]["text"] = "  "
    rows[2][LEVELS[0]] = 3
    rows[3]["text"] = "word " * 100_000
    lines = [json.dumps(row) for row in rows]
    (tmp_path / "x.jsonl").write_text("\n".join([*lines, '{"text": "cut']), encoding="utf-8")
    began = time.monotonic()
    said = discourse("bundle", "evaluate", bundle.folder, tmp_path / "x.jsonl", "--json")
    assert time.monotonic() - began < 20
    found = said.json
    assert found["n"] == 3
    assert found["quarantined"]["total"] == 3
    assert found["quarantined"]["reasons"] == {"empty": 1, "malformed": 1, "wrong_label": 1}
    assert found["quarantined"]["first"][0] == {"line": 2, "reason": "empty"}
    assert "3 rows left out (1 empty, 1 malformed, 1 wrong_label); the first is line 2" in said.err


def test_one_class_gives_a_sentence_and_no_number(discourse: Command, bundle: Bundle, tmp_path: Path) -> None:
    labelled(8).with_columns(pl.lit(0).alias(level) for level in LEVELS).write_csv(tmp_path / "x.csv")
    said = discourse("bundle", "evaluate", bundle.folder, tmp_path / "x.csv", "--json")
    assert said.code == 0
    assert said.json["macro_f1"] is None
    assert said.json["by_label"][LEVELS[0]]["f1"] is None
    assert "no row is a yes" in said.err
    assert "NaN" not in said.out
    assert "–" in discourse("bundle", "evaluate", bundle.folder, tmp_path / "x.csv").out


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("x.csv", "text,cats\na,1\n", "no column of a frame"),
        ("x.csv", "", "empty"),
        ("x.csv", "text,fear_of_surveillance\n", "no row"),
        ("x.parquet", "PAR1 no parquet", "Parquet"),
        ("absent.csv", None, "absent.csv"),
    ],
    ids=["other frames", "empty", "header only", "no parquet", "absent"],
)
def test_a_file_that_cannot_be_evaluated_on_is_one_sentence(
    file: str, content: str | None, said: str, discourse: Command, bundle: Bundle, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / file).write_text(content, encoding="utf-8")
    found = discourse("bundle", "evaluate", bundle.folder, tmp_path / file)
    assert found.code == 1
    assert said in found.error
    assert found.out == ""


def test_stance_is_scored_as_benchmarks_do(discourse: Command, tmp_path: Path) -> None:
    rows = [
        ("The toll is a good thing and I want it to stay.", "the city toll", "favor"),
        ("Abolish the toll at once, it ruins us.", "the city toll", "against"),
        ("I support the toll.", "the city toll", "FAVOR"),
        ("My cat sleeps on the stove.", "the city toll", "off_target"),
        ("The toll is charged from six.", "the city toll", "neutral"),
        ("Down with the toll!", "the city toll", "con"),
    ]
    table = pl.DataFrame(rows, schema=["text", "target", "stance"], orient="row")
    table.with_columns(context=[["a", "The toll again."]] * 6).write_parquet(tmp_path / "x.parquet")
    said = discourse("bundle", "evaluate", "stance-minilm", tmp_path / "x.parquet", "--json")
    found = said.json
    assert (found["kind"], found["n"]) == ("stance", 5)
    assert found["quarantined"]["reasons"] == {"wrong_label": 1}
    assert list(found["by_label"]) == ["favor", "against", "no_side", "about"]
    assert found["by_label"]["no_side"]["yes"] == 2
    assert found["macro_f1_over"] == ["favor", "against", "no_side"]
    f1 = [found["by_label"][side]["f1"] for side in ("favor", "against", "no_side")]
    assert found["macro_f1"] == pytest.approx(sum(f1) / 3, abs=1e-4)
    assert found["semeval_f"] == pytest.approx(sum(f1[:2]) / 2, abs=1e-4)
    assert 0 <= found["gate_recall"] <= 1
    assert load_bundle("stance-minilm").id == found["bundle"]
