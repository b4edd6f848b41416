"""Near-duplicates against the exact definition."""

from __future__ import annotations

import random

import polars as pl

from discourse.normalize.duplicates import near_duplicates
from discourse.normalize.similar_pairs import SIMILARITY

WORDS = ["lamp", "post", "camera", "street", "mayor", "council", "night", "light", "traffic", "bus", "money", "vote"]


def jaccard(left: str, right: str) -> float:
    """Compare two texts by the definition."""
    one, other = ({tuple(text.split()[i : i + 3]) for i in range(len(text.split()) - 2)} for text in (left, right))
    return len(one & other) / len(one | other)


def test_every_duplicate_is_like_the_first_and_no_other_is_left() -> None:
    """The same clusters as by comparing all pairs: a text joins the earliest leader that it is like."""
    draw = random.Random(5)
    texts: list[str] = []
    for _ in range(40):
        base = [draw.choice(WORDS) for _ in range(draw.randint(6, 40))]
        for _ in range(4):
            changed = list(base)
            for _ in range(draw.randint(0, 3)):
                changed[draw.randrange(len(changed))] = draw.choice(WORDS)
            texts.append(" ".join(changed))
    ids = [f"p:{i}" for i in range(len(texts))]
    found = near_duplicates(pl.DataFrame({"comment_id": ids, "text": texts})).to_list()
    leaders: list[int] = []
    expected: list[str | None] = []
    for index, text in enumerate(texts):
        first = next((leader for leader in leaders if jaccard(texts[leader], text) >= SIMILARITY), None)
        expected.append(None if first is None else ids[first])
        if first is None:
            leaders.append(index)
    assert found == expected
    assert 10 < sum(one is not None for one in found) < 120


def test_case_and_punctuation_do_not_count_and_short_texts_do() -> None:
    """Case and punctuation do not count and short texts do."""
    texts = ["One, two three four five SIX.", "one two three four five six", "one two three four five", None]
    found = near_duplicates(pl.DataFrame({"comment_id": list("abcd"), "text": texts}))
    assert found.to_list() == [None, "a", None, None]


def test_nothing_long_enough_gives_no_duplicates() -> None:
    """Nothing long enough gives no duplicates."""
    frame = pl.DataFrame({"comment_id": ["a"], "text": ["short"]})
    assert near_duplicates(frame).to_list() == [None]
    assert near_duplicates(frame.clear()).to_list() == []


def test_a_flood_of_one_text_ends() -> None:
    """Ten thousand texts that are nearly the same do not take time without end."""
    number = 5_000
    unlike = [f"this very same text {i} again and again with the number {i} at its end" for i in range(number)]
    alike = [f"{i} so a bot writes one and the same long sentence with only its first word new" for i in range(number)]
    ids = [str(i) for i in range(2 * number)]
    found = near_duplicates(pl.DataFrame({"comment_id": ids, "text": unlike + alike}))
    # Two words in the middle change six of twelve shingles, the first word one of fourteen.
    assert found[:number].null_count() == number
    assert found[number:].null_count() == 1
