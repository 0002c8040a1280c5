"""Operators for compute clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from azure_ml.errors import AzureMLError, BadInput, Conflict, QuotaExceeded
from azure_ml.hook.compute import Cluster, VmSize
from azure_ml.names import require_name
from azure_ml.operators.base import AzureMLOperator, names
from azure_ml.states import Phase, phase

if TYPE_CHECKING:
    from airflow.sdk import Context

K80_SIZES: Final = ("standard_nc6", "standard_nc12", "standard_nc24", "standard_nc24r")
"""Sizes with the K80, which is too old for today's training stack; used where a model has no allow-list."""


def require_allowed(vm_size: str, allowed: Sequence[str] | None, purpose: str) -> None:
    """Compare a size with a model's allow-list, without regard to capitals.

    Args:
        vm_size: the size asked for.
        allowed: the model's list; ``None`` if it has none, then only the K80 is refused.
        purpose: what the machine is for, for the error.

    Raises:
        BadInput: if the size may not be used.
    """
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
    """GPUs per machine of a size.

    Raises:
        BadInput: if the region has no such size, or the size has no GPU.
    """
    found = next((size for size in sizes if size.name.lower() == vm_size.lower()), None)
    if found is None:
        there_are = ", ".join(sorted(size.name for size in sizes if size.gpus))
        raise BadInput(
            f"The VM size {vm_size!r} does not exist in the workspace's region: "
            f"the sizes with GPUs are {there_are}."
        )
    if found.gpus < 1:
        raise BadInput(f"The VM size {found.name!r} has no GPU: choose a size that has one.")
    return found.gpus


class AzureMLValidateComputeOperator(AzureMLOperator):
    """Check that a GPU cluster can be had, and that its VM size fits the model; creates nothing.

    A cluster of the name that exists is taken as it is: then it is its size that is checked.

    Args:
        compute_name: name of the cluster.
        vm_size: size of its machines, if it has to be created.
        allowed_vm_sizes: the model's allow-list (a list, JSON, or names with commas); empty if it has none.

    Returns:
        ``{"name": str, "vm_size": str, "gpus": int, "exists": bool}``, GPUs per machine.

    Raises:
        BadInput: if the size does not exist, is not allowed or has no GPU, or if the cluster is in a failed
            state.

    Example::

        AzureMLValidateComputeOperator(task_id="check", compute_name="gpu", vm_size="Standard_NC24ads_A100_v4")
    """

    template_fields = (*AzureMLOperator.template_fields, "compute_name", "vm_size", "allowed_vm_sizes")

    def __init__(
        self,
        *,
        compute_name: str,
        vm_size: str,
        allowed_vm_sizes: Sequence[str] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.compute_name = compute_name
        self.vm_size = vm_size
        self.allowed_vm_sizes = allowed_vm_sizes

    def execute(self, context: Context) -> dict[str, Any]:
        """Look."""
        cluster = self._existing()
        return self._facts(cluster)

    def _existing(self) -> Cluster | None:
        require_name("compute", self.compute_name)
        cluster = self.hook.compute.get(self.compute_name)
        if cluster is None:
            return None
        if phase("compute", cluster.state, cluster.name) is Phase.FAILED:
            raise BadInput(
                f"The cluster {cluster.name!r} is in state {cluster.state!r} "
                f"({cluster.error or 'no reason given'}): delete it in Studio, or name another cluster."
            )
        if cluster.vm_size.lower() != self.vm_size.lower():
            self.log.warning(
                "The cluster %s exists with VM size %s: that is used, not the %s asked for.",
                cluster.name,
                cluster.vm_size,
                self.vm_size,
            )
        return cluster

    def _facts(self, cluster: Cluster | None) -> dict[str, Any]:
        vm_size = cluster.vm_size if cluster else self.vm_size
        gpus = gpus_of(vm_size, self.hook.compute.sizes())
        require_allowed(vm_size, names(self.allowed_vm_sizes), "fine-tuning")
        self.log.info("Cluster %s: VM size %s, %d GPUs per machine.", self.compute_name, vm_size, gpus)
        return {"name": self.compute_name, "vm_size": vm_size, "gpus": gpus, "exists": cluster is not None}


class AzureMLGetOrCreateComputeOperator(AzureMLValidateComputeOperator):
    """Take a GPU cluster, or create it: dedicated first, and at low priority if that is refused.

    Checks first all that :class:`AzureMLValidateComputeOperator` checks.

    Args:
        min_instances: machines kept while idle; 0 costs nothing.
        max_instances: machines at most.
        idle_seconds: after which an idle machine is given back.
        timeout_seconds: how long to wait for the cluster.

    Returns:
        ``{"name": str, "vm_size": str, "gpus": int, "exists": bool, "created": bool, "tier": str}``

    Raises:
        QuotaExceeded: if neither tier is granted.
        OperationFailed, OperationTimeout: if the cluster does not come up.

    Example::

        AzureMLGetOrCreateComputeOperator(task_id="compute", compute_name="gpu",
        vm_size="Standard_NC24ads_A100_v4")
    """

    template_fields = (
        *AzureMLValidateComputeOperator.template_fields,
        "min_instances",
        "max_instances",
        "idle_seconds",
    )

    def __init__(
        self,
        *,
        min_instances: int | str = 0,
        max_instances: int | str = 1,
        idle_seconds: int | str = 120,
        timeout_seconds: float = 1800,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.min_instances = min_instances
        self.max_instances = max_instances
        self.idle_seconds = idle_seconds
        self.timeout_seconds = timeout_seconds

    def execute(self, context: Context) -> dict[str, Any]:
        """Look, and create what is not there."""
        cluster = self._existing()
        facts = self._facts(cluster)
        if cluster is None:
            made = self._create(self.made_by(context))
            return {**facts, "created": True, "tier": made.tier}
        return {**facts, "created": False, "tier": cluster.tier}

    def on_kill(self) -> None:
        """Leave at once; an idle cluster costs nothing and the next run takes it."""
        self.stop_after(lambda: None)

    def _create(self, tags: dict[str, str]) -> Cluster:
        try:
            return self._create_tier("dedicated", tags)
        except (QuotaExceeded, BadInput, Conflict) as refusal:
            self.log.warning("A dedicated cluster is refused (%s); trying low priority.", refusal)
            try:
                return self._create_tier("low_priority", tags)
            except AzureMLError as second:
                raise type(second)(f"{second} A dedicated cluster was refused before: {refusal}") from second

    def _create_tier(self, tier: str, tags: dict[str, str]) -> Cluster:
        self.log.info("Creating the %s cluster %s of %s.", tier, self.compute_name, self.vm_size)
        return self.hook.compute.create(
            self.compute_name,
            self.vm_size,
            tier=tier,
            min_instances=int(self.min_instances),
            max_instances=int(self.max_instances),
            idle_seconds=int(self.idle_seconds),
            timeout_seconds=self.timeout_seconds,
            tags=tags,
        )
