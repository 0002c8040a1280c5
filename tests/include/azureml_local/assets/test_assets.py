"""Models, environments, components and code of the workspace through the SDK."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.azureml_service import AzureMLLocal

MLMODEL = "flavors:\n  python_function:\n    loader_module: x\n  transformers:\n    task: llm/v1/chat\n"


def mlflow_folder(parent: Path) -> Path:
    folder = parent / "model"
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(MLMODEL)
    return folder


def job_output(azureml_local: AzureMLLocal, job: str, output: str) -> Path:
    """The folder where a job of that name would have left an output."""
    containers = azureml_local.home / "blobs" / "localstore"
    store = azureml_local.arm("GET", "/datastores/workspaceblobstore").json()["properties"]
    return mlflow_folder(containers / store["containerName"] / "azureml" / job / output).parent


def test_an_mlflow_model_is_registered_from_a_job_output(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    folder = job_output(azureml_local, "job-7", "trained_model")
    (folder / "MLmodel").write_text(MLMODEL)
    models = azureml_local.ml_client().models
    path = "azureml://jobs/job-7/outputs/trained_model"
    made = models.create_or_update(
        Model(name="tuned", path=path, type="mlflow_model", description="Tuned.", tags={"a": "b"})
    )
    assert (made.version, made.job_name, made.type) == ("1", "job-7", "mlflow_model")
    assert "/datastores/workspaceblobstore/paths/azureml/job-7/trained_model" in made.path
    assert made.flavors["transformers"] == {"task": "llm/v1/chat"}
    assert made.creation_context.created_at
    assert models.create_or_update(Model(name="tuned", path=path, type="mlflow_model")).version == "2"
    assert models.get("tuned", label="latest").version == "2"
    models.download("tuned", "1", download_path=str(tmp_path))
    assert next(tmp_path.rglob("MLmodel")).read_text() == MLMODEL


def test_a_folder_without_mlmodel_is_no_mlflow_model(azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml.entities import Model
    from azure.core.exceptions import HttpResponseError

    folder = job_output(azureml_local, "job-8", "out")
    assert not (folder / "MLmodel").exists()
    with pytest.raises(HttpResponseError, match="no readable MLmodel"):
        azureml_local.ml_client().models.create_or_update(
            Model(name="none", path="azureml://jobs/job-8/outputs/out", type="mlflow_model")
        )


def test_a_model_of_nothing_is_refused(azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml.entities import Model
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="There is nothing at"):
        azureml_local.ml_client().models.create_or_update(
            Model(name="none", path="azureml://jobs/no-such-job/outputs/out", type="custom_model")
        )


def test_a_local_model_is_uploaded_and_downloaded(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    models = azureml_local.ml_client().models
    folder = mlflow_folder(tmp_path / "source")
    made = models.create_or_update(
        Model(name="uploaded", path=str(folder), type="mlflow_model", stage="Production")
    )
    assert (made.version, made.stage) == ("1", "Production")
    models.download("uploaded", "1", download_path=str(tmp_path / "back"))
    assert (tmp_path / "back" / "uploaded" / "model" / "MLmodel").read_text() == MLMODEL
    assert "uploaded" in [item.name for item in models.list()]


def test_archived_assets_leave_the_list(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    from azure.ai.ml.constants import ListViewType
    from azure.ai.ml.entities import Model

    models = azureml_local.ml_client().models
    for version in ("1", "2"):
        models.create_or_update(
            Model(name="aged", version=version, path=str(mlflow_folder(tmp_path / version)))
        )
    models.archive("aged", version="2")
    assert [item.version for item in models.list("aged")] == ["1"]
    assert [item.version for item in models.list("aged", list_view_type=ListViewType.ARCHIVED_ONLY)] == ["2"]
    assert models.get("aged", label="latest").version == "1"
    models.archive("aged")
    assert "aged" not in [item.name for item in models.list()]


def test_an_environment_is_kept(azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml.entities import Environment

    environments = azureml_local.ml_client().environments
    conda = {"name": "x", "dependencies": ["python=3.11"]}
    made = environments.create_or_update(Environment(name="mine", image="ubuntu:22.04"))
    assert (made.version, made.image) == ("1", "ubuntu:22.04")
    assert environments.get("mine", version="1").os_type.lower() == "linux"
    assert environments.get("mine", label="latest").version == "1"
    assert [item.name for item in environments.list() if item.name == "mine"]
    assert conda  # a conda file is stored as text
    with_conda = environments.create_or_update(
        Environment(name="mine", image="ubuntu:22.04", conda_file=conda)
    )
    assert environments.get("mine", version=with_conda.version).conda_file == conda


def test_a_command_component_with_code_is_kept(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    from azure.ai.ml import Input, command

    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text("print('hello')\n")
    client = azureml_local.ml_client()
    node = command(
        name="hello",
        code=str(tmp_path / "src"),
        command="python main.py ${{inputs.x}}",
        environment="azureml://registries/azureml/environments/acft-hf-nlp-gpu/versions/112",
        inputs={"x": Input(type="integer", default=1)},
    )
    made = client.components.create_or_update(node.component, version="1")
    again = client.components.get("hello", version="1")
    assert again.command == made.command == "python main.py ${{inputs.x}}"
    assert "/codes/" in again.code
    assert client.components.get("hello").version == "1"
    assert [item.version for item in client.components.list("hello")] == ["1"]


@pytest.mark.parametrize("name", ["..", "a/../b", "-x", "a b"])
def test_a_name_that_azure_refuses_is_refused(azureml_local: AzureMLLocal, name: str) -> None:
    body = {
        "properties": {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_file"}
    }
    answer = azureml_local.arm("PUT", f"/data/{name.replace('/', '%2F')}/versions/1", json=body)
    assert answer.status_code in (400, 404, 501)


def test_long_lists_come_in_pages(azureml_local: AzureMLLocal) -> None:
    body = {
        "properties": {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_file"}
    }
    for version in range(1, 131):
        assert azureml_local.arm("PUT", f"/data/many/versions/{version}", json=body).status_code == 201
    first = azureml_local.arm("GET", "/data/many/versions").json()
    assert len(first["value"]) == 100
    assert "nextLink" in first
    listed = [int(item.version) for item in azureml_local.ml_client().data.list("many")]
    assert listed == list(range(130, 0, -1))


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("azureml://datastores/nowhere/paths/x", "Datastore 'nowhere' was not found in the workspace."),
        ("azureml:nothing:7", "nothing:7 was not found among data and models of the workspace."),
        (
            "azureml:/subscriptions/s/models/gone/versions/7",
            "gone:7 was not found in models of the workspace.",
        ),
    ],
)
def test_an_address_that_leads_nowhere_says_what_is_missing(
    azureml_local: AzureMLLocal, uri: str, message: str
) -> None:
    body = {"properties": {"modelUri": uri, "modelType": "custom_model"}}
    answer = azureml_local.arm("PUT", "/models/astray/versions/1", json=body)
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, message)
