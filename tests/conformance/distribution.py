"""The SDK's source distribution: fetched, its tests unpacked, and our own files put where they look for theirs."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import yaml

CONFIGS: Final = Path(__file__).with_name("configs.yaml")
# What the SDK's tests import and .venv does not have.
TOOLS: Final = ("pytest-mock==3.17.0", "mock==5.2.0")
_PIP: Final = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


def unpacked(folder: Path) -> Path:
    """The folder of the tests of the installed SDK, fetched if missing; our files are written anew.

    Raises:
        CalledProcessError: if the package index does not give it.
    """
    release = f"azure-ai-ml=={version('azure-ai-ml')}"
    archive = folder / f"{release.replace('-', '_').replace('==', '-')}.tar.gz"
    if not archive.exists():
        fetch = ["download", "--no-deps", "--no-binary", "azure-ai-ml", "--dest", str(folder), release]
        subprocess.run([*_PIP, *fetch], check=True)
    root = folder / archive.name.removesuffix(".tar.gz")
    if not root.exists():
        with tarfile.open(archive) as packed:
            # Its `azure` would hide the one that is installed.
            tests = [one for one in packed.getmembers() if one.name.startswith(f"{root.name}/tests/")]
            packed.extractall(folder, tests, filter="data")
    write_configs(root / "tests" / "test_configs")
    return root


def write_configs(folder: Path) -> None:
    """Write the files of ``configs.yaml``; a text is the file itself, anything else becomes YAML or JSON."""
    files: dict[str, Any] = yaml.safe_load(CONFIGS.read_text())
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        dump = json.dumps if target.suffix == ".json" else yaml.safe_dump
        target.write_text(content if isinstance(content, str) else dump(content))


def tools(folder: Path) -> Path:
    """A folder with what the tests import and the project does not have, made if missing."""
    place = folder / "tools"
    if not place.exists():
        subprocess.run([*_PIP, "install", "--no-deps", "--target", str(place), *TOOLS], check=True)
    return place
