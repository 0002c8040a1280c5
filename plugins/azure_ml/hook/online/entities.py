"""Online endpoints and deployments: what to create, and what the service shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from azure_ml.hook._translate import text
from azure_ml.hook.ownership import is_owned

if TYPE_CHECKING:
    from azure.ai.ml.entities import ManagedOnlineDeployment, OnlineEndpoint


@dataclass(frozen=True)
class EndpointSpec:
    """An endpoint to create."""

    name: str
    owner: Mapping[str, str]  # tags; an endpoint that has them all counts as this one
    tags: Mapping[str, str] = field(default_factory=dict)  # more, such as the end of its lease
    description: str = ""
    auth_mode: str = "key"  # or aad_token

    @property
    def action(self) -> str:
        """Follows "Cannot " in errors."""
        return f"create the endpoint {self.name!r}"


@dataclass(frozen=True)
class DeploymentSpec:
    """A deployment of a model to create."""

    endpoint: str
    name: str
    model: str  # ARM id
    instance_type: str
    instance_count: int = 1
    request_timeout_ms: int = 90_000  # longest time of one answer
    liveness_initial_delay_seconds: int = 600  # a model that loads longer is killed in a loop
    owner: Mapping[str, str] = field(default_factory=dict)  # tags, as for an endpoint
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """Follows "Cannot " in errors."""
        return f"deploy to {self.endpoint!r} as {self.name!r} on {self.instance_type!r}"


@dataclass(frozen=True)
class TrafficSpec:
    """All traffic of an endpoint for one deployment."""

    endpoint: str
    deployment: str
    owner: Mapping[str, str]  # tags of the endpoint

    @property
    def action(self) -> str:
        """Follows "Cannot " in errors."""
        return f"send the traffic of the endpoint {self.endpoint!r} to {self.deployment!r}"

    @property
    def shares(self) -> dict[str, int]:
        """Per cent by deployment."""
        return {self.deployment: 100}


@dataclass(frozen=True)
class Endpoint:
    """An online endpoint as the service shows it."""

    name: str
    state: str
    scoring_uri: str  # empty until it is up
    tags: Mapping[str, str] = field(default_factory=dict)
    traffic: Mapping[str, int] = field(default_factory=dict)  # per cent by deployment

    @classmethod
    def of(cls, entity: OnlineEndpoint) -> Endpoint:
        """From the SDK's entity."""
        return cls(
            str(entity.name),
            text(entity.provisioning_state),
            str(entity.scoring_uri or ""),
            dict(entity.tags or {}),
            dict(entity.traffic or {}),
        )

    def belongs_to(self, owner: Mapping[str, str]) -> bool:
        """Whether the endpoint carries all the owner's tags."""
        return is_owned(self.tags, owner)


@dataclass(frozen=True)
class Deployment:
    """A deployment as the service shows it."""

    name: str
    endpoint: str
    state: str
    model: str
    instance_type: str
    instance_count: int
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, entity: ManagedOnlineDeployment, endpoint: str) -> Deployment:
        """From the SDK's entity."""
        model = entity.model if isinstance(entity.model, str) else getattr(entity.model, "id", None)
        return cls(
            str(entity.name),
            endpoint,
            text(entity.provisioning_state),
            str(model or ""),
            str(entity.instance_type or ""),
            int(entity.instance_count or 1),
            dict(entity.tags or {}),
        )

    def belongs_to(self, owner: Mapping[str, str]) -> bool:
        """Whether the deployment carries all the owner's tags."""
        return is_owned(self.tags, owner)

    # Ids of one model may differ in their first parts.
    def serves(self, model: str) -> bool:
        """Whether it is this model that is deployed."""
        return self.model.lower().split("/models/")[-1] == model.lower().split("/models/")[-1]
