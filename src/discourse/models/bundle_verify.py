"""Everything that can be asked of a bundle before it is trusted, each question by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from discourse.codebook import load_codebook, shipped_codebooks
from discourse.errors import BundleError, DiscourseError
from discourse.models.bundle import CHECKS, Bundle, locate, read_bundle
from discourse.models.bundle_codebook import bundled_codebook, check_codebook
from discourse.models.cascade import load_cascade

if TYPE_CHECKING:
    from discourse.models.encoder import Encoder

SENTENCE = "They log every ticket, and nobody asked us."


class Status(Enum):
    """How a check ended; `skipped`: there was nothing to ask, or what it builds on failed."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One question, how it ended, and why in a sentence (empty where it ended well)."""

    name: str
    status: Status
    said: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """All checks of a bundle; `bundle` is None where not even `bundle.toml` can be read."""

    bundle: Bundle | None
    checks: tuple[Check, ...]

    @property
    def failed(self) -> Check | None:
        """The first check that failed."""
        return next((check for check in self.checks if check.status is Status.FAILED), None)


class _Skip(Exception):  # noqa: N818  # no error: there is nothing to check
    """There is nothing that this check could ask."""


def verify_bundle(reference: str | Path, codebook: str | None = None) -> Verified:
    """Ask a bundle everything, going on after a failure where the next check does not build on it.

    Args:
        reference: a shipped name, a folder, a zip or a hub id.
        codebook: a codebook that the bundle must fit; None takes the shipped one of the name it was trained on.
    """
    checks: list[Check] = []
    try:
        bundle = read_bundle(locate(reference))
    except DiscourseError as e:
        named = [Check(name, Status.SKIPPED, "no manifest to go by") for name in (*CHECKS, *_deep(None, None))]
        return Verified(None, (Check("manifest", Status.FAILED, str(e)), *named))
    checks.append(Check("manifest", Status.OK))
    for name, ask in CHECKS.items():
        # Opening what is no plain file could hang, and hashes of what is not there say nothing more.
        if name != "files" and checks[1].status is Status.FAILED:
            checks.append(Check(name, Status.SKIPPED, "the files are not those of the bundle"))
        else:
            checks.append(_asked(name, lambda ask=ask: ask(bundle)))
    sound = not any(check.status is Status.FAILED for check in checks)
    for name, question in _deep(bundle, codebook).items():
        checks.append(_asked(name, question) if sound else Check(name, Status.SKIPPED, "an earlier check failed"))
    return Verified(bundle, tuple(checks))


def _deep(bundle: Bundle | None, codebook: str | None) -> dict[str, Callable[[], object]]:
    """Return the checks that take a bundle whose files are sound."""

    def missing() -> None:
        raise _Skip

    if bundle is None:
        return dict.fromkeys(("figures", "codebook", "encoder", "reading"), missing)

    @cache
    def encoder() -> Encoder:
        if bundle.manifest.encoder.endswith("/static"):
            raise _Skip("its vectors are those of the static tier of a frames bundle, which is not here")
        # Seconds to import and load: once for both questions.
        from discourse.models.encoder import load_encoder

        return load_encoder(bundle.manifest.encoder, bundle.manifest.encoder_sha256)

    return {
        "figures": lambda: _figures(bundle),
        "codebook": lambda: _codebook(bundle, codebook),
        "encoder": encoder,
        "reading": lambda: _reading(bundle, encoder()),
    }


def _asked(name: str, question: Callable[[], object]) -> Check:
    try:
        question()
    except _Skip as e:
        return Check(name, Status.SKIPPED, str(e))
    except DiscourseError as e:
        return Check(name, Status.FAILED, str(e))
    return Check(name, Status.OK)


def _figures(bundle: Bundle) -> None:
    """Calibration, figures and held-out rows can be read, and speak of the labels that the bundle has."""
    if bundle.manifest.kind == "topics":
        raise _Skip("a topics bundle has no held-out rows")
    bundle.calibration()
    bundle.metrics()
    load_cascade(bundle)
    heldout = bundle.heldout()
    strange = heldout.filter(
        ~pl.col("label").is_in([0, 1]).fill_null(value=False)
        | ~pl.col("score").is_finite().fill_null(value=False)
        | (pl.col("weight") < 0)
        | pl.col("weight").is_nan()
    )
    if strange.height:
        raise BundleError(
            f"{bundle.folder}/heldout.parquet: {strange.height} rows have a label that is neither 0 nor 1, no finite "
            "score or a weight below 0; train the bundle again"
        )
    unknown = set(heldout["level"]) - {*bundle.manifest.labels, "about"}
    if unknown:
        raise BundleError(f"{bundle.folder}/heldout.parquet: has rows of {min(unknown)!r}, which the bundle has not")
    if not bundle.manifest.validated:
        raise _Skip("made from definitions alone and judged on no labels: there are none")
    if heldout.is_empty():
        raise BundleError(f"{bundle.folder}/heldout.parquet: is empty: this bundle was never judged; do not use it")


def _codebook(bundle: Bundle, codebook: str | None) -> None:
    kept = bundled_codebook(bundle)
    if bundle.manifest.kind != "frames":
        raise _Skip(f"a {bundle.manifest.kind} bundle has no codebook")
    if codebook is not None:
        check_codebook(bundle, load_codebook(codebook))
    elif bundle.manifest.codebook in shipped_codebooks():
        check_codebook(bundle, load_codebook(bundle.manifest.codebook))
    elif kept is None:
        raise _Skip(f"codebook {bundle.manifest.codebook} is not here; give it with --codebook FILE")


def _reading(bundle: Bundle, encoder: Encoder) -> None:
    """The weights fit the encoder and give finite scores to a sentence; what lies beside them can be read."""
    from discourse.models.fit_files import load_fit

    load_fit(bundle.folder)
    if bundle.manifest.kind == "topics":
        from discourse.models.topics_bundle import load_topics

        load_topics(bundle, encoder)
        return
    if bundle.manifest.kind == "frames":
        from discourse.models.frame_inputs import FrameInput
        from discourse.models.frames import load_frames
        from discourse.models.static import FILE
        from discourse.models.text_vectors import static_tier

        scores = load_frames(bundle, encoder).read([FrameInput(SENTENCE)]).scores
        if FILE in bundle.manifest.files:
            scores = np.concatenate([scores, static_tier(bundle, encoder).scores([FrameInput(SENTENCE)])])
    else:
        from discourse.models.stance import Reading, load_stance

        scores = load_stance(bundle, encoder).log_probabilities([Reading("tickets", SENTENCE)])
    if not np.isfinite(scores).all():
        raise BundleError(f"{bundle.folder}: gives no finite score to a plain sentence; train the bundle again")
