"""The style sheet and its colours: those of the configuration are taken only if everybody can read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources

from discourse.errors import UsageError, did_you_mean

STYLES = ("report.css", "sections.css", "explorer.css")
# Colours that `[report] theme` may replace; with "dark-" before the name, those of the dark scheme. Print has its own.
COLOURS = ("paper", "sheet", "ink", "muted", "rule", "accent", "against", "favor", "neutral", "evidence")
HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
SCHEMES = re.compile(r":root \{(.*?)\}", re.DOTALL)
# Contrast that WCAG 2.2 AA asks of text (1.4.3) and of what is drawn (1.4.11).
TEXT, DRAWN = 4.5, 3.0
NEEDED = (
    *(
        (front, ground, TEXT)
        for front in ("ink", "muted", "accent", "against", "favor")
        for ground in ("paper", "sheet")
    ),
    ("ink", "evidence", TEXT),
    ("neutral", "paper", DRAWN),
)
# Both sides of a stance must be told apart without red, green or blue cones: least distance in OKLab.
APART = 0.1
# Full loss of one kind of cone, in linear RGB (Machado, Oliveira and Fernandes 2009, table 1, severity 1.0).
BLINDNESS: Mapping[str, tuple[tuple[float, ...], ...]] = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}

Colours = dict[str, str]
Linear = tuple[float, ...]


def style_sheet(theme: Mapping[str, str]) -> str:
    """Return the style sheet, with the colours that `[report] theme` replaces.

    Raises:
        UsageError: a colour has an unknown name, is not written as #rgb or #rrggbb, or cannot be read on its ground.
    """
    assets = resources.files("discourse.report") / "assets"
    style = "".join((assets / name).read_text(encoding="utf-8") for name in STYLES)
    if not theme:
        return style
    for name, scheme, changes in zip(("light", "dark"), schemes(style), _replaced(theme), strict=True):
        if changes:
            _check({**scheme, **changes}, changes, "dark-" if name == "dark" else "")
            rule = "".join(f"--{colour}:{value};" for colour, value in changes.items())
            style += f"@media screen and (prefers-color-scheme:{name}){{:root{{{rule}}}}}\n"
    return style


def schemes(style: str) -> tuple[Colours, Colours]:
    """Return the colours of the light and of the dark scheme, by name, as the style sheet has them."""
    found = [dict(re.findall(r"--([\w-]+): (#\w+);", block)) for block in SCHEMES.findall(style)]
    return found[0], {**found[0], **found[1]}


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours by the formula of WCAG 2, from 1 to 21."""
    darker, lighter = sorted(_luminance(colour) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def apart(one: str, other: str, blindness: str | None = None) -> float:
    """Return the distance of two colours in OKLab (black to white is 1) as people with that blindness see them."""
    seen = [_oklab(_seen(_linear(colour), blindness)) for colour in (one, other)]
    return sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5


def _replaced(theme: Mapping[str, str]) -> tuple[Colours, Colours]:
    light: Colours = {}
    dark: Colours = {}
    known = [*COLOURS, *(f"dark-{name}" for name in COLOURS)]
    for name, colour in theme.items():
        if name not in known:
            said = f'[report] theme has no colour "{name[:40]}"{did_you_mean(name, known)}'
            raise UsageError(f"{said}; it has {', '.join(COLOURS)}, and each with dark- before it")
        if not HEX.fullmatch(colour):
            raise UsageError(f'[report] theme: {name} is "{colour[:40]}"; write a colour as #rrggbb')
        (dark if name.startswith("dark-") else light)[name.removeprefix("dark-")] = colour
    return light, dark


def _check(scheme: Colours, changes: Colours, prefix: str) -> None:
    for front, ground, least in NEEDED:
        ratio = contrast(scheme[front], scheme[ground])
        if ratio < least and {front, ground} & set(changes):
            raise UsageError(
                f"[report] theme: {prefix}{front} {scheme[front]} on {prefix}{ground} {scheme[ground]} has a contrast "
                f"of {ratio:.1f} to 1, and readers need {least:g} to 1 (WCAG AA); make one of them darker or lighter"
            )
    for blindness in BLINDNESS:
        if {"against", "favor"} & set(changes) and apart(scheme["against"], scheme["favor"], blindness) < APART:
            raise UsageError(
                f"[report] theme: {prefix}against {scheme['against']} and {prefix}favor {scheme['favor']} look alike "
                f"to people with {blindness}; choose colours that differ in lightness, too"
            )


def _linear(colour: str) -> Linear:
    digits = colour[1:] if len(colour) == 7 else "".join(letter * 2 for letter in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)


def _luminance(colour: str) -> float:
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), _linear(colour), strict=True))


def _seen(colour: Linear, blindness: str | None) -> Linear:
    if blindness is None:
        return colour
    return tuple(min(1.0, max(0.0, value)) for value in _times(BLINDNESS[blindness], colour))


def _oklab(colour: Linear) -> Linear:
    """Turn linear RGB into OKLab (Ottosson 2020)."""
    cones = _times(
        (
            (0.4122214708, 0.5363325363, 0.0514459929),
            (0.2119034982, 0.6806995451, 0.1073969566),
            (0.0883024619, 0.2817188376, 0.6299787005),
        ),
        colour,
    )
    return _times(
        (
            (0.2104542553, 0.7936177850, -0.0040720468),
            (1.9779984951, -2.4285922050, 0.4505937099),
            (0.0259040371, 0.7827717662, -0.8086757660),
        ),
        tuple(value ** (1 / 3) for value in cones),
    )


def _times(matrix: tuple[tuple[float, ...], ...], vector: Linear) -> Linear:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
