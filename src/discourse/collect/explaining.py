"""How a page is understood, for `discourse collect --explain`: fetched or read from a file, and nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from discourse.collect.answers import Answer, Ask
from discourse.collect.http import Client, Failure
from discourse.collect.live import is_address
from discourse.collect.rawfile import read_file
from discourse.collect.sources.explain import Explanation, explain
from discourse.collect.sources.profiles import load_profile
from discourse.config import CollectConfig
from discourse.errors import InputError
from discourse.workspace import now


@dataclass(frozen=True, slots=True)
class Explained:
    """One source and how it is understood."""

    source: str
    explanation: Explanation


def explain_sources(sources: Sequence[str], config: CollectConfig) -> list[Explained]:
    """Say of each page, an address or a saved file, which rule finds what in it.

    Raises:
        InputError: a page cannot be had, or the profile cannot be used.
    """
    profile = load_profile(config.profile) if config.profile is not None else None
    return [Explained(source, explain(_page(source, config), profile)) for source in sources]


def _page(source: str, config: CollectConfig) -> Answer:
    if not is_address(source):
        raw = read_file(Path(source))
        return Answer("", 200, {"content-type": "text/html"}, raw.data, now())
    with Client(config) as client:
        answer = client.ask(Ask(source, accept="text/html", page=True))
    if isinstance(answer, Failure):
        raise InputError(f"{source[:200]}: {answer.reason}")
    if not answer.ok:
        raise InputError(f"{source[:200]}: the server answers {answer.status}; check the address")
    return answer
