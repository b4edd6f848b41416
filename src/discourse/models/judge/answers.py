"""What an answer of the external coder says, strictly read: a code for every level, or the reason why it is none."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from discourse.models.judge.prompt import FRAME_ANSWERS, SHOWN, STANCE_ANSWERS, Questions


class Invalid(StrEnum):
    """Why an answer, or what it says of one level, does not count."""

    EMPTY = "empty"
    NO_JSON = "no_json"
    TRUNCATED = "truncated"  # the answer ends in the middle
    REFUSAL = "refusal"
    WRONG_ID = "wrong_id"  # not an answer to this message, such as one that a comment dictated
    INCOMPLETE = "incomplete"  # a level is missing
    UNKNOWN_LABEL = "unknown_label"  # an answer or a name outside the codebook
    WRONG_EVIDENCE = "wrong_evidence"  # the passage does not stand in the comment
    MALFORMED = "malformed"  # not of the form of chat completions
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"  # the comment does not fit into what the model reads
    REJECTED = "rejected"  # the server refuses this comment
    NO_ANSWER = "no_answer"  # the server failed on this comment, and answered others


# Asking again would not help.
FINAL = frozenset({Invalid.TOO_LONG, Invalid.REJECTED})


@dataclass(frozen=True, slots=True)
class Vote:
    """What one run says of one level; the span is half-open in code points of the text."""

    value: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer to one request.

    content: what the model wrote. finish: why it stopped, as the server says. tokens: sent and answered, null where
    not told. fault: what is wrong with the answer as a whole, before it is read.
    """

    content: str = ""
    finish: str = ""
    refused: bool = False
    tokens_in: int | None = None
    tokens_out: int | None = None
    fault: Invalid | None = None


Votes = dict[tuple[str, str], Vote | Invalid]

_REFUSAL = re.compile(
    r"\s*(?:i['’]?m sorry|sorry|i (?:can['’]?t|cannot|can not|won['’]?t|am unable|must decline)|as an ai\b"
    r"|es tut mir leid|ich kann (?:das|diese|dabei))",
    re.IGNORECASE,
)
_THOUGHT = re.compile(r"\s*<think>.*?</think>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```[a-zA-Z]*\s*\n(.*?)```", re.DOTALL)
_QUOTES = {"'": "['‘’ʼ´`]", '"': '["“”„«»]', "-": "[-‐‑–—]"}


def read_answer(reply: Reply, questions: Questions, mark: str, text: str) -> Votes:
    """Read one answer: for each level of `questions` a vote, or why there is none.

    Args:
        reply: what came back.
        questions: what was asked.
        mark: the id that the answer must carry.
        text: the comment as it was sent; evidence must stand in it.
    """
    levels = questions.levels
    found = one_object(reply)
    if isinstance(found, Invalid):
        return dict.fromkeys(levels, found)
    if str(found.get("id", "")).strip().lower() != mark:
        return dict.fromkeys(levels, Invalid.WRONG_ID)
    frames, stance = found.get("frames", {}), found.get("stance", {})
    names = {("frame", frame.name): (frames, frame.name, FRAME_ANSWERS) for frame in questions.frames}
    names |= {
        ("stance", target): (stance, f"T{number}", STANCE_ANSWERS)
        for number, target in enumerate(questions.targets, start=1)
    }
    known = {"id", *(["frames"] if questions.frames else []), *(["stance"] if questions.targets else [])}
    strange = set(found) - known
    for part, wanted in ((frames, questions.frames), (stance, questions.targets)):
        if not isinstance(part, dict):
            return dict.fromkeys(levels, Invalid.UNKNOWN_LABEL)
        if wanted:
            strange |= {str(name) for name in part} - {name for inside, name, _ in names.values() if inside is part}
    if strange:
        return dict.fromkeys(levels, Invalid.UNKNOWN_LABEL)
    return {level: _vote(part.get(name), answers, text) for level, (part, name, answers) in names.items()}


def outcome(votes: Votes) -> Invalid | None:
    """Return the first reason in the votes of one answer; None if all are valid."""
    return next((vote for vote in votes.values() if isinstance(vote, Invalid)), None)


def _vote(cell: Any, answers: tuple[str, ...], text: str) -> Vote | Invalid:  # noqa: ANN401  # JSON is of any form
    if cell is None:
        return Invalid.INCOMPLETE
    if not isinstance(cell, dict):
        return Invalid.UNKNOWN_LABEL
    given = cast("dict[str, Any]", cell)
    answer, evidence = given.get("answer"), given.get("evidence") or ""
    if not isinstance(answer, str) or answer.strip().lower() not in answers:
        return Invalid.INCOMPLETE if answer is None else Invalid.UNKNOWN_LABEL
    value = answer.strip().lower()
    if value not in SHOWN:
        return Vote(value)
    span = locate(evidence, text) if isinstance(evidence, str) else None
    return Invalid.WRONG_EVIDENCE if span is None else Vote(value, *span)


def locate(passage: str, text: str) -> tuple[int, int] | None:
    """Return where a passage stands in a text; white space, quotation marks and dashes may be of another form."""
    passage = passage.strip()
    for part in (passage, passage.strip("\"'“”„‘’ ")):
        start = text.find(part) if part else -1
        if start >= 0:
            return start, start + len(part)
    if not passage or len(passage) > len(text) + 100:
        return None
    forms = {letter: form for plain, form in _QUOTES.items() for letter in {plain, *form[1:-1]}}
    words = ["".join(forms.get(letter, re.escape(letter)) for letter in word) for word in passage.split()]
    found = re.search(r"\s+".join(words), text)
    return found.span() if found else None


def one_object(reply: Reply) -> dict[str, Any] | Invalid:
    """Return the one JSON object of an answer, bare, in a code fence or among words."""
    if reply.fault is not None:
        return reply.fault
    if reply.refused:
        return Invalid.REFUSAL
    cut = reply.finish == "length"
    text = _THOUGHT.sub("", reply.content, count=1).strip()
    if not text:
        return Invalid.TRUNCATED if cut else Invalid.EMPTY
    fenced = [] if text.startswith("{") else _FENCE.findall(text)
    if len(fenced) == 1:
        text = fenced[0].strip()
    start = text.find("{")
    if start < 0:
        return Invalid.REFUSAL if _REFUSAL.match(text) else Invalid.NO_JSON
    try:
        found, end = json.JSONDecoder().raw_decode(text, start)
    except json.JSONDecodeError as e:
        # A text that breaks off is short of something exactly at its end.
        return Invalid.TRUNCATED if cut or e.pos >= len(text) or "Unterminated" in e.msg else Invalid.NO_JSON
    except (ValueError, RecursionError):
        return Invalid.NO_JSON
    if not isinstance(found, dict) or "{" in text[end:]:
        return Invalid.NO_JSON
    return cast("dict[str, Any]", found)
