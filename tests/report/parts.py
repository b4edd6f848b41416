"""Estimates of parts, choices and comparisons for the story: what stands beside the main numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Row = Callable[..., dict[str, Any]]
FRAMES = ("fear_of_crime", "waste_of_money", "town_against_country")
SIDES = ("against", "favor", "neutral")
# Columns two hours wide, with a gap of half a day and one of a week.
TIMES = ("2026-03-02T08:00", "2026-03-02T10:00", "2026-03-03T00:00", "2026-03-10T06:00")


def parts(row: Row, target: str, threads: list[str]) -> list[dict[str, Any]]:
    """Return rows of every kind that the report shows beside the main numbers."""
    return [
        *_choices(row, target),
        *_groups(row, target),
        *_replies(row, target),
        *_compared(row, threads),
        row("frame:fear_of_crime", "alpha", 0.71, low=0.55, high=0.83, method="krippendorff_alpha", n=80),
        row("frame:fear_of_crime:ece", "quality", 0.021),
        row("frame:fear_of_crime:slope", "quality", 0.9),
    ]


def _choices(row: Row, target: str) -> list[dict[str, Any]]:
    readers = {"method": "difference_estimator", "n_labelled": 110}
    about = f"stance:{target}:about"
    return [
        row("frame:fear_of_crime", "share", 0.139, low=0.1, high=0.18, n=1187, variant="without_duplicates", **readers),
        row(
            "frame:fear_of_crime", "share", 0.19, low=0.15, high=0.23, n=1204, variant="one_vote_per_author", **readers
        ),
        row("frame:fear_of_crime", "share", 0.08, low=0.04, high=0.13, n=600, variant="short_comments", **readers),
        row("frame:town_against_country", "count", 30.0, n=1187, variant="without_duplicates"),
        row("frame:town_against_country", "share", None, variant="without_duplicates", mark="not_estimable"),
        row(about, "share", 0.21, low=0.16, high=0.26, n=1187, variant="without_duplicates", mark="not_validated"),
    ]


def _groups(row: Row, target: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    groups = {
        "frame": {"fear_of_crime": 198, "waste_of_money": 61, "town_against_country": 12},
        "topic": {"0": 412, "1": 230, "2": 24},
        "depth": {"0": 500, "1": 400, "2-3": 280, "4+": 24},
        "author_group": {"1": 700, "2-4": 400, "5+": 104},
        "language": {"en": 1200, "es": 4},
        "stance": {f"{target}:{side}": n for side, n in zip(SIDES, (112, 71, 20), strict=True)},
        "time": {f"{start}/PT2H": n for start, n in zip(TIMES, (600, 400, 190, 14), strict=True)},
    }
    for group_by, sizes in groups.items():
        for group, n in sizes.items():
            split = {"group_by": group_by, "group": group, "n": n}
            for place, frame in enumerate(FRAMES):
                if frame != group:
                    rows.append(row(f"frame:{frame}", "count", float(n // (4 + place)), **split))
            if group_by not in {"frame", "stance"}:
                rows += [row(f"stance:{target}:{side}", "count", float(n // 9), **split) for side in SIDES]
            if group_by == "time":
                rows.append(row("topic:0", "count", float(n // 3), **split, method="assignment_count"))
    labelled = {"group_by": "depth", "group": "0", "n": 500, "n_labelled": 60, "method": "difference_estimator"}
    rows.append(row("frame:fear_of_crime", "share", 0.16, low=0.1, high=0.22, **labelled))
    return rows


def _replies(row: Row, target: str) -> list[dict[str, Any]]:
    counted = {"method": "reply_count"}
    rows = [
        row("replies:compared", "count", 410.0, **counted),
        row("replies:left_out:self", "count", 12.0, **counted),
        row("replies:left_out:parent_not_collected", "count", 1.0, **counted),
    ]
    for frame, n in zip(FRAMES, (90, 40, 9), strict=True):
        for group, size in ((f"frame:{frame}", n), (f"not frame:{frame}", 410 - n)):
            split = {"group_by": "parent", "group": group, "n": size}
            rows += [row(f"frame:{other}", "count", float(size // 5), **split, **counted) for other in FRAMES]
    tested = {"group_by": "parent", "contrast": "not frame:fear_of_crime", "group": "frame:fear_of_crime", "n": 300}
    within = {**tested, "method": "odds_ratio_within_branch", "family": "replies:frames"}
    rows += [
        row("frame:fear_of_crime", "odds_ratio", 3.4, low=1.9, high=6.1, **tested, method="odds_ratio_of_replies"),
        row("frame:fear_of_crime", "odds_ratio", 2.3, low=1.3, high=4.2, p=0.004, p_holm=0.012, **within),
    ]
    expected = {"group_by": "parent", "method": "observed_over_expected", "family": f"replies:stance:{target}", "n": 60}
    rows += [
        row(f"stance:{target}:{reply}", "ratio", 1.1, group=f"stance:{target}:{side}", p=0.4, p_holm=0.9, **expected)
        for side in SIDES
        for reply in SIDES
    ]
    first = {"group_by": "first_use", "method": "first_use"}
    return [
        *rows,
        row("frame:fear_of_crime", "count", 2.0, group="threads", n=2, **first),
        row("frame:fear_of_crime", "count", 1.0, group="top_level", n=2, **first),
    ]


def _compared(row: Row, threads: list[str]) -> list[dict[str, Any]]:
    units = [f"thread:{name}" for name in threads]
    pair = {"unit": units[0], "contrast": units[1], "family": "threads", "n": 1204}
    readers = {"method": "difference_estimator", "n_labelled": 120}
    words = {**pair, "family": "words:threads", "method": "log_odds_dirichlet"}
    crime, waste = "frame:fear_of_crime", "frame:waste_of_money"
    return [
        row(crime, "share", 0.19, low=0.14, high=0.24, **{**pair, "n": 900}, **readers, variant="side"),
        row(crime, "share", 0.09, low=0.05, high=0.13, **{**pair, "n": 304}, **readers, variant="other_side"),
        row(crime, "difference", 0.1, low=0.04, high=0.16, p=0.002, p_holm=0.004, **pair, **readers),
        row(crime, "difference", 0.09, **pair, **readers, variant="smallest_detectable"),
        row(crime, "ratio", 2.1, low=1.3, high=3.4, p=0.002, p_holm=0.004, **pair, **readers),
        row(waste, "difference", -0.02, low=-0.08, high=0.05, p=0.4, p_holm=0.4, **pair, **readers),
        row("frame:town_against_country", "difference", None, **pair, mark="not_estimable"),
        row("word:taxi", "odds_ratio", 3.2, low=1.5, high=6.8, p=0.0001, p_holm=0.03, **words),
        row("word:taxi", "count", 31.0, **{**words, "n": 300, "method": "data_count"}, variant="side"),
        row("word:taxi", "count", 4.0, **{**words, "n": 120, "method": "data_count"}, variant="other_side"),
        row("word:bridge", "odds_ratio", 0.6, low=0.3, high=1.3, p=0.2, p_holm=1.0, **words),
    ]
