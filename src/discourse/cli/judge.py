"""Options of the external coder, and how its costs are agreed to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

Tagger = Annotated[
    str | None,
    typer.Option(
        metavar="WHO",
        help="bundle, or openai-compatible: a language model at OPENAI_BASE_URL (key in OPENAI_API_KEY), which is sent "
        "the comments.",
    ),
]
JudgeModel = Annotated[
    str | None,
    typer.Option("--judge-model", metavar="NAME", help="The external coder's model, as its server names it."),
]
JudgeRuns = Annotated[
    int | None, typer.Option("--judge-runs", metavar="N", help="Answers asked for each comment. Default: 3.")
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Send the external coder more than [judge] max_requests or max_cost allow.")
]


def judge_settings(tagger: str | None, model: str | None, runs: int | None) -> dict[str, Any]:
    """Return the configuration keys of the options."""
    return {"tagger": tagger, "judge.model": model, "judge.runs": runs}


def agreed_by(*, yes: bool) -> Callable[[str], bool]:
    """Return what answers whether more may be sent than the limits allow: --yes, or the person at the terminal."""

    def agreed(question: str) -> bool:
        if yes:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        return typer.confirm(question, err=True)

    return agreed
