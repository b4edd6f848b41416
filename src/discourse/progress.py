"""Bars and messages for people, on stderr; stdout is for data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Protocol


class Advance(Protocol):
    """Tell the bar that `done` more units of work are finished."""

    def __call__(self, done: int = 1) -> None:
        """Count `done` more."""
        ...


def say(message: str) -> None:
    """Print one line for a person on stderr; where stderr is closed or full nobody can be told, and work goes on."""
    with suppress(OSError, ValueError):
        print(message, file=sys.stderr, flush=True)


def warn(message: str) -> None:
    """Print one warning line on stderr."""
    say(f"warning: {message}")


@contextmanager
def bar(label: str, total: int) -> Generator[Advance]:
    """Show a progress bar with the time left while the block runs; quiet without work, or where nobody looks.

    Args:
        label: what is being done, in two or three words.
        total: the number of units of work, at least 0.

    Yields:
        A function to call with the number of units done since the last call.
    """
    if not total or not sys.stderr.isatty():
        yield uncounted
        return
    # rich takes 60 ms to import, which `discourse --help` must not pay.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=total)

        def advance(done: int = 1) -> None:
            shown.advance(task, done)

        yield advance


@contextmanager
def line(label: str) -> Generator[Callable[[str], None]]:
    """Show one line that is renewed while the block runs, for work of which nobody knows how much there is.

    Quiet where stderr is not a terminal.

    Args:
        label: what is being done; shown in front.

    Yields:
        A function to call with how far it is.
    """
    if not sys.stderr.isatty():
        yield _ignore_text
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    with console.status(Text(label)) as shown:

        def show(text: str) -> None:
            # As Text and without control characters: names come from servers.
            clean = "".join(one if one.isprintable() else " " for one in f"{label}: {text}")
            shown.update(Text(clean[: max(console.width - 4, 20)]))

        yield show


def _ignore_text(text: str) -> None:
    del text


def uncounted(done: int = 1) -> None:
    """Count nothing: an `Advance` for what shows no bar."""
    del done
