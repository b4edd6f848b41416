"""`bundle.toml` as text."""

from __future__ import annotations

import json
import re
from typing import Any, cast


def to_toml(values: dict[str, Any]) -> str:
    """Write scalars, lists and tables of them as TOML; any text survives, escaped where a terminal would act on it."""
    plain = [f"{key} = {_toml_value(value)}" for key, value in values.items() if not isinstance(value, dict)]
    inner = {key: cast("dict[str, Any]", value) for key, value in values.items() if isinstance(value, dict)}
    tables = [
        f"\n[{key}]\n" + "\n".join(f"{_toml_value(name)} = {_toml_value(item)}" for name, item in table.items())
        for key, table in inner.items()
    ]
    return "\n".join(plain + tables) + "\n"


def _toml_value(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml_value(item) for item in cast("list[Any]", value)) + "]"
    # A JSON scalar, string escapes included, is a TOML scalar, but for DEL, which TOML wants escaped, as C1 is here.
    return re.sub(r"[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
