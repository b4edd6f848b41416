"""`discourse bundle verify|list|export`: bundles as files that can be checked, found and carried."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discourse.cli.options import Json, print_json

Reference = Annotated[str, typer.Argument(metavar="BUNDLE", help="A shipped name, a folder, a .zip or a hub id.")]


def verify(
    reference: Reference,
    codebook: Annotated[
        str | None,
        typer.Option("--codebook", metavar="FILE", help="The codebook that it must fit; else the shipped one."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask a bundle everything before it is trusted: files, hashes, weights, figures, codebook, encoder, one reading.

    Nothing of a bundle is run or unpickled. Exit code 1 if a check fails; a check that cannot be asked is skipped.

    Examples:

      discourse bundle verify frames-minilm

      discourse bundle verify my-bundle.zip --codebook my-codebook.toml --json
    """
    from discourse.errors import BundleError
    from discourse.models.bundle_verify import verify_bundle

    found = verify_bundle(reference, codebook)
    if as_json:
        about = {"name": None, "kind": None, "sha256": None}
        if found.bundle is not None:
            manifest = found.bundle.manifest
            about = {"name": manifest.name, "kind": manifest.kind, "sha256": found.bundle.sha256}
        print_json({"reference": reference, "ok": found.failed is None, **about, "checks": found.checks})
    else:
        for check in found.checks:
            print(f"{check.name:<10}{check.status.value:<9}{check.said}".rstrip())
    if found.failed is not None:
        raise BundleError(found.failed.said)


def list_bundles(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="A folder of bundles, as folders or .zip files.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the bundles that come with discourse, and those in a folder; broken ones are named with the reason.

    Examples:

      discourse bundle list --json

      discourse bundle list my-bundles
    """
    from discourse.models.bundle_list import bundles_in, shipped

    found = shipped() + (bundles_in(folder) if folder is not None else [])
    if as_json:
        whole = [
            {"name": one.bundle.manifest.name, "kind": one.bundle.manifest.kind, "path": one.path}
            | {"sha256": one.bundle.sha256}
            for one in found
            if one.bundle is not None
        ]
        broken = [{"path": one.path, "reason": one.broken} for one in found if one.bundle is None]
        print_json({"bundles": whole, "broken": broken})
        return
    for one in found:
        if one.bundle is None:
            print(f"broken: {one.broken}")
            continue
        manifest = one.bundle.manifest
        doubt = "" if manifest.validated else "  (not validated)"
        row = f"{manifest.name}  {manifest.kind}  {one.bundle.sha256[:12]}  {', '.join(manifest.labels)}{doubt}"
        print(row if one.shipped else f"{row}  {one.path}")


def export(
    reference: Reference,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", help="A .zip, or with --onnx a folder; must not exist.")
    ],
    onnx: Annotated[bool, typer.Option("--onnx", help="Write the model as ONNX, for use without Python.")] = False,
    as_json: Json = False,
) -> None:
    """Write a bundle as one zip file, the same bytes whenever it is the same bundle; or its model as ONNX.

    The ONNX folder holds model.onnx, tokenizer.json, a model.json with labels, calibration and thresholds, and a
    README.md that says what goes in and what comes out; it needs the extra discourse[onnx].

    Examples:

      discourse bundle export my-bundle -o my-bundle.zip

      discourse bundle export frames-minilm --onnx -o frames-onnx
    """
    from discourse.errors import UsageError
    from discourse.models.bundle import load_bundle
    from discourse.models.bundle_zip import write_zip

    if onnx == (output.suffix.lower() == ".zip"):
        raise UsageError(f"-o {output}: a bundle is exported to a .zip file, its model with --onnx to a folder")
    bundle = load_bundle(reference)
    if onnx:
        from discourse.models.onnx_export import export_onnx

        export_onnx(bundle, output)
    else:
        write_zip(bundle.folder, list(bundle.manifest.files), output)
    if as_json:
        print_json({"name": bundle.manifest.name, "path": output, "sha256": bundle.sha256})
    else:
        print(f"{bundle.id} written to {output}")
