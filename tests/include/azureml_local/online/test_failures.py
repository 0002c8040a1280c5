"""How a deployment fails: quota, image, crash loop, memory; it is Failed, and its logs can be read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.ai.ml.entities import AmlCompute, Environment, ProbeSettings
from azure.core.exceptions import HttpResponseError

from tests.support.serving_service import SIZE, Serving
from tests.support.waiting import wait_for

FAMILY = "standardDSv2Family"


@pytest.fixture(scope="module")
def endpoint(here: Serving) -> Iterator[str]:
    """An endpoint on which everything fails."""
    with here.endpoint() as name:
        yield name


@pytest.fixture
def quota(here: Serving) -> Iterator[None]:
    """Twelve cores of the family, for the time of a test."""
    here.service.post("/_local/quota", {"family": FAMILY, "limit": 12})
    yield
    here.service.post("/_local/quota", {"family": FAMILY, "limit": 960})


def used(here: Serving) -> int:
    """Cores of the family that the usages say are in use."""
    # The SDK keeps the fields of a usage under their names on the wire.
    rows = {row.name["value"]: vars(row)["currentValue"] for row in here.client.compute.list_usage()}
    return int(rows[f"{FAMILY} Cluster Dedicated vCPUs"])


@pytest.mark.usefixtures("quota")
def test_an_instance_of_four_cores_asks_for_eight_and_what_does_not_fit_is_refused(here: Serving) -> None:
    with here.endpoint() as endpoint:
        assert used(here) == 0
        here.deploy(endpoint, "first")
        assert used(here) == 8
        with pytest.raises(
            HttpResponseError, match="Not enough quota available for Standard_DS3_v2"
        ) as refused:
            here.deploy(endpoint, "second")
        assert refused.value.status_code == 400
        assert refused.value.error is not None
        assert refused.value.error.code == "BadRequest"
        assert "Current usage/limit: 8/12. Additional needed: 8" in str(refused.value)
        assert [found.name for found in here.client.online_deployments.list(endpoint)] == ["first"]
        deployment = here.client.online_deployments.get("first", endpoint)
        deployment.instance_count = 3
        with pytest.raises(HttpResponseError, match="Additional needed: 16"):
            here.client.online_deployments.begin_create_or_update(deployment)
        path = f"/onlineEndpoints/{endpoint}/deployments/first"
        patched = here.service.arm("PATCH", path, version="2023-04-01-preview", json={"sku": {"capacity": 3}})
        assert patched.status_code == 400
        cluster = AmlCompute(name="training", size=SIZE, max_instances=2)
        with pytest.raises(HttpResponseError, match="Current in use: 8, Additional requested: 8"):
            here.client.compute.begin_create_or_update(cluster)
    assert used(here) == 0


def test_cores_that_are_gone_when_the_machines_are_asked_for_fail_the_deployment(
    here: Serving, endpoint: str
) -> None:
    with here.service.time("manual", "onlineDeployments"):
        poller = here.client.online_deployments.begin_create_or_update(here.deployment(endpoint, "late"))
        here.service.post("/_local/quota", {"family": FAMILY, "limit": 4})
        here.service.post("/_local/time/advance")
        with pytest.raises(HttpResponseError, match="Current usage/limit: 0/4") as failed:
            poller.result()
    here.service.post("/_local/quota", {"family": FAMILY, "limit": 960})
    assert failed.value.error is not None
    assert failed.value.error.code == "OutOfQuota"
    assert here.client.online_deployments.get("late", endpoint).provisioning_state == "Failed"
    assert "OutOfQuota" in here.log(endpoint, "late")
    assert used(here) == 0, "a deployment that got no machine takes no cores"


BROKEN = {
    "no-yaml": ("dependencies: [", "base:1", "no YAML"),
    "no-list": ("name: e", "base:1", "no list 'dependencies'"),
    "bad-pip": ("dependencies: [{pip: ['numpy=>1']}]", "base:1", "Invalid requirement: 'numpy=>1'"),
    "bad-image": ("dependencies: []", "Not An Image", "invalid reference format"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_environment_that_cannot_be_built_fails_the_deployment(
    here: Serving, endpoint: str, name: str
) -> None:
    conda, image, reason = BROKEN[name]
    path, properties = f"/environments/{name}/versions/1", {"image": image, "condaFile": conda}
    made = here.service.arm("PUT", path, version="2023-04-01-preview", json={"properties": properties})
    assert made.is_success
    with pytest.raises(HttpResponseError) as failed:
        here.deploy(endpoint, name, environment=made.json()["id"])
    assert failed.value.error is not None
    assert failed.value.error.code == "ImageBuildFailure"
    assert reason in str(failed.value)
    assert here.client.online_deployments.get(name, endpoint).provisioning_state == "Failed"
    assert reason in here.log(endpoint, name)


def test_a_slow_loader_behind_short_probes_is_a_crash_loop(here: Serving, endpoint: str) -> None:
    short = ProbeSettings(initial_delay=1, period=1, timeout=1, failure_threshold=1)
    with pytest.raises(HttpResponseError, match="not healthy within 2 s") as failed:
        here.deploy(endpoint, "slow", liveness_probe=short, variables={"LOAD_SECONDS": "60"})
    assert failed.value.error is not None
    assert failed.value.error.code == "ResourceNotReady"
    assert "started 3 times: a crash loop" in str(failed.value)
    assert here.client.online_deployments.get("slow", endpoint).provisioning_state == "Failed"
    log = here.log(endpoint, "slow")
    assert log.count("Calling the user's init function") == 3
    assert log.count("Liveness probe failed") == 3
    patient = ProbeSettings(initial_delay=20, period=1, timeout=1, failure_threshold=10)
    mended = here.deploy(endpoint, "slow", liveness_probe=patient, variables={"LOAD_SECONDS": "3"})
    assert mended.provisioning_state == "Succeeded"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"variables": {"CRASH": "1"}}, "RuntimeError: the weights are not those of this model"),
        ({"script": "no_run.py"}, "has no function run()"),
    ],
)
def test_a_script_that_fails_at_its_start_fails_the_deployment_with_its_traceback(
    here: Serving, endpoint: str, settings: dict[str, object], reason: str
) -> None:
    with pytest.raises(HttpResponseError) as failed:
        here.deploy(endpoint, "broken", **settings)
    assert reason in str(failed.value)
    assert here.client.online_deployments.get("broken", endpoint).provisioning_state == "Failed"
    assert reason in here.log(endpoint, "broken")


def test_a_container_without_memory_to_load_fails_the_deployment(here: Serving, endpoint: str) -> None:
    fault = {"kind": "out_of_memory", "path": f"{endpoint}/greedy", "memory_mb": 8}
    with here.service.faults(fault), pytest.raises(HttpResponseError, match="OOMKilled") as failed:
        here.deploy(endpoint, "greedy")
    assert "exit code 137" in str(failed.value)
    assert here.client.online_deployments.get("greedy", endpoint).provisioning_state == "Failed"
    assert "OOMKilled" in here.log(endpoint, "greedy")


def test_a_request_that_takes_too_much_memory_kills_the_container_which_comes_back(here: Serving) -> None:
    fault = {"kind": "out_of_memory", "path": "*/hoarder", "memory_mb": 200}
    with here.endpoint() as endpoint:
        with here.service.faults(fault):
            here.deploy(endpoint, "hoarder")
        here.traffic(endpoint, hoarder=100)
        assert here.score(endpoint, {}).status_code == 200
        assert here.score(endpoint, {"hoard_mb": 300}).status_code == 502
        wait_for(lambda: here.score(endpoint, {}).status_code == 200, 20, "the container did not come back")
        assert "OOMKilled" in here.log(endpoint, "hoarder")


def test_an_image_with_a_server_of_its_own_is_refused_and_says_why(here: Serving, endpoint: str) -> None:
    route = {"port": 8080, "path": "/"}
    brought = Environment(
        name="brought",
        image="mcr.microsoft.com/azureml/base:1",
        inference_config={"liveness_route": route, "readiness_route": route, "scoring_route": route},
    )
    made = here.client.environments.create_or_update(brought)
    with pytest.raises(HttpResponseError, match="runs no images") as refused:
        here.deploy(endpoint, "container", environment=str(made.id), code_configuration=None)
    assert refused.value.status_code == 501
    assert "container" not in [one.name for one in here.client.online_deployments.list(endpoint)]
