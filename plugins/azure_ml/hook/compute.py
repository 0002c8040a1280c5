"""Calls about compute clusters and VM sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure_ml.errors import NotFound
from azure_ml.hook._polling import finish
from azure_ml.hook._translate import text, translated

if TYPE_CHECKING:
    from azure_ml.hook.client import AzureMLHook


@dataclass(frozen=True)
class VmSize:
    """A VM size of the workspace's region; ``gpus`` per machine."""

    name: str
    gpus: int


@dataclass(frozen=True)
class Cluster:
    """A compute of the workspace; ``vm_size`` is empty for kinds that have none."""

    name: str
    vm_size: str
    state: str
    tier: str
    max_instances: int
    error: str | None = None


def _cluster(found: Any) -> Cluster:
    return Cluster(
        name=str(found.name),
        vm_size=str(getattr(found, "size", None) or ""),
        state=text(found.provisioning_state),
        tier=text(getattr(found, "tier", None)),
        max_instances=int(getattr(found, "max_instances", None) or 0),
        error=str(found.provisioning_errors) if found.provisioning_errors else None,
    )


class Computes:
    """``hook.compute``."""

    def __init__(self, hook: AzureMLHook) -> None:
        self._hook = hook

    def get(self, name: str) -> Cluster | None:
        """The cluster, or ``None`` if there is none of that name."""
        try:
            with translated(f"read the compute {name!r}"):
                return _cluster(self._hook.workspace_client.compute.get(name))
        except NotFound:
            return None

    def sizes(self) -> list[VmSize]:
        """The VM sizes that the workspace's region has."""
        with translated("list the VM sizes of the workspace's region"):
            found = self._hook.workspace_client.compute.list_sizes()
            return [VmSize(str(size.name), int(size.gpus or 0)) for size in found]

    def create(
        self,
        name: str,
        vm_size: str,
        *,
        tier: str,
        min_instances: int,
        max_instances: int,
        idle_seconds: int,
        timeout_seconds: float,
        tags: dict[str, str] | None = None,
    ) -> Cluster:
        """Create a cluster and wait for it.

        Args:
            name: of the new cluster.
            vm_size: of each node.
            tier: ``dedicated`` or ``low_priority``.
            min_instances: nodes kept while idle; 0 costs nothing.
            max_instances: nodes at most.
            idle_seconds: after which an idle node is given back.
            timeout_seconds: how long to wait.
            tags: of the cluster.

        Raises:
            QuotaExceeded, BadInput: if the service refuses it.
            OperationFailed, OperationTimeout: if it does not come up.
        """
        action = f"create the {tier} cluster {name!r} of {vm_size!r}"
        with translated(action):
            from azure.ai.ml.entities import AmlCompute

            wanted = AmlCompute(
                name=name,
                size=vm_size,
                tier=tier,
                min_instances=min_instances,
                max_instances=max_instances,
                idle_time_before_scale_down=idle_seconds,
                tags=tags,
            )
            poller = self._hook.workspace_client.compute.begin_create_or_update(wanted)
        return _cluster(finish(poller, action, timeout_seconds))
