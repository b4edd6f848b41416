"""The same findings in other forms: JSON for programs, Markdown for people who write on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from discourse.errors import UsageError, did_you_mean
from discourse.privacy import hidden_estimates, without_words
from discourse.report.markdown import FIRST
from discourse.report.material import Material
from discourse.report.sentences import statements
from discourse.tables import ESTIMATES

Format = Literal["html", "md", "json"]
FORMATS: tuple[Format, ...] = ("html", "md", "json")
# By these a file is known as one that this program wrote.
OURS = ('<meta name="generator" content="discourse', "data-estimate=", FIRST, '{\n "findings": [')
BEGINNING = 1_000_000


def as_json(material: Material) -> str:
    """Return the findings and every estimate as one JSON object, under `[report] quotes` like the page.

    Keys: `findings` [{sentence, estimate_ids, mark}] and `estimates`, the rows of the estimates table in full
    precision; under short and none without ids of threads and without times finer than their order.
    """
    said = statements(material.estimates, material.codebook, material.config.stance.targets, material.words)
    found = [statement.finding for statement in said]
    estimates = material.workspace.read(ESTIMATES)
    if not material.policy.full:
        estimates = estimates if material.policy.texts else without_words(estimates)
        estimates = hidden_estimates(estimates, material.workspace.author_key(material.config.normalize.author_key))
    whole = {
        "findings": [
            {"sentence": each.sentence, "estimate_ids": list(each.estimate_ids), "mark": each.mark} for each in found
        ],
        "estimates": estimates.to_dicts(),
    }
    return json.dumps(whole, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def format_of(name: str | None, output: Path | None) -> Format:
    """Return the form that is asked for: by name, else by the ending of the file, else a page.

    Raises:
        UsageError: there is no such form.
    """
    if name is None:
        ending = output.suffix.lower().removeprefix(".") if output is not None else ""
        return {"md": "md", "markdown": "md", "json": "json"}.get(ending, "html")  # pyright: ignore[reportReturnType]  # three literals
    if name not in FORMATS:
        raise UsageError(f'--format "{name}" is unknown{did_you_mean(name, FORMATS)}; use {", ".join(FORMATS)}')
    return name


def check_output(output: Path) -> None:
    """Refuse to write over what is no report.

    Raises:
        UsageError: `output` is a folder, or a file that this program did not write.
    """
    if output.is_dir():
        raise UsageError(f"{output}: is a folder; name a file with -o, such as {output / 'report.html'}")
    if not output.is_file():
        return
    with output.open("rb") as handle:
        start = handle.read(BEGINNING).decode(errors="replace")
    if start.strip() and not any(sign in start for sign in OURS):
        raise UsageError(f"{output}: exists and is no report; name another file with -o, or remove this one")
