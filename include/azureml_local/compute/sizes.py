"""The VM sizes that the location offers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from azureml_local.arm.grammar import ArmError


@dataclass(frozen=True)
class VmSize:
    """One VM size."""

    # As Azure writes it, for example ``Standard_NC24ads_A100_v4``.
    name: str
    # Virtual CPUs of a node.
    vcpus: int
    # Memory of a node in GB.
    memory_gb: float
    # GPUs of a node.
    gpus: int
    # What quota is counted by.
    family: str
    # Local disk of a node in GB.
    disk_gb: int


@cache
def sizes() -> dict[str, VmSize]:
    """All sizes by their name in lower case."""
    import yaml

    rows = yaml.safe_load(Path(__file__).with_name("vm_sizes.yaml").read_text())
    return {row["name"].lower(): VmSize(**row) for row in rows}


def size(name: str | None) -> VmSize:
    """The size of that name, in any case; raises ArmError 400 if the location has no such size."""
    match = sizes().get((name or "").lower())
    if match is None:
        raise ArmError(
            400,
            "InvalidVMSize",
            f"The specified VM size {name!r} is not supported in this region. Supported sizes: "
            f"{', '.join(known.name for known in sizes().values())}.",
            target="vmSize",
        )
    return match
