"""What all sections of `discourse.toml` share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


def one_or_many(value: object) -> object:
    """Take one text for a list of one."""
    return [value] if isinstance(value, str) else value


def named_once(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse names that are empty or repeat, as pydantic wants it: with ValueError."""
    if not all(value.strip() for value in values):
        raise ValueError("a name here is empty")
    if len(set(values)) < len(values):
        raise ValueError("a name here repeats")
    return values


Words = Annotated[tuple[str, ...], BeforeValidator(one_or_many)]


class Section(BaseModel):
    """A part of the configuration: fixed once read, and no key is accepted that does nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)
