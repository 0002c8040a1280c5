"""Online endpoints and their deployments, as they are asked for and as the service shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from azure_ml.errors import OperationFailed, QuotaExceeded
from azure_ml.hook._translate import QUOTA, text
from azure_ml.lifecycle.tags import is_owned


@dataclass(frozen=True)
class Endpoint:
    """An online endpoint; ``scoring_uri`` is empty until it is up, ``traffic`` is per cent by deployment."""

    name: str
    state: str
    scoring_uri: str
    tags: Mapping[str, str] = field(default_factory=dict)
    traffic: Mapping[str, int] = field(default_factory=dict)

    def belongs_to(self, owner: Mapping[str, str]) -> bool:
        """Whether the endpoint carries all the owner's tags."""
        return is_owned(self.tags, owner)


@dataclass(frozen=True)
class NewEndpoint:
    """An endpoint to be created.

    Attributes:
        name: of the endpoint.
        owner: tags that say whose it is; one that has them all is taken for this one.
        tags: more tags, such as the end of its lease.
        description: shown in Studio.
        auth_mode: ``key`` or ``aad_token``.
    """

    name: str
    owner: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    auth_mode: str = "key"

    @property
    def action(self) -> str:
        """What is being done, for errors."""
        return f"create the endpoint {self.name!r}"


def endpoint_of(found: Any) -> Endpoint:
    """Ours from the SDK's."""
    return Endpoint(
        str(found.name),
        text(found.provisioning_state),
        str(found.scoring_uri or ""),
        dict(found.tags or {}),
        dict(found.traffic or {}),
    )


def failed_for(reason: str) -> type[OperationFailed | QuotaExceeded]:
    """The error for an operation that failed for a reason told in words."""
    return QuotaExceeded if QUOTA.search(reason) else OperationFailed


@dataclass(frozen=True)
class DeploymentRequest:
    """A deployment of a model.

    Attributes:
        endpoint: name of the endpoint.
        name: of the deployment.
        model: ARM id of the model.
        instance_type: VM size.
        instance_count: machines.
        request_timeout_ms: longest time of one answer, milliseconds.
        liveness_initial_delay_seconds: before the first probe; a model that loads longer is killed in a loop.
        owner: tags that say whose it is; one that has them all is taken for this one.
        tags: more tags, such as the end of its lease.
    """

    endpoint: str
    name: str
    model: str
    instance_type: str
    instance_count: int = 1
    request_timeout_ms: int = 90_000
    liveness_initial_delay_seconds: int = 600
    owner: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """What is being done, for errors."""
        return f"deploy to {self.endpoint!r} as {self.name!r} on {self.instance_type!r}"


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

    def serves(self, model: str) -> bool:
        """Whether it is this model that is deployed: ids of one model may differ in their first parts."""
        return self.model.lower().split("/models/")[-1] == model.lower().split("/models/")[-1]


def deployment_of(found: Any, endpoint: str) -> Deployment:
    """Ours from the SDK's."""
    model = found.model if isinstance(found.model, str) else getattr(found.model, "id", None)
    return Deployment(
        str(found.name),
        endpoint,
        text(found.provisioning_state),
        str(model or ""),
        str(found.instance_type or ""),
        int(found.instance_count or 1),
        dict(found.tags or {}),
    )
