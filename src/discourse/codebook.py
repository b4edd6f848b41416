"""Frames as a tested file: what each one means, when a comment has it and when it has not."""

from __future__ import annotations

import hashlib
import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from discourse.config import explain
from discourse.errors import InputError, UsageError, did_you_mean

Text = Annotated[str, Field(min_length=1)]


class Example(BaseModel):
    """A comment written for the codebook, with the reading it must get and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Text
    label: bool
    why: Text
    title: str = ""
    parent: str = ""


class Frame(BaseModel):
    """One way of casting the matter: `name` in tables, `title` for readers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    title: Text
    definition: Text
    yes: Annotated[tuple[Text, ...], Field(min_length=1)]
    no: Annotated[tuple[Text, ...], Field(min_length=1)]
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _both_readings(self) -> Frame:
        if {example.label for example in self.examples} not in (set(), {True, False}):
            raise ValueError(f'frame "{self.name}" has examples of one reading only; give at least one yes and one no')
        return self


class Codebook(BaseModel):
    """The frames that are read, what they are read in, and how ties are broken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    version: Annotated[int, Field(ge=1)]
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    unit: Text
    tie_breaks: tuple[Text, ...] = ()
    frames: Annotated[tuple[Frame, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _distinct(self) -> Codebook:
        names = [frame.name for frame in self.frames]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"frame names repeat: {', '.join(repeated)}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The frames' names in the codebook's order, which is the order of every table and chart."""
        return tuple(frame.name for frame in self.frames)

    @property
    def sha256(self) -> str:
        """A hash of all that the codebook says."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def frame(self, name: str) -> Frame:
        """Return the frame called `name`.

        Raises:
            UsageError: there is none.
        """
        for frame in self.frames:
            if frame.name == name:
                return frame
        raise UsageError(f'codebook {self.name} has no frame "{name}"{did_you_mean(name, self.names)}')


def load_codebook(file: str | Path) -> Codebook:
    """Read a codebook from a TOML file, or a shipped one by its name.

    Raises:
        InputError: there is no such file or shipped codebook, or it is no TOML.
        UsageError: a key is unknown, missing or of the wrong form.
    """
    source = _find(file)
    try:
        values = tomllib.loads(source.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as e:
        raise InputError(f"{file}: is not valid TOML: {e}") from e
    except UnicodeDecodeError as e:
        raise InputError(f"{file}: is not UTF-8 text; save it as UTF-8") from e
    except OSError as e:
        raise InputError(f"{file}: cannot be read ({e.strerror})") from e
    try:
        return Codebook.model_validate(values)
    except ValidationError as e:
        raise UsageError(f"{file}: {explain(e, Codebook)}") from e


def shipped_codebooks() -> list[str]:
    """Return the names of the codebooks in the package."""
    folder = resources.files("discourse") / "data" / "codebooks"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def _find(file: str | Path) -> Traversable:
    path = Path(file)
    if path.suffix == ".toml" or path.exists():
        if not path.exists():
            raise InputError(f"{file}: there is no such codebook file")
        if path.is_dir():
            raise InputError(f"{file}: is a folder; name a TOML file in it")
        return path
    known = shipped_codebooks()
    if str(file) not in known:
        raise InputError(f'no codebook is called "{file}"{did_you_mean(str(file), known)}; shipped: {", ".join(known)}')
    return resources.files("discourse") / "data" / "codebooks" / f"{file}.toml"
