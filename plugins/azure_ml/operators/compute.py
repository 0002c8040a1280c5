"""Operators for compute clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azure_ml.errors import AzureMLError, BadInput, Conflict, QuotaExceeded
from azure_ml.hook.compute import Cluster, ClusterSpec
from azure_ml.names import require_name
from azure_ml.operators.base import AzureMLOperator, Result
from azure_ml.operators.rendered import names, whole
from azure_ml.operators.vm_sizes import gpus_of, require_allowed
from azure_ml.states import Phase, phase

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLValidateComputeOperator(AzureMLOperator):
    """Check that a GPU cluster can be had, and that its VM size fits the model; creates nothing.

    If the cluster exists already, its own size counts.
    Returns ``{"name": str, "vm_size": str, "gpus": int, "exists": bool}``, GPUs per machine.
    """

    template_fields = (*AzureMLOperator.template_fields, "compute_name", "vm_size", "allowed_vm_sizes")

    def __init__(
        self,
        *,
        compute_name: str,
        vm_size: str,  # of a cluster that has to be created
        allowed_vm_sizes: Sequence[str] | str | None = None,  # list, JSON, or names with commas
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.compute_name = compute_name
        self.vm_size = vm_size
        self.allowed_vm_sizes = allowed_vm_sizes

    def execute(self, context: Context) -> Result:
        """Check."""
        return self._facts(self._existing())

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

    def _facts(self, cluster: Cluster | None) -> Result:
        vm_size = cluster.vm_size if cluster else self.vm_size
        gpus = gpus_of(vm_size, self.hook.compute.sizes())
        require_allowed(vm_size, names(self.allowed_vm_sizes), "fine-tuning")
        self.log.info("Cluster %s: VM size %s, %d GPUs per machine.", self.compute_name, vm_size, gpus)
        return {"name": self.compute_name, "vm_size": vm_size, "gpus": gpus, "exists": cluster is not None}


class AzureMLGetOrCreateComputeOperator(AzureMLValidateComputeOperator):
    """Take a GPU cluster, or create it: dedicated first, and at low priority if Azure refuses that.

    Returns what :class:`AzureMLValidateComputeOperator` returns, with ``{"created": bool, "tier": str}``.
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
        min_instances: int | str = 0,  # kept while idle; 0 costs nothing
        max_instances: int | str = 1,
        idle_seconds: int | str = 120,  # after which an idle machine is given back
        timeout_seconds: float = 1800,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.min_instances = min_instances
        self.max_instances = max_instances
        self.idle_seconds = idle_seconds
        self.timeout_seconds = timeout_seconds

    def execute(self, context: Context) -> Result:
        """Check, and create what does not exist."""
        cluster = self._existing()
        facts = self._facts(cluster)
        if cluster is None:
            created = self._create(context)
            return {**facts, "created": True, "tier": created.tier}
        return {**facts, "created": False, "tier": cluster.tier}

    def on_kill(self) -> None:
        """Leave at once; an idle cluster costs nothing and the next run takes it."""
        self.interrupt()

    def _create(self, context: Context) -> Cluster:
        try:
            return self._create_tier("dedicated", context)
        except (QuotaExceeded, BadInput, Conflict) as refusal:
            self.log.warning("A dedicated cluster is refused (%s); trying low priority.", refusal)
            try:
                return self._create_tier("low_priority", context)
            except AzureMLError as second:
                raise type(second)(f"{second} A dedicated cluster was refused before: {refusal}") from second

    def _create_tier(self, tier: str, context: Context) -> Cluster:
        self.log.info("Creating the %s cluster %s of %s.", tier, self.compute_name, self.vm_size)
        spec = ClusterSpec(
            self.compute_name,
            self.vm_size,
            tier,
            whole(self.min_instances),
            whole(self.max_instances),
            whole(self.idle_seconds),
            self.owned_by(context),
            self.made_by(context),
        )
        return self.hook.compute.create(spec, self.timeout_seconds)
