"""Tables of a card, as lines of Markdown; words of codebooks and sources are escaped, so that none breaks a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

BAR = 24
SHOWN = 12  # wrong examples on a card
THREE_DIGITS = {"ece", "brier", "base_rate", "false_positive_rate"}


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines of Markdown; the cells are escaped here."""
    lines = [f"| {' | '.join(escaped(cell) for cell in row)} |" for row in (header, *rows)]
    return [lines[0], "|" + "---|" * len(header), *lines[1:]]


def figure_table(
    labels: Mapping[str, Mapping[str, Any]], columns: Mapping[str, str], *, counts: bool = False
) -> list[str]:
    """Return a row for each label and a column for each figure that any label has.

    Args:
        labels: figures and `intervals` of each label.
        columns: the heading and the key of each figure.
        counts: whether rows, yes and effective yes stand in front.
    """
    present = {name: key for name, key in columns.items() if any(row.get(key) is not None for row in labels.values())}
    header = ["label", *(["rows", "yes", "effective yes"] if counts else []), *present]
    rows = [
        [
            level,
            *([f"{row['n']:,}", f"{row['yes']:,}", f"{row['yes_effective']:.0f}"] if counts else []),
            *(figure(row, key) for key in present.values()),
        ]
        for level, row in labels.items()
    ]
    return table(header, rows)


def figure(row: Mapping[str, Any], key: str) -> str:
    """Return a figure with its interval, or a dash where the rows do not determine it."""
    value, ends = row.get(key), row.get("intervals", {}).get(key)
    if value is None:
        return "–"
    digits = 3 if key in THREE_DIGITS else 2
    shown = [f"{round(number, digits) + 0.0:.{digits}f}" for number in (value, *(ends or ()))]  # no -0.00
    return f"{shown[0]} [{shown[1]}–{shown[2]}]" if ends else shown[0]


def bars(reliability: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a reliability diagram as a table with bars, drawn to the scale of the greatest value."""
    top = max(max(bar["probability"], bar["observed"]) for bar in reliability) or 1.0
    rows: list[list[str]] = []
    for bar in reliability:
        drawn = ["█"] * round(BAR * bar["observed"] / top) + ["·"] * (BAR - round(BAR * bar["observed"] / top))
        drawn[min(BAR - 1, round(BAR * bar["probability"] / top))] = "│"
        share = [f"{bar['probability']:.3f}", f"{bar['observed']:.3f}"]
        rows.append([*share, f"{bar['rows']:,}", f"{bar['yes']:,}", "".join(drawn)])
    return table(["probability", "share of yes", "rows", "yes", f"0 to {top:.2f}"], rows)


def errors_by_kind(by_kind: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return how many of each kind were right."""
    return table(
        ["kind", "comments", "right"], [[kind, str(of["n"]), str(of["right"])] for kind, of in by_kind.items()]
    )


def wrong_examples(wrong: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the first wrong examples of each kind in turn, as a list."""
    ranked = sorted(
        enumerate(wrong), key=lambda item: (sum(each["kind"] == item[1]["kind"] for each in wrong[: item[0]]), item[0])
    )
    return [_example(each) for _, each in ranked[:SHOWN]]


def _example(each: Mapping[str, Any]) -> str:
    around = [f"{name}: {escaped(each[name])}" for name in ("target", "title", "parent") if each.get(name)]
    said = [f"answered {each['answer']}, is {each['stance']}"] if "answer" in each else []
    said += [f"missed {', '.join(each['missed'])}"] if each.get("missed") else []
    said += [f"wrongly {', '.join(each['wrongly'])}"] if each.get("wrongly") else []
    said += ["unsure of it"] if each.get("unsure") else []
    context = f" ({'; '.join(around)})" if around else ""
    return f"- *{escaped(each['kind'])}*: “{escaped(each['text'])}”{context}: {', '.join(said)}"


def escaped(text: str) -> str:
    """Return text on one line that Markdown reads as text."""
    return re.sub(r"([\\`*<>|]|\](?=[(\[:]))", r"\\\1", " ".join(str(text).split()))
