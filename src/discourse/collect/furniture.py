"""Page furniture: lines of a copied page that are buttons, counts and headings and no comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from discourse.errors import UsageError

# Only what no reader would write as a whole comment; "Same." and "Yes" are comments.
_BUTTON = (
    r"(?:reply|share|like|dislike|report|flag|upvote|downvote|permalink|copy link|give award|"
    r"(?:show|read|see) (?:more|less))"
)
_COUNTED = r"(?:comments?|repl(?:y|ies)|likes?|shares?|votes?|upvotes?|points?|responses?)"
_NUMBER = r"\d[\d.,]*\s?[km]?"
_AGO = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|wks?|months?|mos?|years?|yrs?|[smhdwy])"
_WHICH = r"(?:all|more|previous|older|newer)"
_PATTERNS = (
    rf"{_BUTTON}(?:\s*[·•|/,-]?\s*(?:{_BUTTON}|\(?{_NUMBER}\)?))*",
    rf"{_NUMBER}\s+{_COUNTED}",
    rf"{_COUNTED}\s*\({_NUMBER}\)",
    (
        rf"(?:load|show|view|see|hide)\s+(?:{_WHICH}\s+)?(?:{_NUMBER}\s+)?(?:more\s+)?(?:comments?|repl(?:y|ies))"
        rf"(?:\s*\({_NUMBER}\))?"
    ),
    r"sort(?:ed)? by:.{0,30}",
    r"sort(?:ed)? by\s+(?:best|top|new(?:est)?|old(?:est)?|hot|controversial|relevance|most \w+)",
    r"(?:log|sign) in(?: or [\w ]{1,20})? to (?:comment|reply|vote|post|join)\b.{0,30}",
    r"(?:(?:add|write|post|leave) a comment|leave a reply|join the (?:conversation|discussion))[.…]*",
    rf"(?:about |over |almost )?(?:\d+|an?)\s?{_AGO}\.? ago(?:\s*\(?edited\)?)?",
    r"(?:advertisement|continue this thread)",
)
_BUILT_IN = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _PATTERNS)

_LONGEST = 80
_HEADING_WORDS = 3
_END_MARK = re.compile(r"[.!?…。！？؟][\"'”’»›)\]]*$")


@dataclass(frozen=True, slots=True)
class Furniture:
    """The patterns that a line is held against, whole."""

    patterns: tuple[re.Pattern[str], ...]

    def holds(self, line: str) -> bool:
        """Tell whether a line without surrounding spaces is furniture."""
        built_in = len(line) <= _LONGEST and any(pattern.fullmatch(line) for pattern in _BUILT_IN)
        return built_in or any(pattern.fullmatch(line) for pattern in self.patterns)


def compile_furniture(patterns: Sequence[str]) -> Furniture:
    """Compile the user's own patterns, which must match a whole line.

    Raises:
        UsageError: one is no regular expression.
    """
    compiled: list[re.Pattern[str]] = []
    for pattern in patterns:
        try:
            compiled.append(re.compile(pattern))
        except (re.error, RecursionError, OverflowError) as e:
            raise UsageError(f"[input] furniture: {pattern[:80]!r} is no regular expression ({e})") from e
    return Furniture(tuple(compiled))


def is_heading(paragraph: str) -> bool:
    """Tell whether a paragraph between article and comments is a heading: ends in a colon, or few words and no end."""
    if paragraph.endswith((":", "：")):
        return True
    return len(paragraph.split()) <= _HEADING_WORDS and not _END_MARK.search(paragraph)
