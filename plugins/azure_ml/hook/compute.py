"""Compute clusters and VM sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from azure_ml.errors import Conflict, NotFound
from azure_ml.hook._polling import finish
from azure_ml.hook._translate import text, translated
from azure_ml.hook.clients import Clients
from azure_ml.hook.ownership import is_owned

if TYPE_CHECKING:
    from azure.ai.ml import entities


@dataclass(frozen=True)
class VmSize:
    """A VM size of the workspace's region."""

    name: str
    gpus: int  # per machine


@dataclass(frozen=True)
class Cluster:
    """A compute of the workspace."""

    name: str
    vm_size: str  # empty for kinds of compute that have none
    state: str
    tier: str
    max_instances: int
    error: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ClusterSpec:
    """A cluster to create."""

    name: str
    vm_size: str
    tier: str = "dedicated"  # or low_priority
    min_instances: int = 0  # kept while idle; 0 costs nothing
    max_instances: int = 1
    idle_seconds: int = 120  # after which an idle node is given back
    owner: Mapping[str, str] = field(default_factory=dict)  # tags; a cluster that has them all may be changed
    tags: Mapping[str, str] = field(default_factory=dict)  # more


class Compute:
    """``hook.compute``."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def get(self, name: str) -> Cluster | None:
        """The cluster, or ``None`` if there is none of that name."""
        try:
            with translated(f"read the compute {name!r}"):
                return _cluster(self._clients.workspace_client.compute.get(name))
        except NotFound:
            return None

    def sizes(self) -> list[VmSize]:
        """The VM sizes of the workspace's region."""
        with translated("list the VM sizes of the workspace's region"):
            sizes = self._clients.workspace_client.compute.list_sizes()
            return [VmSize(str(size.name), int(size.gpus or 0)) for size in sizes]

    def create(self, spec: ClusterSpec, timeout_seconds: float) -> Cluster:
        """Create a cluster and wait for it; raises as :func:`pauses`, or what the service refuses.

        Raises :class:`Conflict` if there is one meanwhile that was made for another run: it would be changed.
        """
        action = f"create the {spec.tier} cluster {spec.name!r} of {spec.vm_size!r}"
        existing = self.get(spec.name)
        if existing is not None and not is_owned(existing.tags, spec.owner):
            raise Conflict(
                f"Cannot {action}: somebody else has created one of that name; try again to take it."
            )
        with translated(action):
            from azure.ai.ml.entities import AmlCompute

            entity = AmlCompute(
                name=spec.name,
                size=spec.vm_size,
                tier=spec.tier,
                min_instances=spec.min_instances,
                max_instances=spec.max_instances,
                idle_time_before_scale_down=spec.idle_seconds,
                tags={**spec.tags, **spec.owner},
            )
            poller = self._clients.workspace_client.compute.begin_create_or_update(entity)
        return _cluster(finish(poller, action, timeout_seconds))


def _cluster(entity: entities.Compute) -> Cluster:
    return Cluster(
        name=str(entity.name),
        vm_size=str(getattr(entity, "size", None) or ""),
        state=text(entity.provisioning_state),
        tier=text(getattr(entity, "tier", None)),
        max_instances=int(getattr(entity, "max_instances", None) or 0),
        error=str(entity.provisioning_errors) if entity.provisioning_errors else None,
        tags=dict(entity.tags or {}),
    )
