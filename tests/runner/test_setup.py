"""The set-up from a lock: by uv, from what was kept or from an index; by pip where uv cannot be had; never anything unlocked.

The packages are made here, so that every download and every hash is the test's own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.runner.act import ROOT

UV = shutil.which("uv", path=str(Path(sys.executable).parent))
BACKEND = """\
import zipfile


def build_editable(into, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(f"{into}/product-1-py3-none-any.whl", "w") as made:
        made.writestr("product-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: product\\nVersion: 1\\n")
        made.writestr("product-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        made.writestr("product-1.dist-info/RECORD", "")
    return "product-1-py3-none-any.whl"
"""
PROJECT = '[project]\nname = "product"\nversion = "1"\n[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'

pytestmark = pytest.mark.skipif(UV is None, reason="uv is not installed (in requirements/dev.lock)")


def wheel(folder: Path, name: str, files: dict[str, str]) -> str:
    """A wheel of version 1; its line in a lock."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1-py3-none-any.whl"
    info = {
        f"{name}-1.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{name}-1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, *info, f"{name}-1.dist-info/RECORD"])
    with zipfile.ZipFile(path, "w") as made:
        for file, text in {**files, **info, f"{name}-1.dist-info/RECORD": record}.items():
            entry = zipfile.ZipInfo(file)
            entry.external_attr = (0o100755 if "/scripts/" in file else 0o100644) << 16
            made.writestr(entry, text)
    return f"{name}==1 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@dataclass
class Setup:
    folder: Path
    root: Path
    index: Path

    def __call__(self, *, index: Path | None = None, venv: str = "venv") -> subprocess.CompletedProcess[str]:
        return self.script("environment.sh", "requirements/runtime.lock", index=index, venv=venv)

    def script(
        self, name: str, *args: str, index: Path | None = None, venv: str = "venv"
    ) -> subprocess.CompletedProcess[str]:
        links = str(index or self.index)
        environ = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "REMEDIATOR_VENV": str(self.folder / venv),
            "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": links, "UV_FIND_LINKS": links, "PYTHON": sys.executable,
            "UV_CACHE_DIR": str(self.folder / venv / "uv-cache"), "REMEDIATOR_WHEELS": str(self.folder / "wheels"),
            "USED": str(self.folder / "used"), "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1",
        }  # fmt: skip
        command = ["sh", str(self.root / "scripts" / name), *args]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    def keep(self) -> None:
        """What `wheels.sh fill` does, without waiting for pip."""
        shutil.copytree(self.index, self.folder / "wheels")
        (self.folder / "wheels/.complete").write_text(self.script("wheels.sh", "key").stdout)

    def said(self, venv: str = "venv") -> str:
        """What the installed package says."""
        command = [str(self.folder / venv / "bin/python"), "-c", "import thing; print(thing.SAYS)"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    @property
    def by_uv(self) -> int:
        """How often uv was called."""
        place = self.folder / "used"
        return len(place.read_text().splitlines()) if place.exists() else 0


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    root, index = tmp_path / "root", tmp_path / "index"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "backend.py").write_text(BACKEND)
    (root / "requirements").mkdir()
    program = f'#!/bin/sh\necho "$@" >> "$USED"\nexec {UV} "$@"\n'
    (root / "requirements/runtime.lock").write_text(wheel(index, "thing", {"thing.py": "SAYS = 'good'\n"}))
    (root / "requirements/uv.lock").write_text(wheel(index, "uv", {"uv-1.data/scripts/uv": program}))
    return Setup(tmp_path, root, index)


def test_uv_installs_what_the_lock_names_and_an_unchanged_lock_costs_nothing(setup: Setup) -> None:
    done = setup()
    assert (done.returncode, done.stdout.strip()) == (0, str(setup.folder / "venv")), done.stderr
    assert setup.said() == "good"
    calls = setup.by_uv
    assert calls == 2
    assert setup().returncode == 0
    assert setup.by_uv == calls


@pytest.mark.thorough
def test_what_was_kept_needs_no_index(setup: Setup) -> None:
    done = setup.script("wheels.sh", "fill", str(setup.folder / "wheels"))
    assert done.returncode == 0, done.stderr
    done = setup(index=setup.folder / "nowhere")
    assert done.returncode == 0, done.stderr
    assert setup.said() == "good"


@pytest.mark.thorough
def test_development_finds_pip_in_an_environment_that_was_made_to_run_the_program(setup: Setup) -> None:
    assert setup().returncode == 0
    pip = [str(setup.folder / "venv/bin/python"), "-m", "pip", "--version"]
    assert subprocess.run(pip, capture_output=True, check=False).returncode != 0
    shutil.copy(setup.root / "requirements/runtime.lock", setup.root / "requirements/dev.lock")
    done = setup.script("environment.sh", "requirements/dev.lock")
    assert done.returncode == 0, done.stderr
    assert subprocess.run(pip, capture_output=True, check=False).returncode == 0


def test_a_kept_package_that_was_altered_is_never_installed(setup: Setup) -> None:
    setup.keep()
    wheel(setup.folder / "wheels", "thing", {"thing.py": "SAYS = 'evil'\n"})
    done = setup()
    assert done.returncode == 0, done.stderr
    assert "cannot be used; installing anew" in done.stderr
    assert setup.said() == "good"


@pytest.mark.thorough
def test_an_altered_index_ends_the_set_up(setup: Setup) -> None:
    wheel(setup.index, "thing", {"thing.py": "SAYS = 'evil'\n"})
    done = setup()
    assert done.returncode != 0
    assert "hash" in done.stderr.lower()
    assert not (setup.folder / "venv/.installed-runtime.lock").exists()


def test_what_was_kept_for_another_lock_is_left(setup: Setup) -> None:
    setup.keep()
    (setup.root / "requirements/runtime.lock").write_text(wheel(setup.index, "thing", {"thing.py": "SAYS = 'newer'\n"}))
    done = setup()
    assert done.returncode == 0, done.stderr
    assert setup.said() == "newer"


@pytest.mark.thorough
def test_where_uv_cannot_be_had_pip_installs_the_same_lock(setup: Setup) -> None:
    (setup.index / "uv-1-py3-none-any.whl").unlink()
    done = setup()
    assert done.returncode == 0, done.stderr
    assert "uv cannot be used here; pip installs the same lock" in done.stderr
    assert (setup.said(), setup.by_uv) == ("good", 0)
