"""Times and counts as article pages write them, in the page's own language."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

import dateparser

from discourse.collect.moments import UNKNOWN, Moment, moment
from discourse.tables import Precision

_LONGEST = 80
_CLOCK = re.compile(r"\d{1,2}\s?[:h.]\s?\d{2}(?!\.\d{4})|\d{1,2}\s?[ap]\.?m\b", re.IGNORECASE)
_NUMERIC = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
_RELATIVE = re.compile(
    r"\b(?:ago|yesterday|today|just now|vor \d+|vor ein\w*|gestern|heute|il y a|hier|aujourd|hace|ayer|hoy|fa|ieri|oggi"
    r"|geleden|gisteren|vandaag|sedan|siden|temu|назад|вчера|há)\b|前",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d{2}\b|\d{1,2}[./-]\d{1,2}[./-]\d{2}\b")
_JOINTS = re.compile(r"\s+(?:at|um|à|a las|alle|om|kl\.?|às|в)\s+|\s+[|@·•–-]\s+|,\s+(?=\d{1,2}:\d{2})", re.IGNORECASE)
_CLOSING = re.compile(r"(?<=\d)\s*uhr\b.*$|^\s*(?:posted|on|am|le|el)\s+|[.,:;\s]+$|\(edited\).*$", re.IGNORECASE)
_MACHINE = re.compile(r"\d{4}-?\d{2}-?\d{2}.*|\d{9,20}(?:\.\d+)?|\w{3}, \d{1,2} \w{3} \d{4}.*")
# A date among other words, such as who wrote at what time.
_AMONG = re.compile(
    r"(?:[^\W\d]{3,12}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+|\d{1,2}\.?\s+[^\W\d]{3,12}\.?,?\s+)(?:19|20)\d{2}"
    r"(?:\W{1,3}(?:(?:at|um|à)\s+)?\d{1,2}[:h.]\d{2}(?::\d{2})?(?:\s*[ap]\.?m\b)?)?"
    r"|\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}(?:\W{1,3}\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]\.?m\b)?)?",
    re.IGNORECASE,
)
_COUNT = r"(\d{1,3}(?:[.,\u00a0\u202f' ]\d{3})+(?!\d)|\d{1,7})"
_WORDS = (
    r"(?:comment|komment|kommentar|coment|commenti|comentá|comentário|thought|response|repl(?:y|ies)|réaction|réflexion|pensée|reflexion|pensamiento|pensier|gedachte|tank|réponse"
    r"|respuesta|risposte|reacti|reactie|opinion|opini|gedanke|antwort|meinung|svar|kommentti|коммент|ответ|отзыв|мысл"
    r"|komentar|komentář|komentarz|yorum|discussion|评论|評論|則|条|件|コメント|댓글|note)"
)
_COUNTED = re.compile(rf"(?<![\w.,#]){_COUNT}\W{{0,12}}{_WORDS}", re.IGNORECASE)
_LABELLED = re.compile(rf"^\W*\w*{_WORDS}\w*\W{{0,4}}{_COUNT}\W*$", re.IGNORECASE)
_ONE = re.compile(rf"^\W*(?:one|ein|eine|un|une|una|uno|een|um)\s+{_WORDS}", re.IGNORECASE)
_QUOTED = re.compile(r"[\u201c\u201e\u00ab\"\u2018].*", re.DOTALL)


@lru_cache(maxsize=4_096)
def written_time(words: str, language: str, seen: datetime, pattern: str | None = None) -> Moment:
    """Read a time as a person reads it.

    Args:
        words: as they stand in the page.
        language: of the page, as in ``<html lang>``; empty if unknown.
        seen: when the page was received, from which "3 days ago" counts.
        pattern: of `datetime.strptime`, where the user knows it.
    """
    words = " ".join(words.split())[:_LONGEST]
    if pattern is not None:
        try:
            return moment(datetime.strptime(words, pattern).isoformat())  # noqa: DTZ007 -- moment() takes it as UTC
        except ValueError:
            return UNKNOWN
    machine = moment(words) if _MACHINE.fullmatch(words) else UNKNOWN
    if machine.at is not None or not words:
        return machine
    relative = _RELATIVE.search(words) is not None and _YEAR.search(words) is None
    if not relative and not (re.search(r"\d", words) and _YEAR.search(words)):
        return UNKNOWN
    words = re.sub(r"\b(\d{1,2})\s?h\s?(\d{2})(?:\s?min\b)?", r"\1:\2", words)
    among = _AMONG.search(words)
    if among is not None and not relative:
        words = among[0]
    plain = _JOINTS.sub(" ", _CLOSING.sub("", _CLOSING.sub("", words)))
    found = _parsed(plain, language.partition("-")[0].partition("_")[0].lower(), seen, relative=relative)
    if found is None:
        return UNKNOWN
    read = moment(found.isoformat())
    if relative:
        return Moment(read.at, Precision.RELATIVE if read.at is not None else Precision.UNKNOWN)
    clock = _CLOCK.search(_NUMERIC.sub(" ", words)) is not None
    return Moment(read.at, Precision.MINUTE if clock else Precision.DAY) if read.at is not None else UNKNOWN


def _parsed(words: str, language: str, seen: datetime, *, relative: bool) -> datetime | None:
    settings: dict[str, object] = {"TIMEZONE": "UTC", "RETURN_AS_TIMEZONE_AWARE": True}
    if relative:
        settings |= {"RELATIVE_BASE": seen.replace(tzinfo=None), "PARSERS": ["relative-time"]}
    else:
        settings |= {"STRICT_PARSING": True, "PARSERS": ["absolute-time"]}
    for languages in ([language],) * bool(language) + (["en"],) * (language != "en") + (None,):
        try:
            found = dateparser.parse(words, languages=languages, settings=settings)  # pyright: ignore[reportArgumentType]
        except (ValueError, OverflowError, TypeError, RecursionError):
            continue
        if found is not None:
            return found
    return None


def counted(heading: str) -> int | None:
    """Return how many comments a heading names, such as ``12 responses to "A title"``; None if it names no number."""
    words = " ".join(heading.split())[:300]
    for text in (_QUOTED.sub("", words), words):
        found = _COUNTED.search(text) or _LABELLED.search(text)
        if found is not None:
            return int(re.sub(r"\D", "", found[1]))
        if _ONE.match(text):
            return 1
    return None
