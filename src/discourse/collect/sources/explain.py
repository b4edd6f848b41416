"""Which rule finds what in a page, for `discourse collect --explain`."""

from __future__ import annotations

from dataclasses import dataclass

from discourse.collect.answers import Answer
from discourse.collect.sources.page_markup import declared_in
from discourse.collect.sources.page_reading import Tried, chosen, next_pages, tried
from discourse.collect.sources.page_schema import declared_ld
from discourse.collect.sources.profiles import Profile


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one rule found.

    Attributes:
        rule: its name.
        comments: how many it found.
        replies, authors, times, texts: how many of them have a parent, an author, a time, a text.
        pingbacks: what it found that is no comment.
        example: of the first comment, each field's length in characters; a comment's words are not shown.
        taken: whether its comments are kept.
    """

    rule: str
    comments: int
    replies: int
    authors: int
    times: int
    texts: int
    pingbacks: int
    example: dict[str, int]
    taken: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a page is read.

    Attributes:
        rules: in the order in which they are tried.
        declared: how many comments the page names.
        next_pages: further pages of comments.
        why: one sentence on the choice.
    """

    rules: tuple[RuleOutcome, ...]
    declared: int | None
    next_pages: tuple[str, ...]
    why: str


def explain(answer: Answer, profile: Profile | None = None) -> Explanation:
    """Return which rule finds what in a page, and which is taken and why."""
    found = tried(answer, profile)
    best = chosen(found)
    page = answer.html()
    declared = declared_in(page)
    rules = tuple(_outcome(one, taken=one is best) for one in found)
    return Explanation(
        rules, declared if declared is not None else declared_ld(page), tuple(next_pages(answer, page, profile)),
        _why(found, best),
    )  # fmt: skip


def _outcome(one: Tried, *, taken: bool) -> RuleOutcome:
    real = one.real
    example: dict[str, int] = {}
    if real:
        first = real[0]
        fields = {
            "id": first.native_id,
            "author": first.author,
            "time": str(first.created.at or ""),
            "text": first.text,
        }
        example = {name: len(value or "") for name, value in fields.items()}
    return RuleOutcome(
        one.rule,
        len(real),
        sum(c.parent is not None for c in real),
        sum(c.author is not None for c in real),
        sum(c.created.at is not None for c in real),
        sum(c.text is not None for c in real),
        len(one.comments) - len(real),
        example,
        taken,
    )


def _why(found: list[Tried], best: Tried | None) -> str:
    if best is None:
        return "no rule found a comment; write a profile with the site's selectors and give it with --profile"
    if best.rule == "profile":
        return "the profile found comments, and a profile goes before all other rules"
    others = [one for one in found if one is not best and one.real]
    if not others:
        return f"only {best.rule} found comments"
    return f"{best.rule} found the most comments, or of as many the most ids, replies and times"
