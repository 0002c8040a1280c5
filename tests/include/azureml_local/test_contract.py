"""What the SDK receives is what Azure's published contract promises for the api-version asked with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import contract
from tests.support.azureml_service import AzureMLLocal

OUTSIDE = re.compile(
    r"/metadata/endpoints|/msi/token|:\d+/discovery|/mlflow/|/inference/|\.blob\.|/hub/|Operation|/data/v1"
)
"""Routes that the contract does not describe."""


class Recorder:
    """Collects what the contract has against the answers that pass through the SDK's transport."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.problems: list[str] = []

    def take(self, method: str, url: str, status: int, body: Any) -> None:
        """Check one answer."""
        if OUTSIDE.search(url.split("?")[0]):
            return
        route = f"{method} {re.sub('^.*?MachineLearningServices/', '', url)}"
        self.seen.add(route)
        try:
            found = contract.problems(method, url, status, body)
        except (LookupError, AssertionError) as error:
            found = [str(error)]
        self.problems += [f"{route} -> {status}: {problem}" for problem in found]


@pytest.fixture
def recorder(azureml_local: AzureMLLocal) -> Iterator[Recorder]:
    """Listens to every answer of the block; fails at its end with all that the contract has against them."""
    from azure.core.pipeline.transport import RequestsTransport

    contract.needed()
    taken, send = Recorder(), RequestsTransport.send

    def listen(self: Any, request: Any, **kwargs: Any) -> Any:
        response = send(self, request, **kwargs)
        if request.url.startswith(azureml_local.base_url) and "json" in response.headers.get(
            "Content-Type", ""
        ):
            internal = getattr(response, "internal_response", None) or response._internal_response
            taken.take(request.method, request.url, response.status_code, internal.json())
        return response

    with pytest.MonkeyPatch.context() as patch:
        # The one place through which each of the SDK's fifteen clients sends.
        patch.setattr(RequestsTransport, "send", listen)
        yield taken
    assert not taken.problems, "\n".join(dict.fromkeys(taken.problems))
    assert taken.seen


def test_workspaces_datastores_and_sizes(recorder: Recorder, azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml.entities import AccountKeyConfiguration, AzureBlobDatastore

    client = azureml_local.ml_client()
    client.workspaces.get()
    list(client.workspaces.list())
    client.workspaces.get_keys("ws-local")
    client.datastores.get_default(include_secrets=True)
    store = AzureBlobDatastore(
        name="other",
        account_name="x",
        container_name="y",
        credentials=AccountKeyConfiguration(account_key="a2V5"),
    )
    client.datastores.create_or_update(store)
    client.datastores.get("other", include_secrets=True)
    list(client.datastores.list())
    client.datastores.delete("other")
    client.compute.list_sizes()
    list(client.compute.list_usage())


def test_computes(recorder: Recorder, azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml.entities import AmlCompute
    from azure.core.exceptions import HttpResponseError

    compute = azureml_local.ml_client().compute
    compute.begin_create_or_update(AmlCompute(name="kept", size="Standard_NC6s_v3", min_instances=1)).result()
    compute.get("kept")
    list(compute.list())
    list(compute.list_nodes("kept"))
    compute.begin_delete("kept").result()
    with pytest.raises(HttpResponseError):
        compute.get("kept")
    with pytest.raises(HttpResponseError):
        compute.begin_create_or_update(AmlCompute(name="kept", size="nothing")).result()


def test_assets(recorder: Recorder, azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import Data, Environment, Model

    client = azureml_local.ml_client()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text("pass\n")
    client.data.create_or_update(Data(name="kept", path=str(tmp_path / "src" / "main.py"), type="uri_file"))
    client.models.create_or_update(Model(name="kept", path=str(tmp_path / "src"), type="custom_model"))
    client.environments.create_or_update(Environment(name="kept", image="ubuntu:22.04"))
    node = command(
        name="kept", code=str(tmp_path / "src"), command="python main.py", environment="kept@latest"
    )
    client.components.create_or_update(node.component, version="1")
    for operations in (client.data, client.models, client.environments, client.components):
        operations.get("kept", version="1")
        operations.get("kept", label="latest")
        list(operations.list("kept"))
        list(operations.list())
        operations.archive("kept", version="1")
        operations.restore("kept", version="1")
        operations.archive("kept")


def test_the_registry(recorder: Recorder, azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    client = azureml_local.registry_client()
    client.models.get("Phi-3-mini-4k-instruct", label="latest")
    list(client.models.list("Phi-3-mini-4k-instruct"))
    list(client.models.list())
    for name in ("chat_completion_pipeline", "chat_completion_finetune"):
        client.components.get(name, label="latest")
    list(client.components.list())
    client.environments.get("acft-hf-nlp-gpu", version="112")
    (tmp_path / "w").write_text("w")
    client.models.create_or_update(
        Model(name="checked", version="1", path=str(tmp_path / "w"), type="custom_model")
    )
    client.models.download("checked", "1", download_path=str(tmp_path / "back"))
    azureml_local.ml_client().registries.get("azureml")


BAD = [
    (
        "computes/c",
        {"properties": {"computeType": "AmlCompute", "properties": {"vmSize": 7}}},
        "7 is not of type",
    ),
    (
        "computes/c",
        {"properties": {"computeType": "AmlCompute", "provisioningState": "Odd"}},
        "'Odd' is not one of",
    ),
    ("computes/c", {"properties": {"provisioningState": "Failed"}}, "'computeType' is missing"),
]


@pytest.mark.parametrize(("path", "body", "problem"), BAD)
def test_the_check_finds_what_is_wrong(path: str, body: dict[str, Any], problem: str) -> None:
    contract.needed()
    scope = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/"
    found = contract.problems("GET", f"https://x{scope}{path}?api-version=2023-08-01-preview", 200, body)
    assert problem in "".join(found)


def test_endpoints(recorder: Recorder, azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint
    from azure.core.exceptions import HttpResponseError

    endpoints = azureml_local.ml_client().online_endpoints
    made = endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name="contract-ep", auth_mode="key")
    ).result()
    assert made.scoring_uri
    endpoints.get("contract-ep")
    list(endpoints.list())
    endpoints.get_keys("contract-ep")
    endpoints.begin_regenerate_keys("contract-ep", key_type="secondary").result()
    with pytest.raises(HttpResponseError):
        azureml_local.ml_client().online_deployments.get("nobody", "contract-ep")
    endpoints.begin_delete("contract-ep").result()


def test_jobs(recorder: Recorder, azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import AmlCompute

    client = azureml_local.ml_client()
    client.compute.begin_create_or_update(
        AmlCompute(name="for-jobs", size="Standard_DS3_v2", max_instances=1)
    ).result()
    environment = "azureml://registries/azureml/environments/acft-hf-nlp-gpu/versions/112"
    job = command(
        command="python -c 1", environment=environment, compute="for-jobs", experiment_name="contract"
    )
    made = client.jobs.create_or_update(job)
    client.jobs.get(made.name)
    list(client.jobs.list())
    client.jobs.stream(made.name)
    client.jobs.archive(made.name)
    client.jobs.restore(made.name)
    slow = client.jobs.create_or_update(
        command(command="sleep 60", environment=environment, compute="for-jobs")
    )
    client.jobs.begin_cancel(slow.name).result()
    client.compute.begin_delete("for-jobs").result()
    assert [route for route in recorder.seen if "/details" in route]
