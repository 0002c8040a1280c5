"""A folder of wheels without an index: those of what is installed here, packed again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZIP_STORED

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from wheel.wheelfile import WheelFile

_OF_THIS_INSTALLATION = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def pack(requirements: list[str], folder: Path) -> None:
    """Pack the installed distributions that these requirements need, with all that those need."""
    for found in _closure(requirements):
        _pack(found, folder)


def _closure(requirements: list[str]) -> Iterator[Distribution]:
    waiting, seen = [Requirement(line) for line in requirements], set[str]()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        found = distribution(name)
        waiting += [Requirement(line) for line in found.requires or []]
        yield found


def _pack(found: Distribution, folder: Path) -> None:
    tag = re.findall(r"^Tag: (\S+)$", found.read_text("WHEEL") or "", flags=re.MULTILINE)[-1]
    name = re.sub(r"[^\w.]+", "_", found.metadata["Name"])
    with WheelFile(folder / f"{name}-{found.version}-{tag}.whl", "w", ZIP_STORED) as wheel:
        for file in found.files or []:
            outside, compiled = file.parts[0] == "..", file.suffix == ".pyc"
            if not outside and not compiled and file.name not in _OF_THIS_INSTALLATION:
                # The wheel's metadata folder has to be named like the wheel.
                path = re.sub(r"^[^/]+\.dist-info/", f"{name}-{found.version}.dist-info/", file.as_posix())
                wheel.write(str(file.locate()), path)
