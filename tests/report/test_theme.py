"""Colours: everybody can read them, and what the configuration asks for is taken only if that stays so."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from discourse import pipeline
from discourse.config import parse_config
from discourse.errors import UsageError
from discourse.report.theme import BLINDNESS, COLOURS, NEEDED, apart, contrast, schemes, style_sheet


def test_contrast_is_that_of_the_standard() -> None:
    """Black on white is 21 to 1, the darkest grey that fails on white is #777777, and equal colours are 1 to 1."""
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.478, abs=0.001)
    assert contrast("#767676", "#fff") > 4.5
    assert contrast("#abc", "#aabbcc") == 1


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_our_own_colours_can_be_read(scheme: int) -> None:
    """Text has 4.5 to 1 on each of its grounds, drawings 3 to 1, warnings too."""
    colours = schemes(style_sheet({}))[scheme]
    assert set(COLOURS) <= set(colours)
    assert all(contrast(colours[front], colours[ground]) >= least for front, ground, least in NEEDED)
    assert contrast(colours["warn"], colours["warn-sheet"]) >= 4.5


@pytest.mark.parametrize("blindness", [None, *BLINDNESS])
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_sides_are_told_apart_without_one_kind_of_cone(scheme: int, blindness: str | None) -> None:
    """Against, in favor and neither stay apart for readers who do not see red, green or blue."""
    colours = schemes(style_sheet({}))[scheme]
    distances = [apart(colours[a], colours[b], blindness) for a, b in combinations(("against", "favor", "neutral"), 2)]
    assert min(distances) > 0.085
    assert distances[0] > 0.115


def test_the_simulation_confuses_what_such_readers_confuse() -> None:
    """A red and a green of one lightness collapse without green cones, a blue and a yellow do not."""
    assert apart("#c06000", "#809000", "deuteranopia") < 0.4 * apart("#c06000", "#809000")
    assert apart("#0050c0", "#a08000", "deuteranopia") > 0.8 * apart("#0050c0", "#a08000")


def test_each_scheme_takes_its_own_colours() -> None:
    """A colour is for light screens, with dark- before it for dark ones; neither touches the other, nor print."""
    style = style_sheet({"accent": "#123456", "dark-accent": "#9cf"})
    assert style.startswith(style_sheet({}))
    assert style.endswith(
        "@media screen and (prefers-color-scheme:light){:root{--accent:#123456;}}\n"
        "@media screen and (prefers-color-scheme:dark){:root{--accent:#9cf;}}\n"
    )


@pytest.mark.parametrize(
    ("theme", "says"),
    [
        ({"accnt": "#123456"}, 'did you mean "accent"'),
        ({"accent": "red}body{display:none"}, "write a colour as #rrggbb"),
        ({"accent": "#1234567"}, "write a colour as #rrggbb"),
        ({"accent": "#ffcc00"}, "accent #ffcc00 on paper #fdfcf9 has a contrast of 1.5 to 1"),
        ({"dark-paper": "#fff"}, "dark-ink #ebe7df on dark-paper #fff has a contrast of 1.2 to 1"),
        ({"favor": "#a05a00"}, "look alike"),
        ({"against": "#b00020", "favor": "#4f6000"}, "look alike to people with"),
    ],
)
def test_colours_that_cannot_be_read_are_refused(theme: dict[str, str], says: str, tmp_path: Path) -> None:
    """One sentence names the colours and the rule, before any stage has run."""
    with pytest.raises(UsageError) as caught:
        pipeline.run(parse_config({"report": {"theme": theme}}), tmp_path / "ws")
    assert says in str(caught.value)
    assert not (tmp_path / "ws").exists()
