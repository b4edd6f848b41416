"""`--where`: conditions on the command line, turned into the `[filter]` section."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from discourse.errors import UsageError, did_you_mean

CONDITION = re.compile(r"\s*(?P<name>[^<>=!]+?)\s*(?P<sign>>=|<=|!=|=|<|>)\s*(?P<value>.*?)\s*", re.DOTALL)
LISTS = {"language": "languages", "thread": "threads", "role": "roles"}


def parse_where(conditions: Sequence[str], attributes: Sequence[str]) -> dict[str, object]:
    """Turn conditions such as `date>=2024-05-01`, `language=en,de` or `section=opinion` into configuration keys.

    Args:
        conditions: each a name, a sign and a value; all must hold. Values of one list are parted by commas.
        attributes: the user's own columns, which may be named like `date`, `language`, `role` and `thread`.

    Returns:
        Values for `filter.dates`, `filter.languages`, `filter.threads`, `filter.roles` and `filter.attributes`, those
        that are asked for.

    Raises:
        UsageError: a condition has no sign or value, an unknown name, a sign that its name does not take, or a day
            that does not exist; the message says what is allowed.
    """
    found: dict[str, object] = {}
    days: dict[str, date] = {}
    own: dict[str, list[str]] = {}
    for condition in conditions:
        name, sign, value = _parted(condition, attributes)
        if name == "date":
            days |= _days(condition, sign, value)
            continue
        if sign != "=":
            raise UsageError(f'--where "{condition}": {name} takes "=" alone, such as {name}={value or "VALUE"}')
        values = [part.strip() for part in value.split(",") if part.strip()]
        if name in LISTS:
            found[f"filter.{LISTS[name]}"] = values
        else:
            own[name] = values
    if days:
        found["filter.dates"] = [days.get("first", ""), days.get("last", "")]
    if own:
        found["filter.attributes"] = own
    return found


def _parted(condition: str, attributes: Sequence[str]) -> tuple[str, str, str]:
    match = CONDITION.fullmatch(condition)
    if match is None or not match["value"]:
        raise UsageError(
            f'--where "{condition}": write a name, a sign and a value, such as "date>=2024-05-01" or "language=en"'
        )
    known = ["date", *LISTS, *attributes]
    if match["name"] not in known:
        raise UsageError(
            f'--where "{condition}": there is no "{match["name"]}"{did_you_mean(match["name"], known)}; '
            f"known here: {', '.join(known)} (columns of yours are named in [input] attributes)"
        )
    return match["name"], match["sign"], match["value"]


def _days(condition: str, sign: str, value: str) -> dict[str, date]:
    try:
        day = date.fromisoformat(value)
    except ValueError as e:
        raise UsageError(f'--where "{condition}": write the day as YYYY-MM-DD, such as 2024-05-01') from e
    one = timedelta(days=1)
    ends = {
        "=": {"first": day, "last": day},
        ">=": {"first": day},
        ">": {"first": day + one},
        "<=": {"last": day},
        "<": {"last": day - one},
    }
    if sign not in ends:
        raise UsageError(f'--where "{condition}": date takes =, <, <=, > and >=')
    return ends[sign]
