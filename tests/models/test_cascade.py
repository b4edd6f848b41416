"""The cascade's cut-offs: what they promise on simulated threads, and where they answer nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.models.cascade_bundle import cascade_bundle, cut

from discourse.errors import BundleError
from discourse.models.bundle import Bundle, seal
from discourse.models.cascade import CutOffs, cut_offs, goes_up, load_cascade, says_yes, static_probability
from discourse.models.encoder import load_encoder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with a static tier."""
    return cascade_bundle(tmp_path_factory.mktemp("cascade") / "b", load_encoder(), 0.0, 1.0)


Drawn = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.str_]]


def drawn(threads: int, long: bool, seed: int) -> Drawn:
    """Draw scores, encoder-yes and threads; comments of a thread are alike, and `long` ones hold most of them."""
    rng = np.random.default_rng(seed)
    size = np.minimum(rng.zipf(1.8, threads), 200) if long else np.full(threads, 4)
    thread = np.repeat(np.arange(threads), size)
    mood = rng.normal(size=threads)[thread]
    yes = rng.random(len(thread)) < 1 / (1 + np.exp(2 - mood))
    return rng.normal(size=len(thread)) + 2 * yes + 0.7 * mood, yes, thread.astype(str)


def excess(found: CutOffs, data: Drawn, bound: tuple[float, float]) -> tuple[float, float]:
    """Return by how much weight the losses of new threads are over their bounds, threads counting up to the caps."""
    score, yes, thread = data
    low = -np.inf if found.low is None else found.low
    high = np.inf if found.high is None else found.high
    over: list[float] = []
    for side, changed, cap, most in (
        (yes, score < low, found.yes_cap, bound[0]),
        (~yes, score >= high, found.no_cap, bound[1]),
    ):
        _, unit = np.unique(thread[side], return_inverse=True)
        total = np.bincount(unit)
        counted = np.minimum(total, total.max() if cap is None else cap)
        lost = counted * np.bincount(unit, changed[side]) / total
        over.append(float((lost - most * counted).sum() / counted.sum()))
    return over[0], over[1]


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("threads", [60, 300])
def test_the_losses_on_new_threads_are_within_their_bounds_in_expectation(threads: int, long: bool) -> None:
    bound = (0.05, 0.02)
    draws = 150
    over = []
    for seed in range(draws):
        score, yes, thread = drawn(threads, long, seed)
        found = cut_offs(score, yes, thread, np.ones(len(score)), *bound)
        over.append(excess(found, drawn(400, long, 10_000 + seed), bound))
    mean, error = np.mean(over, axis=0), np.std(over, axis=0) / np.sqrt(draws)
    assert (mean <= 3 * error).all()
    # And the bounds are used: not everything goes up.
    assert mean[0] > -0.045


def test_what_nineteen_threads_cannot_promise_twenty_can() -> None:
    score, thread = np.arange(40.0), np.array([str(i % 20) for i in range(40)])
    yes = np.arange(40) >= 20
    few = thread != "0"
    assert cut_offs(score, yes, thread, np.ones(40)).low == 20
    left = few & (thread != "1")
    assert cut_offs(score[left], yes[left], thread[left], np.ones(36)).low is None
    assert cut_offs(score, np.zeros(40, bool), thread, np.ones(40)).low is None
    assert cut_offs(score, yes, thread, np.ones(40)).high is None
    empty = cut_offs(np.zeros(0), np.zeros(0, bool), np.zeros(0, str), np.zeros(0))
    assert empty.whole
    assert empty.high is None


def test_a_thread_of_great_weight_is_capped_and_rows_of_unknown_weight_are_left_out() -> None:
    rng = np.random.default_rng(0)
    score, thread = rng.normal(size=60), np.arange(60).astype(str)
    yes, weight = np.ones(60, bool), np.ones(60)
    plain = cut_offs(score, yes, thread, weight)
    assert plain.yes_cap is None
    weight[3] = 500.0
    heavy = cut_offs(score, yes, thread, weight)
    assert heavy.low is not None
    assert heavy.yes_cap == 1
    weight[3] = np.nan
    known = np.arange(60) != 3
    same = cut_offs(score[known], yes[known], thread[known], weight[known])
    assert cut_offs(score, yes, thread, weight) == same


@given(
    st.lists(
        st.tuples(st.integers(-5, 5), st.booleans(), st.integers(0, 30), st.sampled_from([0.5, 1.0, 8.0])), max_size=200
    ),
    st.floats(0.01, 0.4),
    st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=60)
def test_cut_offs_keep_their_bounds_on_what_they_were_found_on(rows: list, bound: float, order: object) -> None:
    def found(some: list, lost: float) -> CutOffs:
        score, yes, thread, weight = (np.array(part) for part in zip(*some, strict=True)) if some else [np.zeros(0)] * 4
        return cut_offs(score.astype(float), yes.astype(bool), thread.astype(str), weight.astype(float), lost, lost / 2)

    first = found(rows, bound)
    assert first.lost <= bound
    assert first.turned <= bound / 2
    if first.low is not None and first.high is not None:
        assert first.low <= first.high
    more = found(rows, bound * 1.5)
    if first.low is not None and first.high is None and more.high is None:
        assert more.low is not None
        assert more.low >= first.low or more.yes_cap != first.yes_cap
    mixed = list(rows)
    order.shuffle(mixed)  # type: ignore[attr-defined]
    again = found(mixed, bound)
    assert (again.low, again.high) == (first.low, first.high)


def test_a_comment_goes_up_when_any_frame_needs_it() -> None:
    sides = [cut(0.0, 2.0), cut(0.0)]
    scores = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [2.0, -0.1], [-1.0, 0.0]])
    assert goes_up(scores, sides).tolist() == [False, True, True, False, True]
    assert says_yes(scores, sides)[3].tolist() == [True, False]
    assert goes_up(scores, [cut(None), cut(0.0)]).all()


def test_static_probabilities_stand_on_the_side_of_their_answer(bundle: Bundle) -> None:
    own = bundle.calibration()[bundle.manifest.labels[0]]
    scores = np.array([-3.0, -0.01, 1.0, 5.0])
    p = static_probability(scores, cut(0.6, 0.9), own, own)
    assert ((p >= own.threshold) == [False, False, True, True]).all()
    assert (np.diff(p) > 0).all()


def test_a_damaged_table_of_cut_offs_is_one_sentence(bundle: Bundle, tmp_path: Path) -> None:
    told = load_cascade(bundle)
    assert told is not None
    assert told.whole == ()
    table = told.model_dump()
    wrong = {
        "is no JSON": "{",
        "lost": json.dumps({**table, "lost": 2}),
        "other frames": json.dumps({**table, "levels": {"another": table["levels"][bundle.manifest.labels[0]]}}),
        "surprise": json.dumps({**table, "surprise": 1}),
    }
    for number, (words, text) in enumerate(wrong.items()):
        folder = shutil.copytree(bundle.folder, tmp_path / f"wrong-{number}")
        (folder / "cascade.json").write_text(text, encoding="utf-8")
        (folder / "bundle.toml").unlink()
        with pytest.raises(BundleError, match=words):
            load_cascade(seal(folder, bundle.manifest.model_dump(exclude={"format", "files"})))
