"""`discourse codebook check`: is this file a codebook?"""

from __future__ import annotations

from typing import Annotated

import typer

from discourse.cli.options import Json, print_json

codebook_app = typer.Typer(help="Codebooks: definitions of the frames as a tested file.", no_args_is_help=True)


@codebook_app.callback()
def codebook() -> None:
    """Codebooks: definitions of the frames as a tested file."""


@codebook_app.command()
def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A TOML file, or the name of a shipped codebook.")],
    as_json: Json = False,
) -> None:
    """Check a codebook and say what it defines.

    Example:

      discourse codebook check my-codebook.toml
    """
    from discourse.codebook import load_codebook

    found = load_codebook(file)
    if as_json:
        print_json({"name": found.name, "version": found.version, "sha256": found.sha256, "frames": found.names})
        return
    print(f"{found.name}, version {found.version}: {len(found.frames)} frames, valid")
    for frame in found.frames:
        yes = sum(example.label for example in frame.examples)
        print(f"  {frame.name}: {frame.title} ({yes} examples of yes, {len(frame.examples) - yes} of no)")
