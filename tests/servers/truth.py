"""What a server itself says that it holds."""

from __future__ import annotations

from dataclasses import dataclass

from discourse.tables import State


@dataclass(frozen=True, slots=True)
class Known:
    """One comment that was put into a server: its id there, the comment that it answers, and what became of it.

    Attributes:
        text: words that the collected text must hold; None if no reader sees the text.
        listed: whether the server shows it to readers at all.
    """

    native_id: str
    parent: str | None
    author: str | None
    text: str | None
    state: State = State.VISIBLE
    listed: bool = True
