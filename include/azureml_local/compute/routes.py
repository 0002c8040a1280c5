"""Compute clusters (AmlCompute): create, resize, delete, nodes."""

from __future__ import annotations

from azureml_local import long_running
from azureml_local.arm import grammar
from azureml_local.arm.grammar import Json
from azureml_local.compute.clusters import Clusters, ClustersDep
from azureml_local.routing import ScopeDep, authorized_router

router = authorized_router(
    f"{grammar.WORKSPACE_PATH}/computes", "Compute clusters (AmlCompute): create, resize, delete, nodes."
)
long_running.serve(router, Clusters)


@router.post("/{name}/listNodes")
async def list_nodes(name: str, _: ScopeDep, clusters: ClustersDep) -> Json:
    """The nodes that are up."""
    counts = clusters.inner(clusters.find(name))
    running = counts["nodeStateCounts"]["runningNodeCount"]
    nodes = [
        {
            "nodeId": f"tvmps_{name}_{index}",
            "privateIpAddress": f"10.0.0.{4 + index}",
            "publicIpAddress": None,
            "port": 50000 + index,
            "nodeState": "running" if index < running else "idle",
            "runId": None,
        }
        for index in range(counts["currentNodeCount"])
    ]
    return {"nodes": nodes}
