"""What leads from a text, an id or a time to a person, and what stands in its place in reports and exports."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

KINDS = ("email", "phone", "name", "link")
# Endings that show an address without http, www and path; those that are words as well ("done.it") are left out.
_ENDINGS = "com|org|net|info|edu|gov|io|co|tv|dev|blog|uk|de|fr|nl|ch|eu|pl|se|ru|au|ca"
_ADDRESS = (
    r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>\"]+"
    rf"|(?:[\w-]{{1,63}}\.){{1,4}}(?:(?:{_ENDINGS})\b(?:/[^\s<>\"]*)?|[a-z]{{2,24}}/[^\s<>\"]+)"
)
_EMAIL = r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+(?:@[\w.-]*)*"
_AT, _DOT = r"\s?[\[({]\s?at\s?[\])}]\s?", r"\s?(?:\.|[\[({]\s?dot\s?[\])}])\s?"
_SPELLED = rf"[\w.+-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}})+"
_NAME = r"(?<![\w@])[@＠]\w(?:[\w.-]{0,62}\w)?(?:@[\w.-]*)*|(?<![\w@/.])/?(?:u|user)/[\w-]{2,40}(?:@[\w.-]*)*"
# Written internationally, with the zero of national numbers, or in the American form; no date begins so.
_PHONE = (
    r"(?!\d{1,2}[-./]\d{1,2}[-./]\d{2,4})(?:(?:\+|00(?=[1-9]))\s?\d(?:[\s().\-/]{0,2}\d){6,13}"
    r"|(?:[0٠۰]\d{1,4}|\([0٠۰]\d{1,4}\))[\s\-/]{0,2}\d(?:[\s\-]?\d){4,10}"
    r"|(?:\d{3}|\(\d{3}\))[-.\s]{1,2}\d{3}[-.\s]\d{4})(?!\w)"
)
_FOUND = re.compile(
    rf"(?<![\w.+@-])(?P<email>{_EMAIL}|{_SPELLED})|(?<![\w@/.+-])(?P<link>{_ADDRESS})"
    rf"|(?P<name>{_NAME})|(?<![\w.,/:+-])(?P<phone>{_PHONE})",
    re.IGNORECASE,
)
# A text without any of these holds nothing of the kind; most have none.
HINT = r"(?i)[@＠]|://|\w\.\w\w|u/|user/|\d[\s().\-/]{0,2}\d[\s().\-/]{0,2}\d|[\[({]\s?at"
_HINT = re.compile(HINT)
_INSIDE = re.compile(rf"{_EMAIL}|[@＠][^/?#]+|(?<=/)(?:u|user|users|profile|author)/[^/?#]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Trace:
    """A stretch of a text, half-open in code points, that leads to a person or off the page; `kind` is of `KINDS`."""

    kind: str
    start: int
    end: int


def traces(text: str) -> list[Trace]:
    """Find e-mail addresses, phone numbers, names that people are addressed by (@name, u/name) and links, in order."""
    if not _HINT.search(text):
        return []
    return [Trace(str(found.lastgroup), *found.span()) for found in _FOUND.finditer(text)]


def count_traces(texts: pl.Series) -> dict[str, int]:
    """Count what `traces` finds in all texts, by kind; every kind is named."""
    likely = texts.drop_nulls()
    likely = likely.filter(likely.str.contains(HINT))
    counted = Counter(trace.kind for text in likely for trace in traces(text))
    return {kind: counted[kind] for kind in KINDS}


def defanged(address: str, name: str) -> str:
    """Return an address as text that no program follows: ``hxxps://example[.]org``, with `name` for people in it."""
    address = _INSIDE.sub(name, address)
    scheme, separator, rest = address.rpartition("://") if "://" in address else ("", "", address)
    host, slash, path = rest.partition("/")
    scheme = re.sub("^http", "hxxp", scheme, flags=re.IGNORECASE)
    return f"{scheme}{separator}{host.replace('.', '[.]')}{slash}{path}"


def pseudonym(key: bytes, name: str) -> str:
    """Return the first 12 hexadecimal digits of HMAC-SHA256(key, name), which tell nothing without it."""
    return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:12]


def hidden_estimates(estimates: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Return rows of the estimates table that lead to no thread and to no hour.

    Ids of threads become pseudonyms; of a group in time its place in the order and its width stay (``bin 3/PT1H``).

    Args:
        estimates: rows of the estimates table.
        key: the workspace's author key.
    """
    by_time = pl.col("group_by") == "time"
    found = hidden_denominators(estimates, key).with_columns(
        pl.Series(name, _units(estimates[name], key), dtype=pl.String) for name in ("unit", "contrast")
    )
    bins = _bins(estimates)
    if not bins:
        return found
    return found.with_columns(
        pl.when(by_time).then(pl.col(name).replace(bins)).otherwise(pl.col(name)).alias(name)
        for name in ("group", "contrast")
    )


def without_words(estimates: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are of no single word of the comments."""
    return estimates.filter(~pl.col("level").str.starts_with("word:"))


def hidden_denominators(estimates: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Return rows of the estimates table whose sentences name neither threads nor times; all else stays."""
    names = {name for column in ("unit", "contrast") for name in estimates[column].drop_nulls() if "thread:" in name}
    natives = {name.partition("thread:")[2] for name in names}
    said = {name: pseudonym(key, name) for name in natives}
    said |= {name.partition(":")[2]: pseudonym(key, name) for name in natives if len(name.partition(":")[2]) > 3}
    for start, place in _bins(estimates).items():
        said |= {start: place, start.partition("/")[0]: place.partition("/")[0]}
    # The longest first: a name may be the beginning of another.
    ordered = sorted((name for name in said if name), key=lambda name: (-len(name), name))
    if not ordered:
        return estimates
    new = [said[name] for name in ordered]
    return estimates.with_columns(
        pl.col("denominator", "assumptions", "family").str.replace_many(ordered, new, leftmost=True)
    )


def _bins(estimates: pl.DataFrame) -> dict[str, str]:
    starts = estimates.filter(pl.col("group_by") == "time")["group"].drop_nulls().unique().sort()
    return {start: f"bin {place}/{start.partition('/')[2]}" for place, start in enumerate(starts, start=1)}


def _units(units: Iterable[str | None], key: bytes) -> Sequence[str | None]:
    def name(unit: str | None) -> str | None:
        before, thread, native = (unit or "").partition("thread:")
        whole = not thread or (before and not before.endswith("/"))
        return unit if whole else f"{before}thread:{pseudonym(key, native)}"

    return [name(unit) for unit in units]
