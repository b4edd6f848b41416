"""`discourse sources`: where comments can be collected from, with what keys, and what is lost."""

from __future__ import annotations

from discourse.cli.options import Json, print_json


def sources(as_json: Json = False) -> None:
    """List the platforms and files that can be read: addresses and saved forms, keys, and what cannot be had.

    Keys are read from the environment only, and are never written to a file or a message.

    Example:

      discourse sources
    """
    from discourse.collect.sources.catalogue import catalogue

    found = catalogue()
    if as_json:
        print_json({"sources": found})
        return
    for source in found:
        print(source.title)
        print(f"  reads  {source.reads}")
        if source.needs:
            print(f"  needs  {', '.join(source.needs)} in the environment")
        print(f"  loses  {source.loses}")
