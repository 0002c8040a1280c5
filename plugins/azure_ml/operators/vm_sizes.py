"""Whether a VM size fits a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from azure_ml.errors import BadInput
from azure_ml.hook.compute import VmSize

# Sizes with the K80, too old for today's training stack; refused where a model has no allow-list.
K80_SIZES: Final = ("standard_nc6", "standard_nc12", "standard_nc24", "standard_nc24r")


def require_allowed(vm_size: str, allowed: Sequence[str] | None, purpose: str) -> None:
    """Raise :class:`BadInput` if a model's allow-list lacks the size, or for a K80 where it has none."""
    if allowed is not None:
        if vm_size.lower() not in {size.lower() for size in allowed}:
            raise BadInput(
                f"The VM size {vm_size!r} is not allowed for {purpose} with this model: "
                f"choose one of {', '.join(allowed)}."
            )
    elif vm_size.lower() in K80_SIZES:
        raise BadInput(
            f"The VM size {vm_size!r} has a K80 GPU, which is too old for {purpose}: "
            "choose a size with a V100, A100 or newer, for example Standard_NC24ads_A100_v4."
        )


def gpus_of(vm_size: str, sizes: Sequence[VmSize]) -> int:
    """GPUs per machine; raises :class:`BadInput` if the region lacks the size, or the size a GPU."""
    size = next((size for size in sizes if size.name.lower() == vm_size.lower()), None)
    if size is None:
        with_gpus = ", ".join(sorted(size.name for size in sizes if size.gpus))
        raise BadInput(
            f"The VM size {vm_size!r} does not exist in the workspace's region: "
            f"the sizes with GPUs are {with_gpus}."
        )
    if size.gpus < 1:
        raise BadInput(f"The VM size {size.name!r} has no GPU: choose a size that has one.")
    return size.gpus
