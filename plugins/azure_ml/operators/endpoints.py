"""Operators for online endpoints: check the name, create, delete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from azure_ml.errors import OperationFailed
from azure_ml.hook.online.entities import EndpointSpec
from azure_ml.lifecycle.tags import ENDPOINT_LEASE
from azure_ml.links import STUDIO_KEY, EndpointLink
from azure_ml.names import require_name
from azure_ml.operators.base import AzureMLOperator, Result
from azure_ml.operators.online import AzureMLOnlineOperator
from azure_ml.operators.rendered import names, optional
from azure_ml.operators.teardown import AzureMLTeardownOperator
from azure_ml.operators.vm_sizes import require_allowed
from azure_ml.payload import Payload
from azure_ml.triggers.event import Event

if TYPE_CHECKING:
    from airflow.sdk import Context

    from azure_ml.hook.online.endpoints import Outcome


class AzureMLCheckEndpointNameOperator(AzureMLOperator):
    """Check an endpoint's name and its later instance type before anything costs money; creates nothing.

    Returns ``{"endpoint_name": str}``; raises :class:`NameTaken` if another owner has such an endpoint.
    """

    template_fields = (
        *AzureMLOperator.template_fields,
        "endpoint_name",
        "instance_type",
        "allowed_instance_types",
    )

    def __init__(
        self,
        *,
        endpoint_name: str,  # derive it from the run, so that clean-ups find it
        instance_type: str | None = None,  # VM size of the later deployment; empty: unchecked
        allowed_instance_types: Sequence[str] | str | None = None,  # the model's; empty if it has none
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint_name = endpoint_name
        self.instance_type = instance_type
        self.allowed_instance_types = allowed_instance_types

    def execute(self, context: Context) -> Result:
        """Check."""
        require_name("endpoint", self.endpoint_name)
        if instance_type := optional(self.instance_type):
            require_allowed(instance_type, names(self.allowed_instance_types), "deployment")
        self.hook.endpoints.require_free(self.endpoint_name, self.owned_by(context))
        self.log.info("The endpoint name %s is free.", self.endpoint_name)
        return {"endpoint_name": self.endpoint_name}


class AzureMLCreateEndpointOperator(AzureMLOnlineOperator):
    """Create an online endpoint and wait for it; a retry waits for the one that the first try began.

    Returns ``{"endpoint_name": str, "scoring_uri": str, "studio_url": str}``.
    """

    template_fields = (*AzureMLOnlineOperator.template_fields, "description", "auth_mode")
    operator_extra_links = (EndpointLink(),)

    def __init__(
        self,
        *,
        description: str = "",
        auth_mode: str = "key",  # or aad_token
        lease: timedelta = ENDPOINT_LEASE,  # then the reaper may delete it, unless its run is alive
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.description = description
        self.auth_mode = auth_mode
        self.lease = lease
        self._owner: dict[str, str] = {}

    def execute(self, context: Context) -> Result:
        """Create."""
        self.require_teardown(context)
        spec = self._spec(context)
        self.push_studio_url(context, self.page)
        return self._create(spec, None)

    def execute_complete(self, context: Context, event: Payload) -> Result:
        """Go on after an operation has ended."""
        return self._create(self._spec(context), Event.from_json(event))

    def on_kill(self) -> None:
        """Delete the endpoint if a user ended the task; otherwise the next try finds it."""
        self.interrupt(lambda: self.hook.endpoints.begin_delete(self.endpoint_name, self._owner))

    def _spec(self, context: Context) -> EndpointSpec:
        require_name("endpoint", self.endpoint_name)
        # Before the context is kept: until then ``on_kill`` undoes nothing.
        self._owner = self.owned_by(context)
        self.keep_context(context)
        return EndpointSpec(
            name=self.endpoint_name,
            owner=self._owner,
            tags=self.leased_by(context, self.lease),
            description=self.description,
            auth_mode=self.auth_mode,
        )

    def _create(self, spec: EndpointSpec, event: Event | None) -> Result:
        self.complete(self.hook.endpoints, spec, event)
        endpoint = self.hook.endpoints.require_up(spec)
        self.log.info("The endpoint %s is up at %s", endpoint.name, endpoint.scoring_uri)
        return {
            "endpoint_name": endpoint.name,
            "scoring_uri": endpoint.scoring_uri,
            STUDIO_KEY: self.studio_url(self.page),
        }


class AzureMLDeleteEndpointOperator(AzureMLTeardownOperator):
    """Delete an endpoint with its deployments, and wait until it is gone; made to be a teardown.

    It waits for operations under way, and never touches an endpoint of another Dag run.
    Returns ``{"endpoint_name": str, "exists_after": bool}``; another owner's endpoint still exists afterwards.
    """

    template_fields = (*AzureMLOperator.template_fields, "endpoint_name")

    def __init__(self, *, endpoint_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.endpoint_name = endpoint_name

    def execute(self, context: Context) -> Result:
        """Delete, and delete what came afterwards."""
        outcome = self._delete(context)
        if self.needs_second_check(context):
            second = self._delete(context)
            outcome = "deleted" if "deleted" in (outcome, second) else second
        exists = self.hook.endpoints.get(self.endpoint_name) is not None
        if exists and outcome != "foreign":
            raise OperationFailed(
                f"The endpoint {self.endpoint_name!r} is there again after its deletion: delete it in Studio."
            )
        self.log.info("Endpoint %s: %s.", self.endpoint_name, outcome)
        return {"endpoint_name": self.endpoint_name, "exists_after": exists}

    def _delete(self, context: Context) -> Outcome:
        owner = self.owned_by(context)
        return self.hook.endpoints.delete(self.endpoint_name, owner, self.timeout_seconds, self.sleep)
