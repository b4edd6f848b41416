"""Every language is whole: the same keys, the same places, and no word of another language on its page."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from string import Formatter

import pytest
from selectolax.lexbor import LexborHTMLParser

from discourse.aggregate import (
    agreement,
    coded_labels,
    coder,
    comparison,
    from_labels,
    replies,
    shares,
    similar,
    similar_labels,
    topics,
)
from discourse.config import Config, override
from discourse.report import run
from discourse.report.catalogue import END, ISOLATE, LANGUAGES, words_of
from discourse.report.figures import count, percent, span
from discourse.report.said import Said, said
from discourse.workspace import Workspace

ENGLISH = words_of("en")
OTHERS = [language for language in LANGUAGES if language != "en"]
# What stands in the page as others wrote it, and what is data for programs.
NOT_OURS = (
    ".text, .quoting, div.said, ul.said, span.said, td.said[dir], [lang]:not(html), .thread, cite, h1, code, pre, bdi, "
    "style, script, time, .author, .refusals dt, .refusals dd, .topic h3 span, .keywords, .tag"
)


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_the_same_keys_and_places(language: str) -> None:
    """No key is missing or left over, and each holds the same places and the same bar between bold and plain."""
    other = words_of(language).table
    assert set(other) == set(ENGLISH.table)
    for key, words in ENGLISH.table.items():
        assert _places(words) == _places(other[key]), key
        assert words.count("|") == other[key].count("|"), key
        assert words.startswith(" ") == other[key].startswith(" "), key
        assert words.endswith(" ") == other[key].endswith(" "), key


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_is_no_copy(language: str) -> None:
    """Words of more than one word differ, but for marks and formulas."""
    other = words_of(language).table
    several = {key: words for key, words in ENGLISH.table.items() if len(re.findall(r"[a-z]{3,}", words)) > 2}
    same = [key for key, words in several.items() if other[key] == words]
    assert same == []


@pytest.fixture(scope="module")
def german(story: Workspace, config: Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of the story in German."""
    output = tmp_path_factory.mktemp("german") / "bericht.html"
    run(story, override(config, {"report.lang": "de"}), output)
    return output.read_text(encoding="utf-8")


def test_a_german_page_holds_no_english_sentence(german: str) -> None:
    """Of all words of the English catalogue that are two or more, none is left in text, names or descriptions."""
    page = LexborHTMLParser(german)
    for element in page.css(NOT_OURS):
        element.decompose()
    names = ("aria-label", "title", "placeholder", "alt", "content")
    attributes = [node.attributes.get(name) or "" for node in page.css("*") for name in names]
    body = page.body
    assert body is not None
    text = re.sub(r"\s+", " ", " ".join([body.text(separator=" "), *attributes]))
    left: list[str] = []
    for key, words in ENGLISH.table.items():
        for part in re.split(r"\{\w+\}|\|", words):
            said = part.strip(" .,;:()“”")
            if len(re.findall(r"[A-Za-z]{2,}", said)) >= 2 and re.search(rf"(?<!\w){re.escape(said)}(?!\w)", text):
                left.append(f"{key}: {said}")
    assert left == []
    assert "auswertbaren Kommentare" in text


def test_german_numbers_and_dates(german: str) -> None:
    """Thousands have a point, decimals a comma, and months are German, in text and in charts."""
    words = words_of("de")
    assert (count(1204, words), percent(0.043, words), span((0.004, 0.091), words)) == ("1.204", "4,3 %", "0,4–9,1 %")
    page = LexborHTMLParser(german)
    assert "2. März 2026, 08:17 Uhr UTC" in {node.text() for node in page.css("time")}
    root = page.root
    assert root is not None
    assert root.attributes["lang"] == "de"
    figures = " ".join(node.text() for node in page.css("[data-estimate], .tick"))
    assert "1.204" in figures
    assert not re.search(r"[1-9],\d{3}\b|\d\.\d{1,2}\b(?!\d)", figures)


def test_one_thing_is_said_in_the_singular() -> None:
    """A key with .one behind it is taken where its first place holds 1."""
    assert ENGLISH.text("loss.quarantined", n="1").startswith("1 record that")
    assert ENGLISH.text("loss.quarantined", n="11").startswith("11 records that")
    assert words_of("de").text("header.read.thread", comments="1") == "1 Kommentar wurde gelesen"


def test_words_from_right_to_left_do_not_turn_a_sentence() -> None:
    """A title in Hebrew is isolated within our words; one in Latin letters needs nothing."""
    assert ENGLISH.text("stance.toward", target="האוטובוס!") == f"Toward {ISOLATE}האוטובוס!{END}"
    assert ENGLISH.text("stance.toward", target="the bus!") == "Toward the bus!"
    assert ENGLISH.phrase("stance.toward", target="עיר") == ("Toward ", f"{ISOLATE}עיר{END}")


def _places(words: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(words) if name is not None}


def test_every_language_is_offered() -> None:
    """Each catalogue in the package is one that the settings take."""
    files = (resources.files("discourse.report") / "assets").iterdir()
    assert sorted(LANGUAGES) == sorted(file.name.split(".")[1] for file in files if file.name.startswith("words."))
    assert all(override(Config(), {"report.lang": language}).report.lang == language for language in LANGUAGES)


@pytest.mark.parametrize("language", OTHERS)
def test_sentences_of_the_estimates_are_said_in_the_language(language: str) -> None:
    """Each is found by its pattern whatever its numbers, also one behind another; an unknown one says it is English."""
    words = words_of(language)
    patterns = tomllib.loads(
        (resources.files("discourse.report") / "assets" / f"said.{language}.toml").read_text(encoding="utf-8")
    )
    for english, other in patterns.items():
        assert _places(english) == _places(other)
        names = {"n": "1,204", "of": "9", "k": "7", "only": "language=en", "names": "spring", "left": "autumn"}
        names |= {"sources": "7 sources", "reasons": "4 no text of its own", "whole": "4 eligible comments of 9"}
        names |= {"unknown": "", "what": "no reply is"}
        sentence = english.format(**names)
        found = said(sentence, words)
        assert found.lang is None, sentence
        assert "1,204" not in found.text
        assert said(f"{sentence} A plain count; nothing is estimated.", words).lang is None or not sentence.endswith(
            "."
        )
    assert said("Nobody wrote this.", words) == Said("Nobody wrote this.", "en")
    assert said("3 of nothing known", ENGLISH) == Said("3 of nothing known")


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_a_share_has_its_pattern(language: str) -> None:
    """What stages write on shares, groups of labels and topics is known to the report in every language."""
    written = {
        text
        for module in (from_labels, coder, shares, similar, similar_labels, topics, agreement, comparison, replies)
        for text in (*vars(module).values(), *coded_labels.SENTENCES.values())
        if isinstance(text, str) and re.match(r"[A-Z][a-z'’]+ .*\.$", text) and text != module.__doc__
    }
    assert len(written) > 20
    numbers = {"worth:.1f": "4.5", "sources": "7 sources", "what": "no reply is", "unknown": "", "smoothed": ""}
    unknown = [
        text
        for text in written
        if said(re.sub(r"\{([\w:.,]+)\}", lambda place: numbers.get(place[1], "12"), text), words_of(language)).lang
    ]
    assert unknown == []
