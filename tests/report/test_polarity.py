"""Swap favor and against, and everything turns: every sentence, bar, cell, quote and mark, and nothing else."""

from __future__ import annotations

import shutil

import pytest
from tests.report.decoding import embedded
from tests.report.mirrored import SIDES, bars, named, partners, quoted, swap_estimates, swap_tags, tagged, words

from discourse.config import Config
from discourse.report import document
from discourse.workspace import Workspace, open_workspace


@pytest.fixture(scope="module")
def pages(story: Workspace, config: Config, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The report of the story, and that of the story with its sides swapped."""
    story.author_key(config.normalize.author_key)
    copy = tmp_path_factory.mktemp("turned") / "ws"
    shutil.copytree(story.root, copy)
    turned = open_workspace(copy)
    swap_tags(turned)
    swap_estimates(turned)
    return document(story, config, "html"), document(turned, config, "html")


def test_every_number_is_that_of_the_other_side(story: Workspace, pages: tuple[str, str]) -> None:
    """Place by place, the page prints the estimate of the other side, and those without a side stay."""
    before, after = map(named, pages)
    other = partners(story)
    assert after == [other[name]["estimate_id"] for name in before]
    assert sum(one != two for one, two in zip(before, after, strict=True)) >= 8


def test_the_words_around_them_stay(pages: tuple[str, str]) -> None:
    """No label, heading or sentence depends on which side is larger."""
    assert words(pages[0]) == words(pages[1])


@pytest.mark.parametrize("side", SIDES)
def test_bars_quotes_and_marks_turn(pages: tuple[str, str], side: str) -> None:
    """The bars of one side become those of the other, and so do the examples and the marks on comments."""
    before, after = pages
    assert bars(before, side)
    assert bars(before, side) == bars(after, SIDES[side])
    assert quoted(before, side)
    assert quoted(before, side) == quoted(after, SIDES[side])
    assert {name for name, _ in tagged(before, side)} == {name for name, _ in tagged(after, SIDES[side])}


def test_the_embedded_tags_turn(pages: tuple[str, str]) -> None:
    """In the data for the browser the codes of both sides are swapped, of models and of readers."""
    before, after = (embedded(page) for page in pages)
    assert before is not None
    assert after is not None
    turned = {1: 2, 2: 1}
    for column in ("target0", "target0_readers"):
        assert after.columns[column] == [turned.get(code, code) for code in before.columns[column]]
    assert {1, 2} <= set(before.columns["target0"])


def test_the_finding_turns(pages: tuple[str, str]) -> None:
    """The sentence on the target says the other number of each side."""
    for page, against, favor in zip(pages, ("45 %", "31 %"), ("31 %", "45 %"), strict=True):
        start = page.index("The target “the late buses”")
        sentence = page[start : page.index("</p>", start)].replace("\u00a0", " ")
        assert sentence.index(against) < sentence.index("against") < sentence.index(favor) < sentence.index("favor")
