"""Codebooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from discourse.codebook import load_codebook, shipped_codebooks
from discourse.errors import DiscourseError

GOOD = """
name = "c"
version = 1
unit = "one comment"
[[frames]]
name = "a_frame"
title = "A frame"
definition = "what it is"
yes = ["this"]
no = ["that"]
"""


def test_the_shipped_codebook_has_the_three_frames() -> None:
    assert shipped_codebooks() == ["surveillance-culture-secrecy"]
    codebook = load_codebook("surveillance-culture-secrecy")
    assert codebook.names == ("fear_of_surveillance", "culture_war_framing", "classification_speculation")
    assert all({example.label for example in frame.examples} == {True, False} for frame in codebook.frames)


def test_its_hash_follows_its_words(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(GOOD, encoding="utf-8")
    before = load_codebook(file).sha256
    file.write_text(GOOD.replace("what it is", "what it means"), encoding="utf-8")
    assert load_codebook(file).sha256 != before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + 'colour = "red"', 'unknown key "frames.0.colour"'),
        (GOOD.replace('yes = ["this"]', "yes = []"), "frames.0.yes"),
        (GOOD.replace("a_frame", "A Frame"), "frames.0.name"),
        (GOOD + GOOD[GOOD.index("[[") :], "frame names repeat: a_frame"),
        (GOOD + 'examples = [{ text = "x", label = true, why = "y" }]', "examples of one reading only"),
        ("name = ", "not valid TOML"),
    ],
    ids=["unknown key", "no yes rule", "name", "repeated", "one-sided", "toml"],
)
def test_a_bad_codebook_is_told_in_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DiscourseError) as caught:
        load_codebook(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("name", ["none.toml", "surveilance-culture-secrecy", "."])
def test_a_codebook_that_is_not_there(name: str) -> None:
    with pytest.raises(DiscourseError, match=r"no such|did you mean|is a folder"):
        load_codebook(name)
