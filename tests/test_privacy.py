"""What leads to a person is found where it is one, left alone where it is not, and quickly on whatever is written."""

from __future__ import annotations

import time

import polars as pl
import pytest

from discourse.privacy import count_traces, defanged, hidden_estimates, pseudonym, traces, without_words


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("kim.b@mail.example.org", "email"),
        ("kim (at) example (dot) org", "email"),
        ("+49 170 1234567", "phone"),
        ("0049 30 1234567", "phone"),
        ("0170/1234567", "phone"),
        ("(030) 123456", "phone"),
        ("555-123-4567", "phone"),
        ("٠١٢٣٤٥٦٧٨٩", "phone"),
        ("@kim_b", "name"),
        ("@kim@social.example", "name"),
        ("＠كيم", "name"),
        ("@kim@a@b", "name"),
        ("/u/kim-b", "name"),
        ("u/kim", "name"),
        ("https://a.example/b?c=d#e", "link"),
        ("www.example.org", "link"),
        ("example.com", "link"),
        ("sub.a.example/path", "link"),
    ],
)
def test_what_leads_to_a_person_is_found(text: str, kind: str) -> None:
    """Alone, in a sentence and in brackets, each is found whole."""
    for before, after in (("", ""), ("Ask ", " please."), ("(", ")"), ("see: ", ", or so")):
        found = [
            (trace.kind, (before + text + after)[trace.start : trace.end]) for trace in traces(before + text + after)
        ]
        assert [each[0] for each in found] == [kind], found
        assert found[0][1].startswith(text)


@pytest.mark.parametrize(
    "text",
    [
        "1,000,000 people",
        "1914-1918 and 2019/2020",
        "on 01/02/2024 10:33 or 2024-05-01 12:30",
        "on 05-01-2024 10:00",
        "0.123456789",
        "3.14159 is pi, 1234567890 is not",
        "and/or, menu/foo, he did.it, e.g. this, U.S. law, v1.2.3",
        "meet @ 5 pm",
        "ISBN 978-3-16-148410-0",
    ],
)
def test_what_is_none_is_left_alone(text: str) -> None:
    """Years, dates, amounts and slashes are no numbers and no names."""
    assert not traces(text)


@pytest.mark.parametrize(
    "flood", ["a", "a.b.", "0-", "@", "(0", "www.", "a@", "u/", "+1", "://", "\u0660", "a-", "at("]
)
def test_a_flood_takes_no_time(flood: str) -> None:
    """A text made to keep a regular expression busy is read in a moment."""
    began = time.perf_counter()
    traces(flood * (100_000 // len(flood)))
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("before", [".", "/", "(", "by/"])
def test_a_name_behind_a_sign_is_found(before: str) -> None:
    """People are addressed behind a dot or a slash, too."""
    assert [trace.kind for trace in traces(f"{before}@kim said")] == ["name"]


def test_addresses_become_text() -> None:
    """No program follows them, and people in them are not named."""
    assert defanged("https://x.example.org/@kim/1.html", "[name]") == "hxxps://x[.]example[.]org/[name]/1.html"
    assert defanged("https://x.example/a:@kim?b", "[name]") == "hxxps://x[.]example/a:[name]?b"
    assert defanged("www.example.org", "[name]") == "www[.]example[.]org"


def test_traces_are_counted_by_kind() -> None:
    """Every kind has its number, null texts none."""
    texts = pl.Series(["@kim and @bo", None, "a@b.example", "nothing"])
    assert count_traces(texts) == {"email": 1, "phone": 0, "name": 2, "link": 0}


def test_hidden_estimates_lead_to_no_thread_and_no_hour() -> None:
    """Threads have pseudonyms, also in a comparison; of times the order and the width stay."""
    frame = pl.DataFrame(
        {
            "unit": ["all", "thread:x:77", "ws/thread:x:77", "ws/all"],
            "group_by": [None, "time", "time", "word"],
            "group": [None, "2024-05-01T13:00/PT1H", "2024-05-01T12:00/PT1H", "2024"],
            "contrast": [None, None, "2024-05-01T13:00/PT1H", "thread:x:77777"],
            "denominator": ["7 of 9", "5 written in 2024-05-01T13:00/PT1H", "of thread:x:77 and x:77777", ""],
            "assumptions": ["", "", "", ""],
            "family": [None, None, None, "threads"],
        }
    )
    hidden = hidden_estimates(frame, b"key")
    name, other = pseudonym(b"key", "x:77"), pseudonym(b"key", "x:77777")
    assert hidden["unit"].to_list() == ["all", f"thread:{name}", f"ws/thread:{name}", "ws/all"]
    assert hidden["group"].to_list() == [None, "bin 2/PT1H", "bin 1/PT1H", "2024"]
    assert hidden["contrast"].to_list() == [None, None, "bin 2/PT1H", f"thread:{other}"]
    said = ["7 of 9", "5 written in bin 2/PT1H", f"of thread:{name} and {other}", ""]
    assert hidden["denominator"].to_list() == said


def test_rows_of_single_words_can_be_left_out() -> None:
    """Where no text may leave, neither do the words that set two sides apart."""
    assert without_words(pl.DataFrame({"level": ["frame:fear", "word:zebra"]}))["level"].to_list() == ["frame:fear"]
