"""Reading answers: whatever a model writes, a code is in the codebook and its passage in the comment."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.codebook import load_codebook
from discourse.models.judge.answers import Invalid, Reply, Vote, locate, read_answer
from discourse.models.judge.client import chat_reply
from discourse.models.judge.consensus import consensus
from discourse.models.judge.prompt import (
    FRAME_ANSWERS,
    SHOWN,
    STANCE_ANSWERS,
    Item,
    Questions,
    message_id,
    system_text,
    user_text,
)

BOOK = load_codebook("surveillance-culture-secrecy")
ASKED = Questions(BOOK, BOOK.frames, ("the ferry", 'a "quoted" target'))
TEXT = "They watch us — “every” lamp\n does."
LEAF = (
    st.none()
    | st.booleans()
    | st.floats(allow_nan=True)
    | st.text(max_size=12)
    | st.sampled_from(["yes", "no", "favor"])
)
JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
CELL = st.fixed_dictionaries(
    {
        "answer": st.sampled_from([*FRAME_ANSWERS, *STANCE_ANSWERS, "maybe"]) | JSON,
        "evidence": st.text(max_size=9) | JSON,
    }
)


def _checked(reply: Reply) -> dict[tuple[str, str], Vote | Invalid]:
    votes = read_answer(reply, ASKED, "0123abcd", TEXT)
    assert list(votes) == ASKED.levels
    for (kind, _), vote in votes.items():
        if isinstance(vote, Vote):
            assert vote.value in (FRAME_ANSWERS if kind == "frame" else STANCE_ANSWERS)
            assert (vote.value in SHOWN) == (vote.start is not None)
            if vote.start is not None and vote.end is not None:
                assert TEXT[vote.start : vote.end]
    return votes


@given(content=st.text(max_size=200), finish=st.sampled_from(["stop", "length", ""]))
def test_any_text_is_read_without_a_fault_of_ours(content: str, finish: str) -> None:
    _checked(Reply(content=content, finish=finish))


@settings(deadline=None)
@given(value=JSON, cells=st.lists(CELL, min_size=5, max_size=5), wrapped=st.booleans())
def test_any_json_gives_codes_of_the_codebook_or_a_reason(value: Any, cells: list[Any], wrapped: bool) -> None:
    _checked(Reply(content=json.dumps(value)))
    whole = {
        "id": "0123ABCD",
        "frames": dict(zip(BOOK.names, cells, strict=False)),
        "stance": {"T1": cells[3], "T2": cells[4]},
    }
    text = json.dumps(whole)
    votes = _checked(Reply(content=f"```json\n{text}\n```" if wrapped else text))
    assert not {Invalid.NO_JSON, Invalid.WRONG_ID, Invalid.EMPTY} & set(votes.values())


@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps({"choices": value}).encode()))
def test_any_body_is_a_reply_or_none(body: bytes) -> None:
    found = chat_reply(body)
    assert found is None or isinstance(found.content, str)


@pytest.mark.parametrize(
    ("passage", "found"),
    [
        ("watch us", "watch us"),
        (' "watch us" ', "watch us"),
        ("us - 'every' lamp", None),
        ('us - "every" lamp', "us — “every” lamp"),
        ("lamp does.", "lamp\n does."),
        ("WATCH US", None),
        ("watch them", None),
        ("", None),
        ("()[*", None),
    ],
)
def test_a_passage_is_found_letter_by_letter(passage: str, found: str | None) -> None:
    span = locate(passage, TEXT)
    assert (TEXT[slice(*span)] if span else None) == found


@given(text=st.text(min_size=1, max_size=60), data=st.data())
def test_what_is_cut_from_a_text_is_found_in_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    part = text[start:end].strip()
    span = locate(part, text)
    assert (span is None) == (not part)
    assert span is None or text[slice(*span)] == part


@given(text=st.text(max_size=80), title=st.text(max_size=20), parent=st.text(max_size=40))
def test_the_id_of_a_message_does_not_stand_in_what_it_fences(text: str, title: str, parent: str) -> None:
    item = Item(text, title, parent)
    mark = message_id("prompt", item)
    assert mark not in text + title + parent
    message = user_text(item, mark, 8_000)
    assert message.count(mark) == 1 + 2 * sum(bool(part) for part in (text, title, parent))


def test_the_codebook_is_told_whole() -> None:
    told = system_text(ASKED)
    for frame in BOOK.frames:
        for part in (frame.definition, *frame.yes, *frame.no, *(example.why for example in frame.examples)):
            assert part in told
    assert all(rule in told for rule in BOOK.tie_breaks)
    assert BOOK.unit in told
    assert '- T2: "a \\"quoted\\" target"' in told


def votes(said: str) -> list[Vote | Invalid]:
    known = {"y": Vote("yes", 0, 4), "Y": Vote("yes", 5, 8), "n": Vote("no"), "u": Vote("unsure")}
    return [known.get(letter, Invalid.REFUSAL) for letter in said]


@pytest.mark.parametrize(
    ("said", "value", "reason"),
    [
        ("yyn", "yes", None),
        ("yyy", "yes", None),
        ("yn", "unsure", "runs"),
        ("ynu", "unsure", "runs"),
        ("uun", "unsure", "model"),
        ("yy!", "yes", None),
        ("yn!", "unsure", "runs"),
        ("y!", "unsure", "refusal"),
        ("n!!", "unsure", "refusal"),
        ("!!!", "unsure", "refusal"),
        ("y", "yes", None),
        ("yynnu", "unsure", "runs"),
    ],
)
def test_more_than_half_of_the_runs_make_a_code(said: str, value: str, reason: str | None) -> None:
    code = consensus(votes(said))
    assert (code.value, code.reason) == (value, reason)
    assert code.unanimous == (said in {"yyy", "y"})


@given(said=st.text("yYnu!", min_size=1, max_size=9))
def test_shares_are_of_the_valid_answers_and_the_passage_is_the_commonest(said: str) -> None:
    code = consensus(votes(said))
    assert not code.shares or abs(sum(code.shares.values()) - 1) < 1e-9
    yes = said.count("y") + said.count("Y")
    assert (code.value == "yes") == (2 * yes > len(said))
    if code.value == "yes" and said.count("y") != said.count("Y"):
        assert code.start == (0 if said.count("y") > said.count("Y") else 5)
