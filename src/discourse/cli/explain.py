"""`discourse collect --explain`: which rule finds what in a page."""

from __future__ import annotations

from discourse.cli.options import print_json
from discourse.config import Config


def show_explanation(config: Config, *, as_json: bool) -> None:
    """Print for each source which rules were tried, what each found, and which one is taken and why."""
    from discourse.collect.explaining import explain_sources

    found = explain_sources(config.input.sources, config.collect)
    if as_json:
        print_json({"explanations": found})
        return
    for one in found:
        told = one.explanation
        declared = f"{told.declared:,}" if told.declared is not None else "not told"
        print(f"{one.source}: {told.why}")
        print(f"  the page declares: {declared}; further pages: {', '.join(told.next_pages) or 'none'}")
        for rule in told.rules:
            lengths = ", ".join(f"{field} {length}" for field, length in rule.example.items())
            print(
                f"  {'*' if rule.taken else ' '} {rule.rule}: {rule.comments:,} comments, {rule.replies:,} replies, "
                f"{rule.authors:,} authors, {rule.times:,} times, {rule.pingbacks:,} pingbacks"
                + (f"; first: {lengths} characters" if lengths else "")
            )
