"""Options that several verbs share, and how results are printed."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from discourse.config import Config

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if any record was quarantined.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help='Any configuration key, such as topics.random_seeds="[7]".'),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help='Which comments count, such as "date>=2024-05-01", language=en, role=user, thread=ID or COLUMN=VALUE '
        "of your own attributes; may be given several times, and all must hold.",
    ),
]
WorkspaceFolder = Annotated[Path, typer.Argument(metavar="WS", help="A workspace folder made by run or collect.")]


def print_json(value: object) -> None:
    """Print one JSON object on stdout; dataclasses become objects, paths become text."""
    print(json.dumps(value, default=_plain, ensure_ascii=False, indent=1))


def print_page(markdown: str) -> None:
    """Print Markdown on stdout: laid out where a person looks at a terminal, as it is elsewhere."""
    # Somebody else's page could steer the terminal.
    markdown = "".join(one if one.isprintable() or one == "\n" else " " for one in markdown)
    if not sys.stdout.isatty():
        print(markdown)
        return
    # rich takes 60 ms to import, which `discourse --help` must not pay.
    from rich.console import Console
    from rich.markdown import Markdown

    # Links of a card are not to be trusted: they are shown as text, with their address.
    Console().print(Markdown(markdown, hyperlinks=False))


def parsed_settings(pairs: list[str] | None) -> dict[str, Any]:
    """Turn ``key=value`` into configuration keys; a value that is no TOML is taken as text.

    Raises:
        UsageError: a pair has no equals sign.
    """
    import tomllib

    from discourse.errors import UsageError

    found: dict[str, Any] = {}
    for pair in pairs or []:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise UsageError(f'--set {pair}: is not of the form KEY=VALUE, such as --set report.quotes="short"')
        try:
            found[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[key] = value
    return found


def parsed_map(pairs: list[str] | None) -> dict[str, str] | None:
    """Turn ``text=body`` into a column mapping; None if there is none.

    Raises:
        UsageError: a pair has no equals sign.
    """
    from discourse.errors import UsageError

    if not pairs:
        return None
    found: dict[str, str] = {}
    for pair in pairs:
        ours, sign, theirs = pair.partition("=")
        if not sign or not ours or not theirs:
            raise UsageError(f"--map {pair}: is not of the form OURS=THEIRS, such as --map text=body")
        found[ours] = theirs
    return found


def narrowed(config: Config, where: list[str] | None) -> Config:
    """Return the configuration with the conditions of `--where` in the place of those on the same things.

    Raises:
        UsageError: a condition cannot be read or names what there is not.
    """
    if not where:
        return config
    from discourse.config import override
    from discourse.where import parse_where

    return override(config, parse_where(where, config.input.attributes), "--where")


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)
