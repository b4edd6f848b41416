"""Bundles are verified at load: what was changed, is missing, or could hold code is refused in one sentence."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from discourse.errors import BundleError
from discourse.models.bundle import REQUIRED, Bundle, load_bundle, shipped_bundles


@pytest.fixture
def folder(frames_bundle: Bundle, tmp_path: Path) -> Path:
    """A copy of the shipped frames bundle that a test may spoil."""
    copy = tmp_path / "copy"
    shutil.copytree(frames_bundle.folder, copy)
    return copy


def flip(folder: Path) -> None:
    data = bytearray((folder / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(data)


def cut(folder: Path) -> None:
    file = folder / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:100])


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed byte": (flip, "has SHA-256"),
    "truncated": (cut, "has SHA-256"),
    "missing": (lambda f: (f / "heldout.parquet").unlink(), "is missing"),
    "extra": (lambda f: (f / "notes.txt").write_text("x"), "not named in bundle.toml"),
    "pickle": (lambda f: (f / "model.pkl").write_bytes(b"\x80\x04."), "may hold code"),
    "pickle in a folder": (
        lambda f: ((f / "a").mkdir(), (f / "a" / "pytorch_model.bin").write_bytes(b"")),
        "hold code",
    ),
    "no manifest": (lambda f: (f / "bundle.toml").unlink(), "is no bundle"),
    "bad manifest": (lambda f: (f / "bundle.toml").write_text("name ="), "not valid TOML"),
    "unknown key": (lambda f: (f / "bundle.toml").write_text("colour = 'red'\n" + _manifest(f)), "unknown key"),
    "other format": (
        lambda f: (f / "bundle.toml").write_text(_manifest(f).replace("format = 1", "format = 9")),
        "format 9",
    ),
}


def _manifest(folder: Path) -> str:
    return (folder / "bundle.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("spoil", "said"), SPOILED.values(), ids=SPOILED)
def test_a_spoiled_bundle_is_refused(spoil: Callable[[Path], object], said: str, folder: Path) -> None:
    spoil(folder)
    with pytest.raises(BundleError, match=said):
        load_bundle(folder)


def test_a_zip_is_a_bundle_too(folder: Path, frames_bundle: Bundle) -> None:
    archive = shutil.make_archive(str(folder), "zip", folder)
    assert load_bundle(archive).id == frames_bundle.id


@pytest.mark.parametrize("name", ["../evil.toml", "/etc/evil.toml", "a\\..\\evil.toml"])
def test_a_zip_that_reaches_outside_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / "evil.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(BundleError, match="outside the bundle"):
        load_bundle(file)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("frames-minlm", "did you mean"),
        ("nobody/no-such-bundle", "neither a file here nor"),
        (__file__, "is no bundle"),
    ],
)
def test_a_bundle_that_is_not_there(reference: str, said: str) -> None:
    with pytest.raises(BundleError, match=said):
        load_bundle(reference)


def test_a_bundle_of_another_kind_is_refused() -> None:
    with pytest.raises(BundleError, match="a stance bundle is needed"):
        load_bundle("frames-minilm", "stance")


@pytest.mark.parametrize("name", shipped_bundles())
def test_a_shipped_bundle_carries_its_evidence(name: str) -> None:
    bundle = load_bundle(name)
    assert all((bundle.folder / file).is_file() for file in REQUIRED)
    heldout = bundle.heldout()
    assert heldout["score"].is_finite().all()
    assert set(heldout["label"]) == {0, 1}
    paths = set(heldout["path"])
    assert "exact" in paths
    assert ("text_only" in paths) == bool(bundle.manifest.context), "another reading has rows of its own"
    assert all(heldout.filter(path=path)["text_hash"].n_unique() for path in paths)
    assert len(bundle.trained_on()) > 1_000
    assert "written" not in heldout["source"].to_list()
    assert "language model" in (bundle.folder / "CARD.md").read_text(encoding="utf-8") or name == "stance-minilm"
    for row in bundle.metrics()["by_label"].values():
        assert 0 <= row["average_precision"] <= 1


def test_shipped_weights_are_small() -> None:
    total = sum(file.stat().st_size for name in shipped_bundles() for file in load_bundle(name).folder.iterdir())
    assert total < 95_000_000


def test_the_frames_bundle_reads_the_shipped_codebook(frames_bundle: Bundle) -> None:
    from discourse.codebook import load_codebook

    codebook = load_codebook(frames_bundle.manifest.codebook)
    assert frames_bundle.manifest.codebook_sha256 == codebook.sha256
    assert frames_bundle.manifest.labels == codebook.names
