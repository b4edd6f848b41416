"""Planted truth: what was put into synthetic threads is found, and what was not is left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats
from tests.aggregate.reply_trees import World, grow

from discourse.aggregate import run
from discourse.aggregate.odds_ratios import odds_ratio, people, within_strata
from discourse.aggregate.prevalence import Interval
from discourse.aggregate.reply_null import meetings
from discourse.aggregate.reply_pairs import reply_pairs
from discourse.config import FilterConfig, parse_config
from discourse.denominator import mark_excluded
from discourse.normalize.duplicates import near_duplicates
from discourse.tables import COMMENTS, ESTIMATES, FRAMES
from discourse.workspace import Workspace

Make = Callable[..., Any]
ALPHA = 0.05
DRAWS = 199

# Branch topics, author habits, dialogues, depth and a tagger's mistakes, but no reply that owes anything to its parent.
NULLS = {
    "nothing": World(),
    "branches and habits": World(branch=1.0, habit=1.0, sensitivity=0.8, false_positive=0.05),
    "dialogues": World(back=0.8, branch=1.0, habit=1.5, sensitivity=0.8, false_positive=0.05),
    "fading with depth": World(base=-0.5, depth=-0.4, branch=1.0, habit=1.0, sensitivity=0.8, false_positive=0.05),
    "few people, one thread": World(threads=1, size=600, authors=15, branch=1.0, habit=1.0, sensitivity=0.8),
}


def _look(world: World, seed: int, draws: int = DRAWS) -> tuple[float, Interval | None, Interval | None]:
    """Return p, the odds ratio over all replies and the one within branches of one grown world."""
    rng = np.random.default_rng([seed, 7])
    tree = grow(world, rng)
    marked = mark_excluded(tree.comments.lazy(), ["en"], FilterConfig()).collect()
    pairs = reply_pairs(marked, marked)
    above, below = tree.tagged[pairs.parent], tree.tagged[pairs.reply]
    found = meetings(pairs, above[:, None], below[:, None], [], rng, draws)
    dyads = people(pairs.parent_author, pairs.reply_author, pairs.branch)
    crude = odds_ratio(above, below, dyads)
    moving, expected = found.exchange.replies, float(found.expected[0, 0])
    inside = None
    if expected > 0:
        inside = within_strata(above[moving], below[moving], found.of_class, dyads.take(moving), expected)
    return (
        float(found.alike.p[0, 0]),
        crude.interval if crude else None,
        inside.interval if inside else None,
    )


def _alarms(world: World, worlds: int) -> tuple[int, int]:
    """Return in how many worlds p is below 5 %, and how many have a p."""
    p = np.array([_look(world, seed)[0] for seed in range(worlds)])
    return int((p < ALPHA).sum()), int((~np.isnan(p)).sum())


def _most(number: int) -> int:
    """Return how many alarms in `number` worlds an honest 5 % gives but once in a thousand."""
    return int(stats.binom.ppf(0.999, number, ALPHA))


def test_sixty_worlds_without_an_answering_frame_raise_few_alarms() -> None:
    """Under branch topics, habits, dialogues and mistakes together, alarms stay within what 5 % allows."""
    alarms, told = _alarms(NULLS["dialogues"], 60)
    assert told == 60
    assert alarms <= _most(60)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("world", NULLS.values(), ids=NULLS.keys())
def test_null_draws_stay_at_the_stated_level(world: World) -> None:
    """In 500 worlds of each kind alarms stay within what 5 % allows."""
    alarms, told = _alarms(world, 500)
    print(f"{alarms} alarms in {told} worlds: {alarms / told:.3f}")
    assert told >= 450
    assert alarms <= _most(told)


@pytest.mark.parametrize("ratio", [1 / 3, 3.0])
def test_planted_co_occurrence_is_found(ratio: float) -> None:
    """Frames that come after themselves more often, or less, are found, and the ratio is near the truth."""
    world = World(threads=8, size=400, authors=200, reply=float(np.log(ratio)))
    p, crude, inside = _look(world, 1, draws=999)
    assert p < 0.01
    assert crude is not None
    assert crude.low < ratio < crude.high
    assert crude.high / crude.low < 2.5
    assert inside is not None
    assert (inside.low > 1) if ratio > 1 else (inside.high < 1)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("ratio", [1.0, 3.0])
@pytest.mark.parametrize("habit", [0.0, 1.0])
def test_the_interval_of_the_odds_ratio_holds_the_truth(ratio: float, habit: float) -> None:
    """In 300 worlds the interval over all replies holds the ratio that large worlds of the same kind have."""
    world = World(reply=float(np.log(ratio)), habit=habit, sensitivity=0.9, false_positive=0.05)
    large = [_look(World(**{**vars(world), "threads": 40, "authors": 2_400}), seed, 1)[1] for seed in range(900, 910)]
    truth = float(np.exp(np.mean([np.log(one.estimate) for one in large if one])))
    found = [one for one in (_look(world, seed, 1)[1] for seed in range(300)) if one]
    held = sum(one.low <= truth <= one.high for one in found)
    print(f"truth {truth:.2f}, held in {held} of {len(found)}: {held / len(found):.3f}")
    assert len(found) == 300
    assert held >= stats.binom.ppf(0.001, 300, 0.95)


def test_a_planted_flood_and_a_planted_loud_author_are_found(
    workspace: Workspace, make_bundle: Make, heldout_rows: Make, comments_table: Make, frames_table: Make
) -> None:
    """A flood of changed copies and a loud author, all tagged, are gone from the variants without them."""
    bundle = make_bundle(["fear"], heldout_rows("fear", {(1, 1): 90, (1, 0): 10, (0, 0): 190, (0, 1): 10}))
    rng = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(400)])
    texts = [" ".join(rng.choice(words, 24)) for _ in range(300)]
    letter = texts[0].split()
    for copy in range(60):
        changed = list(letter)
        changed[int(rng.integers(24))] = f"mine{copy}"
        texts.append(" ".join(changed))
    texts += [" ".join(rng.choice(words, 24)) for _ in range(60)]
    yes = [i % 10 == 0 for i in range(300)] + [True] * 120
    comments = comments_table(420, author=[f"a{i}" for i in range(360)] + ["loud"] * 60, text=texts)
    comments = comments.with_columns(near_duplicates(comments).alias("duplicate_of"))
    assert comments["duplicate_of"].count() == 60
    workspace.write(COMMENTS, comments)
    workspace.write(FRAMES, frames_table(bundle, comments, yes))
    run(workspace, parse_config({"bundles": {"frames": str(bundle.folder)}}))
    found = workspace.read(ESTIMATES)
    ESTIMATES.conform(found)
    plain = (pl.col("unit") == "all") & (pl.col("level") == "frame:fear") & (pl.col("method") == "tag_count")
    counts = found.filter(plain & pl.col("group_by").is_null()).select("variant", "estimate", "n").rows()
    assert {name: (k, n) for name, k, n in counts if name.startswith(("main", "without"))} == {
        "main": (150, 420),
        "without_duplicates": (90, 360),
        "without_loudest_authors": (90, 360),
    }
