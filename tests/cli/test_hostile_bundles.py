"""Bundles made to do harm, or damaged: one sentence each, nothing run, and nothing written."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import Command
from tests.models.spoiled_bundles import SPOILED, UNFIT, Spoil
from tests.models.tiny_bundle import CODEBOOK, tiny_bundle

from discourse.errors import BundleError
from discourse.models.bundle import Bundle, load_bundle


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle that nothing is wrong with."""
    return tiny_bundle(tmp_path_factory.mktemp("sound") / "tiny")


@pytest.fixture
def folder(sound: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may spoil; what is unpacked goes beside it."""
    (tmp_path / "unpacked").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "unpacked"))
    return Path(shutil.copytree(sound.folder, tmp_path / "bundles" / "tiny"))


def files(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if not path.is_dir()}


def test_a_sound_bundle_passes_every_check(folder: Path, discourse: Command) -> None:
    said = discourse("bundle", "verify", folder, "--codebook", CODEBOOK, "--json")
    assert said.code == 0
    assert said.json["ok"] is True
    assert {check["status"] for check in said.json["checks"]} == {"ok"}
    names = [check["name"] for check in said.json["checks"]]
    assert names == [
        *("manifest", "files", "evidence", "hashes", "contents", "weights"),
        *("figures", "codebook", "encoder", "reading"),
    ]


@pytest.mark.parametrize(("spoil", "said"), SPOILED.values(), ids=SPOILED)
def test_a_spoiled_bundle_is_refused_wherever_it_is_opened(
    spoil: Spoil, said: str, folder: Path, tmp_path: Path, discourse: Command
) -> None:
    hostile = spoil(folder)
    before = files(tmp_path)
    with pytest.raises(BundleError, match=said) as caught:
        load_bundle(hostile)
    assert "\n" not in str(caught.value)
    shown = discourse("bundle", "show", hostile)
    assert (shown.code, shown.out) == (1, "")
    verified = discourse("bundle", "verify", hostile)
    assert verified.code == 1
    assert "failed" in verified.out
    assert "this must never be printed" not in verified.out + verified.err + shown.err
    # A zip whose files are sound from the outside is unpacked into its private folder, and nowhere else.
    assert {path for path in files(tmp_path) - before if "discourse-bundles-" not in path} == set()


@pytest.mark.parametrize(("spoil", "said"), UNFIT.values(), ids=UNFIT)
def test_a_bundle_that_does_not_fit_is_refused_where_it_is_used(
    spoil: Spoil, said: str, folder: Path, thread: Path, tmp_path: Path, discourse: Command
) -> None:
    hostile = spoil(folder)
    verified = discourse("bundle", "verify", hostile)
    assert verified.code == 1
    assert re.search(said, verified.error), verified.error
    settings = ["--set", "normalize.languages=['en']", "--frames", hostile]
    ran = discourse("run", thread, "-o", tmp_path / "ws", *settings)
    assert ran.code in {1, 2}
    assert re.search(said, ran.error), ran.error
    assert not (tmp_path / "ws" / "frames").exists()


def test_a_bundle_that_goes_away_while_in_use_is_told(folder: Path) -> None:
    bundle = load_bundle(folder)
    (folder / "CARD.md").write_text("better than it is", encoding="utf-8")
    with pytest.raises(BundleError, match="changed while the bundle was in use"):
        bundle.card()
    shutil.rmtree(folder)
    for ask in (bundle.heldout, bundle.calibration, bundle.metrics, bundle.trained_on, bundle.card):
        with pytest.raises(BundleError, match="removed while it was in use"):
            ask()


def test_a_zip_is_unpacked_again_where_a_clean_up_took_a_part(folder: Path, tmp_path: Path) -> None:
    from discourse.models.bundle_zip import write_zip

    write_zip(folder, list(load_bundle(folder).manifest.files), tmp_path / "b.zip")
    first = load_bundle(tmp_path / "b.zip")
    (first.folder / "CARD.md").unlink()
    again = load_bundle(tmp_path / "b.zip")
    assert again == first
    (first.folder / "bundle.toml").write_text("name = 'another'", encoding="utf-8")
    assert load_bundle(tmp_path / "b.zip") == first


def test_a_folder_that_others_can_write_to_is_not_unpacked_into(folder: Path, tmp_path: Path) -> None:
    from discourse.models.bundle_zip import write_zip

    write_zip(folder, list(load_bundle(folder).manifest.files), tmp_path / "b.zip")
    shared = tmp_path / "unpacked" / f"discourse-bundles-{os.getuid()}"
    shared.mkdir()
    shared.chmod(0o777)
    assert shared not in load_bundle(tmp_path / "b.zip").folder.parents
