"""The fit check on invented sources: what is like the training comments fits, what is not differs, and it says why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.models.fit_rows import Rows, comments, summary, together, training

from discourse.errors import BundleError
from discourse.models.fit import CHECKS, LEAST_COMMENTS, Fit, FitSummary, card_lines, check_fit
from discourse.models.fit_files import load_fit, save_fit
from discourse.models.fit_measures import (
    MARKS,
    count_unknown,
    describe_space,
    distance,
    length_difference,
    marks,
    more_than_usual,
    sketch,
    unknown_share,
    words,
)
from discourse.models.fit_thresholds import Threshold, effective_threads


@pytest.fixture(scope="module")
def known() -> FitSummary:
    """What a bundle of three sources keeps."""
    return summary(training())


def found(known: FitSummary, rows: Rows, foreign: int = 0) -> dict[str, Fit]:
    return {fit.check: fit for fit in check_fit(known, rows.vectors, rows.texts, rows.threads, foreign, "made up")}


def verdicts(known: FitSummary, rows: Rows, foreign: int = 0) -> dict[str, str]:
    return {check: fit.verdict for check, fit in found(known, rows, foreign).items()}


def with_texts(rows: Rows, texts: list[str]) -> Rows:
    return replace(rows, texts=texts)


def test_new_threads_of_known_sources_fit(known: FitSummary) -> None:
    """Nothing differs in threads of a known source, in a mixture of sources, and in one thread alone."""
    mixture = together(*(comments(40 + number, number, 10, 10) for number in range(3)))
    for rows in (comments(20, 1, 20, 10), mixture, comments(30, 2, 1, 60)):
        assert set(verdicts(known, rows).values()) == {"fits"}


PLAIN = comments(22, 1, 20, 10)


@pytest.mark.parametrize(
    ("check", "rows"),
    [
        ("distance", comments(21, 7, 20, 10)),
        (
            "vocabulary",
            with_texts(PLAIN, [f"{text} Quorzling frobs blent." for text in PLAIN.texts]),
        ),
        ("style", with_texts(PLAIN, [f"wow!!! {text.lower().rstrip('.')}... really?!" for text in PLAIN.texts])),
        ("length", with_texts(PLAIN, [" ".join([text] * 9) for text in PLAIN.texts])),
        ("length", with_texts(PLAIN, [text[:9] for text in PLAIN.texts])),
    ],
)
def test_comments_that_are_unlike_the_training_comments_differ(known: FitSummary, check: str, rows: Rows) -> None:
    """Other subjects, words, marks and lengths are each found by the check that is for them."""
    fit = found(known, rows)[check]
    assert fit.verdict == "differs"
    assert fit.effect is not None
    assert fit.threshold is not None
    assert fit.effect > fit.threshold


def test_other_languages_differ_once_they_are_a_fifth(known: FitSummary) -> None:
    """The share of comments that the bundle does not read has a verdict even if few others are left."""
    rows = comments(23, 0, 8, 10)
    assert verdicts(known, rows, foreign=10)["language"] == "fits"
    assert verdicts(known, rows, foreign=40)["language"] == "differs"
    few = comments(24, 0, 1, LEAST_COMMENTS - 1)
    assert verdicts(known, few, foreign=30) == {**dict.fromkeys(CHECKS, "unknown"), "language": "differs"}


def test_what_cannot_be_compared_is_unknown_and_says_why(known: FitSummary) -> None:
    """Too few comments, no statistics, a bundle of few comments and other vectors each have a reason."""
    rows = comments(25, 0, 5, 10)
    few = summary(comments(1, 0, 5, 10))
    cases = {
        "too few comments": check_fit(known, rows.vectors[:5], rows.texts[:5]),
        "keeps no statistics": check_fit(None, rows.vectors, rows.texts),
        "learned from too few": check_fit(few, rows.vectors, rows.texts),
        "another encoder": check_fit(known, rows.vectors, rows.texts, encoder="another"),
    }
    for reason, fits in cases.items():
        assert [fit.check for fit in fits] == list(CHECKS)
        assert all(fit.verdict == "unknown" and reason in fit.reason for fit in fits[:-1])
        assert all(fit.effect is None and fit.threshold is None for fit in fits[:-1])
    assert "Nothing to compare with" in "\n".join(card_lines(few))


def test_one_thread_has_no_verdict_where_training_rows_name_no_threads() -> None:
    """How much one subject may differ cannot be known then; comments of many threads are still compared."""
    rows = training()
    alone = summary(replace(rows, threads=[str(number) for number in range(len(rows.texts))]))
    one, many = comments(26, 0, 1, 40), comments(27, 0, 40, 1)
    assert verdicts(alone, one)["distance"] == "unknown"
    assert verdicts(alone, many)["distance"] == "fits"
    assert "| threshold, one thread | – | – | – | – |" in card_lines(alone)


def test_a_source_that_was_left_out_is_told_from_the_others(known: FitSummary) -> None:
    """The card says what each source would get: here all lie apart, beyond the threshold of distance."""
    assert known.statistics is not None
    threshold = known.statistics.thresholds["distance"].of_many(200)
    assert set(known.left_out) == {"source 0", "source 1", "source 2"}
    assert all(effects["distance"] > threshold for effects in known.left_out.values())
    assert "| source 1 left out |" in "\n".join(card_lines(known))


def test_a_summary_is_read_as_it_was_written_and_holds_no_text(known: FitSummary, tmp_path: Path) -> None:
    """A loaded summary gives the same results; no word of a training comment stands in its files."""
    save_fit(known, tmp_path)
    loaded = load_fit(tmp_path)
    rows = comments(28, 1, 12, 5)
    assert loaded is not None
    for mine, theirs in zip(found(known, rows).values(), found(loaded, rows).values(), strict=True):
        assert mine.verdict == theirs.verdict
        assert mine.effect == pytest.approx(theirs.effect, abs=1e-5)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not any(word.encode() in stored for word in ("ferry", "market", "Nobody"))
    assert load_fit(tmp_path / "elsewhere") is None


@pytest.mark.parametrize("spoil", ["json", "cut", "missing", "check", "nan", "shape"])
def test_damaged_statistics_are_refused_in_one_sentence(known: FitSummary, tmp_path: Path, spoil: str) -> None:
    """Whatever is wrong with the files, the error names one and what to do."""
    save_fit(known, tmp_path)
    path, arrays = tmp_path / "fit.json", tmp_path / "fit.safetensors"
    stored = json.loads(path.read_text(encoding="utf-8"))
    if spoil == "json":
        path.write_text("{", encoding="utf-8")
    elif spoil == "cut":
        arrays.write_bytes(arrays.read_bytes()[:500])
    elif spoil == "missing":
        arrays.unlink()
    elif spoil == "check":
        del stored["thresholds"]["style"]
        path.write_text(json.dumps(stored), encoding="utf-8")
    elif spoil == "nan":
        stored["usual_unknown"] = 7
        path.write_text(json.dumps(stored), encoding="utf-8")
    else:
        stored["thresholds"]["style"]["many"] = [1.0]
        path.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(BundleError, match="train the bundle again"):
        load_fit(tmp_path)


def test_the_same_rows_and_seed_give_the_same_summary(known: FitSummary) -> None:
    """Thresholds are drawn by the seed alone."""
    again = summary(training())
    assert known.statistics is not None
    assert again.statistics is not None
    assert again.statistics.thresholds == known.statistics.thresholds
    assert again.left_out == known.left_out


def test_rows_that_stand_for_many_give_a_source_a_second_centre() -> None:
    """A source that was labelled where it is rare is known as labelled and as it is."""
    rows = comments(31, 0, 20, 10)
    weights = np.where(np.arange(200) % 2, 20.0, 1.0)
    space = describe_space(rows.vectors, np.array(rows.sources), np.array(rows.threads), weights)
    assert space.centres.shape == (2, rows.vectors.shape[1])
    assert len(describe_space(rows.vectors, np.array(rows.sources), np.array(rows.threads), None).centres) == 1


@given(st.lists(st.text(max_size=40), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_texts_can_be_measured(texts: list[str]) -> None:
    """Marks are finite and bounded, words known once are known, shares lie between 0 and 1."""
    measured = marks(texts)
    assert measured.shape == (len(texts), MARKS)
    assert np.isfinite(measured).all()
    read = [words(text) for text in texts]
    every = sketch(sorted(set().union(*read)))
    assert count_unknown(every, read)[:, 0].sum() == 0
    assert unknown_share(count_unknown(sketch([]), read)) in {0.0, 1.0}


@given(st.floats(0, 1), st.floats(0, 1))
def test_only_more_unknown_words_than_usual_count(share: float, usual: float) -> None:
    """Cohen's h is never negative, and 0 where the share is not above the usual one."""
    assert more_than_usual(share, usual) >= 0
    assert (more_than_usual(share, usual) == 0) or share > usual


@given(st.integers(20, 5000), st.floats(1, 500))
def test_a_threshold_is_wider_for_fewer_comments_and_fewer_threads(comments: int, threads: float) -> None:
    """It never falls below that for many comments of many threads."""
    line = Threshold((20, 200), (1.0, 0.5), 0.8, 4)
    here = line.at(comments, threads)
    assert here is not None
    assert here >= line.of_many(5000) - 1e-12
    assert here >= (line.at(comments + 1, threads) or 0) - 1e-12
    assert here >= (line.at(comments, threads + 1) or 0) - 1e-12


def test_effects_do_not_grow_with_the_number_of_comments() -> None:
    """The same difference measured on ten times as many comments is the same within its noise."""
    rows = training()
    space = describe_space(rows.vectors, np.array(rows.sources), np.array(rows.threads), None)
    few, many = (comments(32, 7, threads, 5).vectors for threads in (40, 400))
    assert distance(space, space.project(few)) == pytest.approx(distance(space, space.project(many)), rel=0.1)


def test_lengths_between_two_sources_fit() -> None:
    """Longer than one source and shorter than another is no difference; beyond both is one."""
    percentiles = np.stack([np.linspace(10, 50, 101), np.linspace(500, 900, 101)])

    def measured(*lengths: int) -> float:
        return length_difference(percentiles, np.array(lengths, np.int64))

    assert measured(100, 200, 300) == 0
    assert measured(1, 2, 3) == 1
    assert measured(5000) == 1


def test_long_words_lists_do_not_drown_the_others() -> None:
    """Each word counts once, of the first hundred, and the worst tenth of the comments is left out."""
    assert words("Well, well, WELL: it's 99 cats") == {"well", "it's", "cats"}
    assert len(words(" ".join(f"w{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(600)))) == 100
    assert words("他们在看") == {"他", "们", "在", "看"}
    counts: NDArray[np.int64] = np.array([[0, 10]] * 9 + [[10, 10]])
    assert unknown_share(counts) == 0


def test_effective_threads_are_fewer_where_one_is_loud() -> None:
    """Kish's number: four equal threads are four, ninety-seven comments of a hundred in one are one."""
    assert effective_threads(np.array(["a", "b", "c", "d"])) == pytest.approx(4)
    assert effective_threads(np.array(["a"] * 97 + ["b", "c", "d"])) == pytest.approx(1.06, abs=0.01)
