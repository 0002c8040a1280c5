"""Jobs without a compute: nodes of no cluster, in a line of their own, counted in the quota."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient, command, dsl
from azure.ai.ml.entities import AmlCompute
from azure.core.exceptions import HttpResponseError

from tests.support.azureml_service import AzureMLLocal, running
from tests.support.waiting import finished, wait_for

FAMILY = "standardDSv2Family"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMLLocal]:
    """A service of its own, whose quota is nobody else's, for eight cores of a family."""
    with running(tmp_path_factory.mktemp("azureml")) as started:
        started.post("/_local/quota", {"family": FAMILY, "limit": 8})
        yield started


@pytest.fixture(scope="module")
def client(service: AzureMLLocal) -> MLClient:
    """The SDK's client."""
    return service.ml_client()


def submit(client: MLClient, line: str, **settings: Any) -> str:
    """Name of a new job without a compute, of nodes with four cores."""
    settings = {"instance_type": "Standard_DS3_v2", **settings}
    tier = settings.pop("job_tier", None)
    priority = settings.pop("priority", None)
    job = command(command=line, environment="azureml:anything:1", **settings)
    if tier or priority:
        job.set_queue_settings(job_tier=tier, priority=priority)
    return str(client.jobs.create_or_update(job, skip_validation=True).name)


def in_use(client: MLClient) -> int:
    """VCPUs of the family that are in use."""
    # The SDK keeps the fields of a usage under their names on the wire.
    rows = {row.name["value"]: vars(row)["currentValue"] for row in client.compute.list_usage()}
    return next(int(used) for name, used in rows.items() if FAMILY in name)


def status(client: MLClient, name: str) -> Any:
    """Where a job stands."""
    return client.jobs.get(name).status


def test_a_command_and_a_pipeline_without_compute_run(client: MLClient) -> None:
    assert finished(client, submit(client, "true")).status == "Completed"
    assert finished(client, submit(client, "true", instance_type=None)).status == "Completed"
    step = command(
        command="true", environment="azureml:anything:1", instance_type="Standard_DS3_v2", instance_count=2
    )

    @dsl.pipeline()  # type: ignore[untyped-decorator]
    def one() -> None:
        step()

    job = one()
    job.settings.default_compute = "serverless"
    assert (
        finished(client, client.jobs.create_or_update(job, skip_validation=True).name).status == "Completed"
    )
    job.settings.default_compute = None
    assert (
        finished(client, client.jobs.create_or_update(job, skip_validation=True).name).status == "Completed"
    )


def test_it_waits_for_quota_and_holds_it_while_it_runs(client: MLClient, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    waiting = f"until test -f {gate}; do sleep 0.05; done"
    first = submit(client, waiting, instance_count=2)
    wait_for(lambda: status(client, first) == "Running")
    assert in_use(client) == 8
    second, high = (
        submit(client, "date +%s%N > outputs/at"),
        submit(client, "date +%s%N > outputs/at", priority="high"),
    )
    wait_for(lambda: {status(client, second), status(client, high)} == {"Queued"})
    low = submit(client, "true", job_tier="Spot")
    gate.touch()
    for name in (first, second, high, low):
        assert finished(client, name).status == "Completed"
        client.jobs.download(name, download_path=tmp_path / name)
    began = [int((tmp_path / name / "artifacts/outputs/at").read_text()) for name in (high, second)]
    assert began == sorted(began)
    assert in_use(client) == 0


def test_a_cluster_and_a_job_share_the_quota(client: MLClient, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    job = submit(client, f"until test -f {gate}; do sleep 0.05; done")
    wait_for(lambda: status(client, job) == "Running")
    cluster = AmlCompute(name=f"c-{time.time_ns() % 10**9}", size="Standard_DS3_v2", max_instances=2)
    with pytest.raises(HttpResponseError, match="exceeding quota limits"):
        client.compute.begin_create_or_update(cluster).result()
    gate.touch()
    assert finished(client, job).status == "Completed"
    client.compute.begin_create_or_update(cluster).result()
    queued = submit(client, "true")
    wait_for(lambda: status(client, queued) == "Queued")
    client.compute.begin_delete(cluster.name).result()
    assert finished(client, queued).status == "Completed"


def test_a_canceled_job_leaves_the_line_and_gives_its_nodes_back(client: MLClient) -> None:
    first, second = (submit(client, "sleep 600", instance_count=2) for _ in range(2))
    wait_for(lambda: status(client, second) == "Queued" and status(client, first) == "Running")
    client.jobs.begin_cancel(second).result()
    client.jobs.begin_cancel(first).result()
    assert in_use(client) == 0
    assert finished(client, submit(client, "true")).status == "Completed"


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [({"instance_type": "Standard_Nothing"}, "Standard_Nothing"), ({"instance_count": 3}, "12 cores")],
)
def test_what_can_never_be_given_is_refused(
    client: MLClient, settings: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(HttpResponseError, match=complaint) as refused:
        submit(client, "true", **settings)
    assert refused.value.status_code == 400
