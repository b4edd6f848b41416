"""The fit check on workspaces: rows for the whole and for threads, one sentence, and nothing computed in vain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.models.fit_rows import said

from discourse.config import FilterConfig, parse_config
from discourse.models.bundle import Bundle
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.fit import CHECKS, summarise
from discourse.models.fit_files import save_fit
from discourse.models.frames import embed
from discourse.tables import ALL_THREADS, ATTRIBUTES, EMBEDDINGS, FIT
from discourse.tag.fit import check_bundle, check_fits, past_gate, warning
from discourse.workspace import Workspace


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


@pytest.fixture(scope="module")
def bundle(frames_bundle: Bundle, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The shipped bundle as if it had learned from 240 made-up sentences in 24 threads of two sources."""
    folder = tmp_path_factory.mktemp("bundle")
    texts = said(np.random.default_rng(0), 240)
    sources = [f"source {row // 120}" for row in range(240)]
    threads = [str(row // 10) for row in range(240)]
    vectors = embed(encoder, texts, 32)
    save_fit(summarise(vectors, texts, sources, threads, ("en",), encoder.id), folder)
    return Bundle(folder, frames_bundle.manifest.model_copy(update={"files": {}}), frames_bundle.sha256)


def comments(texts: dict[str, list[str]], language: str = "en") -> pl.DataFrame:
    rows = [(thread, text) for thread, some in texts.items() for text in some]
    return pl.DataFrame(
        {
            "comment_id": [f"file:{number}" for number in range(len(rows))],
            "thread_id": [thread for thread, _ in rows],
            "text": [text for _, text in rows],
            "language": language,
            "state": "visible",
            "reply_kind": "top",
            "role": "user",
            "created_at": None,
        }
    )


def checked(tmp_path: Path, table: pl.DataFrame, bundle: Bundle, encoder: Encoder) -> pl.DataFrame:
    workspace = Workspace(tmp_path)
    return check_bundle(workspace, table, bundle, encoder, FilterConfig(), ATTRIBUTES.empty(), 0)


STRANGE = [f"Preheat oven no. {n}: whisk eggs, fold flour, simmer shallots; SERVE!!! (cf. p. {n})" for n in range(30)]


def test_a_thread_that_differs_is_told_from_one_that_fits(bundle: Bundle, encoder: Encoder, tmp_path: Path) -> None:
    """Both have a row for each check, and so have all comments together; short threads have none of their own."""
    alike = said(np.random.default_rng(1), 90)
    table = comments({"file:alike": alike, "file:strange": STRANGE, "file:short": alike[:5]})
    rows = checked(tmp_path, table, bundle, encoder)
    assert FIT.conform(rows).height == 3 * len(CHECKS)
    assert rows["thread_id"].unique(maintain_order=True).to_list() == [ALL_THREADS, "file:alike", "file:strange"]
    assert set(rows.filter(thread_id="file:alike")["verdict"]) == {"fits"}
    strange = rows.filter(thread_id="file:strange", verdict="differs")
    assert {"distance", "style", "vocabulary"} <= set(strange["check"])
    assert (strange["effect"] > strange["threshold"]).all()


def test_the_sentence_names_in_what_comments_differ(bundle: Bundle, encoder: Encoder, tmp_path: Path) -> None:
    """All comments come first, then threads, then what is not known; where all fits nothing is said."""
    alike = said(np.random.default_rng(2), 400)
    strange = warning(checked(tmp_path, comments({"file:s": STRANGE}), bundle, encoder), bundle)
    assert strange is not None
    assert strange.startswith("warning: these comments differ from those that frames-minilm learned from in what they")
    assert "how they are written (style " in strange
    rows = checked(tmp_path, comments({"file:a": alike, "file:s": STRANGE}), bundle, encoder)
    of_all = pl.col("thread_id") == ALL_THREADS
    rows = rows.with_columns(pl.when(of_all).then(pl.lit("fits")).otherwise("verdict").alias("verdict"))
    one = warning(rows, bundle)
    assert one is not None
    assert "1 of 2 threads differ" in one
    few = warning(checked(tmp_path, comments({"file:a": alike[:3]}), bundle, encoder), bundle)
    assert few is not None
    assert few.startswith(
        "fit check of frames-minilm: distance, vocabulary, style, length, language unknown, there are"
    )
    assert warning(checked(tmp_path, comments({"file:a": alike}), bundle, encoder), bundle) is None


def test_a_bundle_without_statistics_is_unknown_and_reads_nothing(
    frames_bundle: Bundle, bundle: Bundle, encoder: Encoder, tmp_path: Path
) -> None:
    """No vector is computed for it, and the reason is in the table and in the sentence."""
    empty = Bundle(tmp_path / "nothing", bundle.manifest, frames_bundle.sha256)
    workspace = Workspace(tmp_path / "ws")
    table = comments({"file:a": said(np.random.default_rng(3), 40)})
    notes = check_fits(workspace, [(empty, table)], encoder, parse_config({}))
    assert len(notes) == 1
    assert "keeps no statistics of its training comments" in notes[0]
    rows = workspace.read(FIT)
    assert set(rows.filter(pl.col("check") != "language")["verdict"]) == {"unknown"}
    assert workspace.read(EMBEDDINGS).is_empty()


def test_comments_in_other_languages_count_only_as_such(bundle: Bundle, encoder: Encoder, tmp_path: Path) -> None:
    """Their words are not compared: a thread half in Spanish differs in language alone."""
    foreign = comments({"file:a": ["Esto no me gusta nada, de verdad"] * 40}, "es").with_columns(
        comment_id=pl.lit("es:") + pl.col("comment_id")
    )
    table = pl.concat([comments({"file:a": said(np.random.default_rng(4), 40)}), foreign])
    rows = checked(tmp_path, table, bundle, encoder).filter(thread_id=ALL_THREADS)
    assert rows.filter(verdict="differs")["check"].to_list() == ["language"]


def test_only_what_a_stance_bundle_read_is_compared() -> None:
    """Comments that the gate stopped for every target are left out; those in other languages stay, to be counted."""
    table = pl.DataFrame({"comment_id": ["a", "b", "c"]})
    stances = pl.DataFrame(
        {
            "comment_id": ["a", "a", "b", "b", "c"],
            "p_favor": [None, None, None, 0.5, None],
            "p_off_target": [0.9, 0.8, 0.9, 0.1, None],
        },
        schema={"comment_id": pl.String, "p_favor": pl.Float64, "p_off_target": pl.Float64},
    )
    assert past_gate(table, stances)["comment_id"].to_list() == ["b", "c"]
