"""One answer: JSON of every kind that servers and attackers send."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.moments import moment
from discourse.collect.nesting import deepest
from discourse.tables import Precision, Reason


def answer(body: bytes, kind: str = "application/json") -> Answer:
    """Return an answer with this body."""
    return Answer("https://h.test/", 200, {"content-type": kind}, body, datetime(2025, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize("depth", [1_500, 2_500, 100_000])
def test_json_that_is_too_deep_is_told_and_not_parsed(depth: int) -> None:
    """Nesting beyond what can be read is a reason, whatever the depth."""
    with pytest.raises(UnreadableAnswerError) as caught:
        answer(b"[" * depth + b"]" * depth).json()
    assert caught.value.reason is Reason.TOO_DEEP


def test_halves_of_characters_become_replacements() -> None:
    """An escape of half a surrogate pair becomes a text that can be written; whole pairs stay."""
    found = answer(rb'{"a\ud800": ["x\ud800y", {"b": "\ud83d\ude42"}]}').json()
    written = json.dumps(found, ensure_ascii=False).encode()
    assert "🙂".encode() in written
    assert b"x" in written


def test_numbers_of_many_digits_take_no_time() -> None:
    """A number of a million digits is read as a float that is not finite or as one, and does not stop the run."""
    found = answer(b"[" + b"9" * 1_000_000 + b"]").json()
    assert isinstance(found, list)


def test_entities_in_xml_are_refused() -> None:
    """XML that declares entities is not read."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    with pytest.raises(UnreadableAnswerError) as caught:
        answer(bomb, "text/xml").xml()
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"caf\xe9", "text/html; charset=iso-8859-1", "café"),
        ("café".encode(), "text/html; charset=iso-8859-1", "café"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "text/html", "café"),
        (b'<meta charset="windows-1251">\xcf\xf0', "text/html", '<meta charset="windows-1251">Пр'),
        (b"\x93quoted\x94", "text/html", "“quoted”"),
        (b"\xff\xfeA\x00", "", "A"),
        (b"x\xe9", "text/html; charset=no-such-thing", "xé"),
    ],
)
def test_the_charset_is_decided_as_browsers_do(body: bytes, kind: str, text: str) -> None:
    """Mark, valid UTF-8, header and meta decide, in this order; a wrong name is no error."""
    assert answer(body, kind).text() == text


@given(st.binary(max_size=200), st.text(max_size=30))
def test_any_bytes_give_text(body: bytes, kind: str) -> None:
    """No bytes and no content type stop the decoding."""
    assert isinstance(answer(body, f"text/html; charset={kind}").text(), str)


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_depth_is_counted_as_json_nests(value: object) -> None:
    """Brackets within texts do not count."""

    def depth(one: object) -> int:
        inner = list(one.values()) if isinstance(one, dict) else one if isinstance(one, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    assert max(deepest(json.dumps(value)), 1) == max(depth(value), 1)


@pytest.mark.parametrize(
    ("written", "precision"),
    [
        ("2025-03-01T12:00:00Z", Precision.EXACT),
        ("2025-03-01 12:00", Precision.MINUTE),
        ("2025-03-01", Precision.DAY),
        (1_740_830_400, Precision.EXACT),
        ("1740830400000", Precision.EXACT),
        ("Sat, 01 Mar 2025 12:00:00 +0000", Precision.EXACT),
    ],
)
def test_moments_are_read_with_their_precision(written: object, precision: Precision) -> None:
    """Each form of a time gives the same moment, known as exactly as it is written."""
    found = moment(written)
    assert found.precision is precision
    assert found.at is not None
    assert found.at.date() == datetime(2025, 3, 1, tzinfo=UTC).date()


@given(st.text(max_size=40) | st.floats() | st.integers() | st.none() | st.booleans())
def test_no_time_stops_the_reading(written: object) -> None:
    """What is no time is an unknown moment."""
    assert moment(written).precision in Precision
