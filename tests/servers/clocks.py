"""A clock that only waiting moves, so that tests of waiting take no time."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Clock:
    """Seconds that pass when somebody sleeps; `waits` are the sleeps."""

    at: float = 1_000.0
    waits: list[float] = field(default_factory=list[float])

    def __call__(self) -> float:
        """Return the time."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.at += seconds
