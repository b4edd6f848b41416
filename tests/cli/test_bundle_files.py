"""`discourse bundle verify|list|export`: bundles carried as folders, zips and from a hub's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from tests.cli.conftest import Command
from tests.models.tiny_bundle import tiny_bundle

from discourse.models.bundle import Bundle, load_bundle, shipped_bundles


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A small sound bundle."""
    return tiny_bundle(tmp_path_factory.mktemp("tiny") / "tiny")


def test_a_zip_has_the_same_bytes_whenever_and_from_wherever_it_is_made(
    tiny: Bundle, tmp_path: Path, discourse: Command
) -> None:
    copy = Path(shutil.copytree(tiny.folder, tmp_path / "copy"))
    for path in copy.iterdir():
        os.utime(path, (time.time() - 10**6,) * 2)
        path.chmod(0o600)
    said = discourse("bundle", "export", tiny.folder, "-o", tmp_path / "a.zip", "--json")
    assert said.json == {"name": "tiny", "path": str(tmp_path / "a.zip"), "sha256": tiny.sha256}
    assert discourse("bundle", "export", copy, "-o", tmp_path / "b.zip").code == 0
    # A zip of a zip is the bundle's zip again.
    assert discourse("bundle", "export", tmp_path / "a.zip", "-o", tmp_path / "c.zip").code == 0
    hashes = {hashlib.sha256((tmp_path / f"{name}.zip").read_bytes()).hexdigest() for name in "abc"}
    assert len(hashes) == 1
    assert load_bundle(tmp_path / "a.zip").id == tiny.id


def test_an_export_is_never_written_over(tiny: Bundle, tmp_path: Path, discourse: Command) -> None:
    file = tmp_path / "a.zip"
    file.write_text("mine", encoding="utf-8")
    said = discourse("bundle", "export", tiny.folder, "-o", file)
    assert said.code == 1
    assert "never written over" in said.error
    assert file.read_text(encoding="utf-8") == "mine"
    assert discourse("bundle", "export", tiny.folder, "-o", tmp_path / "folder").code == 2
    assert discourse("bundle", "export", tiny.folder, "--onnx", "-o", tmp_path / "b.zip").code == 2
    nowhere = discourse("bundle", "export", tiny.folder, "-o", file / "below" / "a.zip")
    assert nowhere.code == 1
    assert sorted(tmp_path.iterdir()) == [file]


def test_a_folder_of_bundles_is_listed_with_what_is_broken(tiny: Bundle, tmp_path: Path, discourse: Command) -> None:
    from discourse.models.bundle_zip import write_zip

    shutil.copytree(tiny.folder, tmp_path / "good")
    shutil.copytree(tiny.folder, tmp_path / "bad")
    (tmp_path / "bad" / "CARD.md").write_text("better than it is", encoding="utf-8")
    write_zip(tiny.folder, list(tiny.manifest.files), tmp_path / "packed.ZIP")
    shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path / "good", "CARD.md")
    (tmp_path / "torn.zip").write_bytes((tmp_path / "packed.ZIP").read_bytes()[:5_000])
    (tmp_path / "notes.txt").write_text("not a bundle", encoding="utf-8")
    found = discourse("bundle", "list", tmp_path, "--json").json
    mine = {bundle["path"]: bundle["sha256"] for bundle in found["bundles"] if bundle["name"] == "tiny"}
    assert mine == {str(tmp_path / "good"): tiny.sha256, str(tmp_path / "packed.ZIP"): tiny.sha256}
    assert {bundle["name"] for bundle in found["bundles"]} == {"tiny", *shipped_bundles()}
    assert [broken["path"] for broken in found["broken"]] == [str(tmp_path / "bad"), str(tmp_path / "torn.zip")]
    text = discourse("bundle", "list", tmp_path).out
    assert text.count("broken: ") == 2
    assert "CARD.md: has SHA-256" in text
    missing = discourse("bundle", "list", tmp_path / "none")
    assert missing.code == 1
    assert "no such folder" in missing.error


def test_what_file_managers_leave_behind_is_neither_read_nor_carried(
    tiny: Bundle, tmp_path: Path, discourse: Command
) -> None:
    copy = Path(shutil.copytree(tiny.folder, tmp_path / "tiny"))
    (copy / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    assert load_bundle(copy).id == tiny.id
    assert discourse("bundle", "export", copy, "-o", tmp_path / "a.zip").code == 0
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        assert ".DS_Store" not in archive.namelist()
        archive.writestr("__MACOSX/._bundle.toml", b"\0\5\x16\7")
    unpacked = load_bundle(tmp_path / "a.zip")
    assert unpacked.id == tiny.id
    assert {path.name for path in unpacked.folder.iterdir()} == {"bundle.toml", *tiny.manifest.files}


def cached(bundle: Bundle, home: Path) -> Path:
    """Lay a bundle out as the hub's own client does in its cache: blobs by hash, and a snapshot of links to them."""
    repository, revision = home / "hub" / "models--somebody--tiny", "0123456789abcdef0123456789abcdef01234567"
    snapshot = repository / "snapshots" / revision
    for folder in (repository / "blobs", snapshot, repository / "refs"):
        folder.mkdir(parents=True)
    (repository / "refs" / "main").write_text(revision, encoding="utf-8")
    extra = {"README.md": b"# tiny\n", ".gitattributes": b"*.safetensors filter=lfs\n"}
    for name, data in {**{path.name: path.read_bytes() for path in bundle.folder.iterdir()}, **extra}.items():
        blob = repository / "blobs" / hashlib.sha256(data).hexdigest()
        blob.write_bytes(data)
        (snapshot / name).symlink_to(os.path.relpath(blob, snapshot))
    return snapshot


def test_a_bundle_at_a_hub_is_used_from_the_local_cache_without_a_network(tiny: Bundle, tmp_path: Path) -> None:
    snapshot = cached(tiny, tmp_path)
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    command = [str(Path(sys.executable).with_name("discourse")), "bundle", "show", "somebody/tiny"]

    def show() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    shown = show()
    assert shown.returncode == 0, shown.stderr
    assert tiny.id in shown.stdout
    (snapshot / "model.pkl").write_bytes(b"\x80\x04N.")
    refused = show()
    assert refused.returncode == 1
    assert "may hold code" in refused.stderr
    (snapshot / "model.pkl").unlink()
    (snapshot / "CARD.md").unlink()
    (snapshot / "CARD.md").symlink_to("/etc/hostname")
    assert "is a link" in show().stderr


def test_a_hub_id_that_is_not_in_the_cache_is_told(discourse: Command) -> None:
    said = discourse("bundle", "verify", "nobody/no-such-bundle")
    assert said.code == 1
    assert "neither a file here nor" in said.error
