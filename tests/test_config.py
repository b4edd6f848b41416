"""discourse.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from discourse.config import Config, load_config, override, parse_config
from discourse.errors import DiscourseError, InputError, UsageError


def test_paths_are_taken_from_the_configs_folder(tmp_path: Path) -> None:
    (tmp_path / "thread.csv").write_text("text\nhello", encoding="utf-8")
    file = tmp_path / "discourse.toml"
    file.write_text('[input]\nsources = "thread.csv"\n', encoding="utf-8")
    assert load_config(file).input.sources == (str(tmp_path / "thread.csv"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[input]\nsource = []", 'unknown key "input.source" (did you mean "sources"?)'),
        ("[topic]\n", 'unknown key "topic" (did you mean "topics"?)'),
        ("seed = 'many'", '"seed"'),
        ("[report]\nquotes = 'all'", '"report.quotes"'),
        ("[input\n", "not valid TOML"),
    ],
    ids=["key", "section", "type", "value", "toml"],
)
def test_a_bad_config_is_told_in_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "discourse.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DiscourseError) as caught:
        load_config(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_missing_config_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_config(tmp_path / "none.toml")


def test_flags_override_keys_and_none_leaves_them() -> None:
    config = override(parse_config({"seed": 3}), {"input.mode": "line", "seed": None})
    assert (config.input.mode, config.seed) == ("line", 3)
    with pytest.raises(UsageError, match='no section "inputs"'):
        override(config, {"inputs.mode": "line"})


def test_the_fingerprint_follows_its_sections_only() -> None:
    one, other = Config(), override(Config(), {"report.quotes": "none"})
    assert one.fingerprint("input", "seed") == other.fingerprint("input", "seed")
    assert one.fingerprint("report") != other.fingerprint("report")
