"""The machines that steps wait for: nodes of a cluster, or serverless ones."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from azureml_local.compute.nodes import SERVERLESS, Nodes
from azureml_local.compute.serverless import Serverless
from azureml_local.jobs.demands import Demands


@dataclass(frozen=True)
class Machines:
    """Both kinds, by what a step asks for."""

    nodes: Nodes
    serverless: Serverless

    def check(self, demands: Demands) -> None:
        """Refuse what can never be given; ArmError 400."""
        if demands.compute == SERVERLESS:
            low = demands.low_priority
            self.serverless.check(demands.instance_type, demands.instances, low_priority=low)
        else:
            self.nodes.check(demands.compute, demands.instances)

    def take(self, run_id: str, demands: Demands) -> AbstractAsyncContextManager[None]:
        """Hold what a step asks for, once it is free; ArmError 400 if the cluster goes meanwhile."""
        if demands.compute != SERVERLESS:
            return self.nodes.take(demands.compute, demands.instances)
        low = demands.low_priority
        claim = self.serverless.check(demands.instance_type, demands.instances, low_priority=low)
        return self.serverless.take(run_id, claim, demands.priority)

    def low_priority(self, demands: Demands) -> bool:
        """Whether the machines may be taken away."""
        if demands.compute == SERVERLESS:
            return demands.low_priority
        return self.nodes.low_priority(demands.compute)
