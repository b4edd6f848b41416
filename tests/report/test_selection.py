"""Which comments are shown follows fixed rules."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from discourse.config import Config, parse_config
from discourse.receipt import Receipt
from discourse.report.selection import LISTED, asked, frame_examples, listed
from discourse.tables import FRAMES


def tag(name: str, probability: float, **values: Any) -> dict[str, Any]:
    """Return one row of the frames table."""
    decision = "yes" if probability >= 0.5 else "no"
    return {
        "comment_id": name,
        "frame": "f",
        "probability": probability,
        "above_threshold": probability >= 0.5,
        "decision": decision,
        "tier": "encoder",
        "path": "exact",
        "bundle": "b@1",
        **values,
    }


def tags(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return a frames table."""
    return FRAMES.conform(pl.DataFrame(rows))


def outline(names: list[str], authors: list[str | None] | None = None) -> pl.DataFrame:
    """Return an outline of comments."""
    return pl.DataFrame(
        {"comment_id": names, "author": authors or [f"a{place}" for place in range(len(names))]},
        schema={"comment_id": pl.String(), "author": pl.String()},
    )


def test_examples_are_strongest_typical_and_borderline() -> None:
    """Two strongest, the two nearest the middle of the others, and the one nearest the threshold."""
    scores = {"a": 0.99, "b": 0.95, "c": 0.9, "d": 0.8, "e": 0.7, "f": 0.58, "g": 0.55, "h": 0.45, "i": 0.1}
    found = frame_examples(tags(*(tag(*each) for each in scores.items())), "f", outline(list(scores)))
    assert [(example.kind, example.comment_id) for example in found] == [
        ("strongest", "a"),
        ("strongest", "b"),
        ("typical", "e"),
        ("typical", "d"),
        ("borderline", "g"),
    ]


def test_an_author_is_quoted_once() -> None:
    """A loud author does not fill the examples."""
    scores = {"a": 0.99, "b": 0.98, "c": 0.97, "d": 0.7}
    found = frame_examples(
        tags(*(tag(*each) for each in scores.items())), "f", outline(list(scores), ["x", "x", "x", "y"])
    )
    assert [example.comment_id for example in found] == ["a", "d"]


def test_no_tags_no_examples() -> None:
    """An empty table gives no examples."""
    assert frame_examples(FRAMES.empty(), "f", outline([])) == []


def test_the_list_holds_quoted_then_tagged_then_first() -> None:
    """The cap leaves out untagged comments first, and the order stays that of the threads."""
    names = [f"c{place:04d}" for place in range(LISTED + 100)]
    quoted, tagged = [names[-1]], pl.DataFrame({"comment_id": names[-11:-1]})
    chosen = listed(outline(names), quoted, tagged)["comment_id"].to_list()
    assert len(chosen) == LISTED
    assert chosen == sorted(chosen)
    assert chosen[-11:] == names[-11:]
    assert chosen[0] == names[0]


@pytest.mark.parametrize(("exact", "expected"), [(True, "exact"), (False, "cascade")])
def test_the_path_that_was_asked_for_is_shown(exact: bool, expected: str) -> None:
    """Of two paths the report shows the one that the run asked for."""
    config = parse_config({"tagging": {"exact": exact}})
    both = tags(tag("a", 0.9), tag("a", 0.4, path="cascade"))
    assert asked(both, "frame", config, Receipt())["path"].to_list() == [expected]


def test_the_bundle_of_the_receipt_is_shown() -> None:
    """Tags of an older bundle are left out."""
    both = tags(tag("a", 0.9), tag("a", 0.4, bundle="b@2"), tag("b", 0.9))
    receipt = Receipt(bundles={"frames": "b@2"})
    assert asked(both, "frame", Config(), receipt)["bundle"].to_list() == ["b@2"]
