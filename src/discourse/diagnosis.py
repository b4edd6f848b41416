"""What a run needs, checked piece by piece."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources

from discourse.codebook import load_codebook, shipped_codebooks
from discourse.config import BundlesConfig
from discourse.errors import DiscourseError
from discourse.models.bundle import load_bundle, shipped_bundles
from discourse.receipt import library_versions


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: whether it is well, and what was found or what to do."""

    name: str
    ok: bool
    found: str


def diagnose() -> list[Check]:
    """Check Python, libraries, encoder, bundles, codebooks and the sample; nothing is changed."""
    checks = [_check("python", _python), _check("libraries", _libraries), _check("encoder", _encoder)]
    needed = {BundlesConfig().frames, BundlesConfig().stance}
    bundles = sorted(needed.union(shipped_bundles()))
    checks += [_check(f"bundle {name}", lambda name=name: load_bundle(name).id) for name in bundles]
    checks += [_check(f"codebook {name}", lambda name=name: _frames(name)) for name in shipped_codebooks()]
    checks.append(_check("sample", _sample))
    return checks


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except (DiscourseError, ImportError, OSError) as e:
        return Check(name, False, str(e))


def _python() -> str:
    return platform.python_version()


def _libraries() -> str:
    return ", ".join(f"{name} {version}" for name, version in library_versions().items())


def _encoder() -> str:
    from discourse.models.encoder import load_encoder

    return load_encoder().id


def _frames(name: str) -> str:
    return ", ".join(load_codebook(name).names)


def _sample() -> str:
    file = resources.files("discourse") / "data" / "sample" / "lamp-posts.toml"
    if not file.is_file():
        raise OSError("the embedded sample is missing; reinstall discourse")
    return "embedded"
