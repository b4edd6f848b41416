"""A user's own rules for one site's comments: CSS selectors in a TOML file, read by `discourse collect --profile`.

A selector may end in ``@attribute``; ``@attribute`` alone is one of the comment's own element.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from selectolax.lexbor import LexborHTMLParser

from discourse.errors import InputError, did_you_mean


class Profile(BaseModel):
    """Where a site's comments stand.

    Attributes:
        container: what holds the discussion; the whole page if none is given.
        comment: each comment's element.
        id, parent: of a comment, and of the one it answers; without `parent` nesting tells.
        author, time, text, score: of a comment; text defaults to all within its element.
        time_format: of `datetime.strptime`, where the page has no machine-readable times.
        next: a link to the next page of comments.
        declared: where the page says how many there are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    comment: str = Field(min_length=1)
    container: str | None = None
    id: str | None = None
    parent: str | None = None
    author: str | None = None
    time: str | None = None
    time_format: str | None = None
    text: str | None = None
    score: str | None = None
    next: str | None = None
    declared: str | None = None

    @field_validator("comment", "container", "id", "parent", "author", "time", "text", "score", "next", "declared")
    @classmethod
    def _is_selector(cls, value: str | None) -> str | None:
        """Refuse what is no CSS selector."""
        selector, _ = split(value or "")
        if selector:
            try:
                LexborHTMLParser("<p></p>").css_first(selector)
            except Exception as e:
                msg = f"{selector!r} is no CSS selector"
                raise ValueError(msg) from e
        return value


def split(rule: str) -> tuple[str, str]:
    """Return the selector and the attribute of a rule such as ``time@datetime``; both may be empty."""
    selector, mark, name = rule.rpartition("@")
    # An at sign within brackets is part of the selector.
    return (selector.strip(), name.strip()) if mark and "]" not in name and '"' not in name else (rule.strip(), "")


def load_profile(path: Path) -> Profile:
    """Read a profile from a TOML file, its keys at the top or in a table ``[profile]``.

    Raises:
        InputError: the file cannot be read, or a key is unknown, missing or no selector; the sentence names the key.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise InputError(f"{path}: the profile cannot be read ({e.strerror})") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise InputError(f"{path}: the profile is no TOML ({e})") from e
    try:
        return Profile.model_validate(found.get("profile", found))
    except ValidationError as e:
        # A misspelt key is why another one is missing.
        first = min(e.errors(), key=lambda one: one["type"] != "extra_forbidden")
        key = ".".join(map(str, first["loc"])) or "profile"
        hint = did_you_mean(key, Profile.model_fields) if first["type"] == "extra_forbidden" else ""
        why = {"extra_forbidden": "is no key of a profile", "missing": "is missing"}.get(first["type"], first["msg"])
        raise InputError(f"{path}: {key}: {why}{hint}") from e
