"""Sealing a bundle of one's own, and hostile bundles that are well formed from the outside."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from discourse.errors import BundleError
from discourse.models.bundle import HELDOUT_SCHEMA, load_bundle, seal, text_hash

GOOD_CALIBRATION = '{"a": {"slope": 2, "intercept": 0, "threshold": 0.5, "unsure_low": 0.5, "unsure_high": 0.5}}'
MANIFEST: dict[str, Any] = {
    "name": "tiny",
    "kind": "frames",
    "labels": ("a",),
    "encoder": "e",
    "encoder_sha256": "0" * 64,
    "method": "heads",
    "languages": ("en",),
    "max_length": 64,
    "licence": "CC0-1.0",
    "provenance": ("written for this test",),
    "settings": {"penalty": 1.0, "fold_rows": 100, "on": True},
}


def fill(folder: Path, **changed: str) -> Path:
    """Write every file of a bundle but bundle.toml."""
    folder.mkdir(exist_ok=True)
    texts = {"calibration.json": GOOD_CALIBRATION, "metrics.json": "{}", "trained_on.txt": "", "CARD.md": "# tiny"}
    for name, text in {**texts, **changed}.items():
        (folder / name).write_text(text, encoding="utf-8")
    HELDOUT_SCHEMA.to_frame().write_parquet(folder / "heldout.parquet")
    save_file({"weights": np.zeros(1, np.float32)}, folder / "weights.safetensors")
    return folder


def test_a_sealed_bundle_loads_as_it_was_written(tmp_path: Path) -> None:
    sealed = seal(fill(tmp_path / "b", **{"trained_on.txt": text_hash("a  word")}), MANIFEST)
    loaded = load_bundle(tmp_path / "b", "frames")
    assert loaded == sealed
    assert loaded.id == f"tiny@{loaded.sha256[:12]}"
    assert loaded.manifest.settings == MANIFEST["settings"]
    assert loaded.calibration()["a"].slope == 2
    assert loaded.trained_on() == {text_hash(" a word\n")}
    assert loaded.heldout().is_empty()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=30), key=st.text(min_size=1, max_size=10))
@example(words="\x7f", key="\U00010000")
def test_any_words_survive_the_manifest(words: str, key: str, tmp_path: Path) -> None:
    folder = fill(tmp_path / "b")
    sealed = seal(folder, {**MANIFEST, "provenance": (words,), "settings": {key: words}})
    assert load_bundle(folder).manifest == sealed.manifest
    assert sealed.manifest.provenance == (words,)
    assert sealed.manifest.settings == {key: words}


@pytest.mark.parametrize("name", ["model.pt", "model.bin", "model.pkl", "setup.py", "weights"])
def test_what_could_hold_code_is_not_even_sealed(name: str, tmp_path: Path) -> None:
    folder = fill(tmp_path / "b")
    (folder / name).write_bytes(b"")
    with pytest.raises(BundleError, match="may hold code"):
        seal(folder, MANIFEST)


def test_a_bundle_without_its_evidence_is_refused(tmp_path: Path) -> None:
    folder = fill(tmp_path / "b")
    (folder / "heldout.parquet").unlink()
    with pytest.raises(BundleError, match=r"lacks heldout\.parquet"):
        seal(folder, MANIFEST)


def test_a_manifest_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    seal(fill(tmp_path / "b"), MANIFEST)
    manifest = tmp_path / "b" / "bundle.toml"
    manifest.write_text(manifest.read_text("utf-8") + f'"../outside.md" = "{"0" * 64}"\n', "utf-8")
    with pytest.raises(BundleError, match="not a plain file beside it"):
        load_bundle(tmp_path / "b")


@pytest.mark.parametrize("text", ["{", "[]", '{"a": {"slope": "steep"}}', '{"a": 1}'])
def test_a_calibration_that_cannot_be_read_is_told(text: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"calibration\.json"):
        seal(fill(tmp_path / "b", **{"calibration.json": text}), MANIFEST).calibration()


def test_heldout_rows_of_another_form_are_refused(tmp_path: Path) -> None:
    folder = fill(tmp_path / "b")
    HELDOUT_SCHEMA.to_frame().drop("weight").write_parquet(folder / "heldout.parquet")
    with pytest.raises(BundleError, match=r"heldout\.parquet: columns are"):
        seal(folder, MANIFEST).heldout()


def test_a_heldout_file_that_is_no_table_is_told(tmp_path: Path) -> None:
    folder = fill(tmp_path / "b")
    (folder / "heldout.parquet").write_bytes(b"PAR1")
    with pytest.raises(BundleError, match=r"heldout\.parquet"):
        seal(folder, MANIFEST).heldout()


def test_a_zip_without_a_bundle_or_with_two_is_refused(tmp_path: Path) -> None:
    for number, names in ((0, ["notes.md"]), (2, ["a/bundle.toml", "b/bundle.toml"])):
        file = tmp_path / f"{number}.zip"
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, str(tmp_path))
        with pytest.raises(BundleError, match=f"holds {number} files bundle.toml"):
            load_bundle(file)


def test_a_damaged_or_locked_zip_is_told(tmp_path: Path) -> None:
    seal(fill(tmp_path / "b", **{"CARD.md": "word " * 2_000}), MANIFEST)
    whole = Path(shutil.make_archive(str(tmp_path / "whole"), "zip", tmp_path / "b")).read_bytes()
    place = whole.index(b"PK\x03\x04")
    spoiled = {
        "cut.zip": whole[: len(whole) // 2],
        "stream.zip": whole[: place + 40] + b"\xff" * 20 + whole[place + 60 :],
        "locked.zip": _locked(whole),
        "text.zip": b"not a zip",
    }
    for name, data in spoiled.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BundleError, match=name):
            load_bundle(tmp_path / name)


def _locked(data: bytes) -> bytes:
    """Set the encryption bit of every entry, as a zip with a password has it."""
    locked = bytearray(data)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            locked[place + offset] |= 1
            place = data.find(mark, place + 1)
    return bytes(locked)
