"""What this file shows of people, by which setting, and what was hidden in the texts that it quotes."""

from __future__ import annotations

from dataclasses import dataclass

from discourse.privacy import KINDS
from discourse.report.figures import total
from discourse.report.material import Material
from discourse.report.phrases import Phrase


@dataclass(frozen=True, slots=True)
class PrivacyView:
    """The setting in words, what is done to texts, and how often, where comments were counted."""

    setting: str
    scrub: str
    counts: Phrase


def comparison(material: Material) -> PrivacyView:
    """Say what a comparison quotes, and with which setting it was made."""
    return PrivacyView(material.words.text("privacy.comparison", quotes=material.policy.quotes), "", ())


def privacy(material: Material) -> PrivacyView:
    """Say with which setting the file was made, and how much of what leads to people the comments hold."""
    words, policy = material.words, material.policy
    rows = {kind: material.estimates.count(f"data:scrubbed:{kind}") for kind in KINDS}
    found = {kind: total(row, words) for kind, row in rows.items() if row is not None}
    hidden = policy.texts and (policy.scrub or not policy.full)
    return PrivacyView(
        setting=words.text(f"privacy.setting.{policy.quotes}"),
        scrub=words.text("privacy.scrub" if hidden else "privacy.no_scrub") if policy.texts else "",
        counts=words.phrase("privacy.counts", **found) if hidden and len(found) == len(KINDS) else (),
    )
