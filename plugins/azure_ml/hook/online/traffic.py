"""Traffic of online endpoints: how it is shared among their deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_ml.errors import OperationFailed
from azure_ml.hook import _sdk
from azure_ml.hook._polling import finish
from azure_ml.hook._translate import translated
from azure_ml.hook.online.advance import Advancing, Done, Progress
from azure_ml.hook.online.entities import Endpoint, TrafficSpec
from azure_ml.hook.online.operations import Pending, require_endpoint_up
from azure_ml.hook.online.reads import read_endpoint
from azure_ml.hook.ownership import require_owned
from azure_ml.states import Phase, phase

if TYPE_CHECKING:
    from azure.ai.ml.entities import OnlineEndpoint
    from azure.core.polling import LROPoller


class Traffic(Advancing[TrafficSpec]):
    """``hook.traffic``."""

    noun = "endpoint"

    def advance(self, spec: TrafficSpec) -> Progress:
        """Send all traffic to one deployment, unless it goes there already."""
        endpoint = read_endpoint(self._clients, spec.endpoint)
        if endpoint is not None:
            require_owned(f"an endpoint {spec.endpoint!r}", endpoint.tags, spec.owner)
        if endpoint is not None and phase("endpoint", endpoint.state, endpoint.name) is Phase.ACTIVE:
            return Pending(spec.endpoint)
        if self.require_up(spec).traffic == spec.shares:
            return Done()
        return Pending(spec.endpoint, operation=_sdk.operation_of(self._begin(spec.endpoint, spec.shares)))

    def require_up(self, spec: TrafficSpec, pending: Pending | None = None) -> Endpoint:
        """The endpoint, which must be in state ``Succeeded``."""
        return require_endpoint_up(self._clients, spec.endpoint, pending)

    def stop(self, endpoint: str, deployment: str, timeout_seconds: float) -> None:
        """Take a deployment's traffic away, as the service deletes no deployment that has any."""
        known = read_endpoint(self._clients, endpoint)
        share = known.traffic.get(deployment) if known else None
        if not share:
            return
        # Nobody said how the others are to share the traffic then.
        if share != 100:
            raise OperationFailed(
                f"The deployment {deployment!r} has {share} % of the traffic of {endpoint!r}: "
                "divide it among the others, then delete the deployment in Studio."
            )
        action = f"take the traffic from the deployment {deployment!r}"
        finish(self._begin(endpoint, {}), action, timeout_seconds)

    def _begin(self, endpoint: str, shares: dict[str, int]) -> LROPoller[OnlineEndpoint]:
        calls = self._clients.workspace_client.online_endpoints
        with translated(f"change the traffic of the endpoint {endpoint!r}"):
            entity = calls.get(endpoint)
            entity.traffic = shares
            poller: LROPoller[OnlineEndpoint] = calls.begin_create_or_update(entity)
        return poller
