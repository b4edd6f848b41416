"""The script of the page: one text without a tag in it, whose words are all in the catalogues."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from discourse.report.catalogue import LANGUAGES, words_of
from discourse.report.scripts import FILES, script


def test_every_file_of_the_script_is_in_it() -> None:
    """The folder holds no file that the page lacks."""
    folder = resources.files("discourse.report") / "assets" / "explorer"
    assert sorted(file.name for file in folder.iterdir()) == sorted(f"{name}.js" for name in FILES)


def test_nothing_in_the_script_ends_it_or_makes_markup_or_code_of_words() -> None:
    """No tag that a browser would see, and no way from text to markup, code or the network."""
    text = script()
    assert "</" not in text
    assert "<!--" not in text
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function|fetch\(|XMLHttp", text
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_word_that_the_script_says_is_in_the_catalogue(lang: str) -> None:
    """Keys written out are there, and keys put together have some that begin so."""
    table = words_of(lang).table
    said = set(re.findall(r'"((?:explorer|comment|date|month|number)\.[a-z_.]+)"', script()))
    begun = set(re.findall(r"`((?:explorer|month)\.[a-z_.]*)\$", script()))
    assert len(said) > 40
    assert sorted(said - set(table)) == []
    assert [start for start in begun if not any(key.startswith(start) for key in table)] == []


def test_the_catalogue_has_no_word_that_nobody_says() -> None:
    """Each key of the explorer is in the script, or in a template, or is put together there."""
    folder = resources.files("discourse.report")
    templates = "".join(file.read_text(encoding="utf-8") for file in (folder / "templates").iterdir())
    whole = script() + templates
    begun = set(re.findall(r"(explorer\.(?:[a-z_]+\.)+)[\"$]", whole))
    keys = [key for key in words_of("en").table if key.startswith("explorer.")]
    fields = {"explorer." + name for name in re.findall(r'(?:listed|word)\("(\w+)"', whole)}
    fields |= {"explorer." + name for name in re.findall(r'\["(evidence|repeats|from|to)"', whole)}
    fields |= {"explorer." + name for name in re.findall(r'"(with|without|only)"', whole)}
    unused = [
        key
        for key in keys
        if key.removesuffix(".one") not in whole and key not in fields and not key.startswith(tuple(begun))
    ]
    assert unused == []
