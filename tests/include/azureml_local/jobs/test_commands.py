"""A command as it runs: its shell, its variables, its time, its inputs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, Output, command, dsl
from azure.ai.ml.entities import Data

from tests.support.azureml_service import AzureMLLocal
from tests.support.jobs import log_of, run
from tests.support.waiting import finished


def upload(client: MLClient, path: Path, kind: str) -> Data:
    """A data asset of a local file or folder."""
    return client.data.create_or_update(Data(name=f"up-{time.time_ns()}", path=path, type=kind))


def test_a_command_that_is_no_program_runs_in_a_shell(client: MLClient, tmp_path: Path) -> None:
    failed = run(client, "exit 3", "Failed")
    done = run(
        client, "echo one | tr a-z A-Z\nfor word in 'two three' four; do echo \"$word\"; done && (exit 0)"
    )
    assert log_of(client, done.name, tmp_path) == "ONE\ntwo three\nfour\n"
    with pytest.raises(Exception, match="exit code 3"):
        client.jobs.stream(failed.name)


def test_the_variables_of_azure_are_set(
    azureml_local: AzureMLLocal, client: MLClient, tmp_path: Path
) -> None:
    line = "python -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    done = run(client, line, experiment_name="of-mine", environment_variables={"OWN": "yes"})
    found = json.loads(log_of(client, done.name, tmp_path))
    own = azureml_local.environment
    scope = azureml_local.arm("GET", "").json()["id"]
    expected = {
        "AZUREML_ARM_SUBSCRIPTION": own["AZURE_SUBSCRIPTION_ID"],
        "AZUREML_ARM_RESOURCEGROUP": own["AZURE_RESOURCE_GROUP"],
        "AZUREML_ARM_WORKSPACE_NAME": own["AZURE_ML_WORKSPACE"],
        "AZUREML_ARM_PROJECT_NAME": "of-mine",
        "AZUREML_EXPERIMENT_NAME": "of-mine",
        "AZUREML_WORKSPACE_SCOPE": scope,
        "AZUREML_EXPERIMENT_SCOPE": f"{scope}/experiments/of-mine",
        "AZUREML_RUN_ID": done.name,
        "AZUREML_ROOT_RUN_ID": done.name,
        "MLFLOW_EXPERIMENT_NAME": "of-mine",
        "OWN": "yes",
    }
    assert {name: found.get(name) for name in expected} == expected
    assert found["AZUREML_RUN_TOKEN"]
    assert int(found["AZUREML_RUN_TOKEN_EXPIRY"]) > time.time()


def test_a_job_that_runs_longer_than_its_limit_is_canceled(client: MLClient, tmp_path: Path) -> None:
    begun = time.monotonic()
    done = run(client, "echo begun; sleep 600", "Canceled", timeout=1)
    assert time.monotonic() - begun < 60
    assert "begun" in log_of(client, done.name, tmp_path)
    assert done.limits.timeout == 1
    assert run(client, "true", timeout=600).status == "Completed"


def test_a_step_that_runs_longer_than_its_limit_is_canceled_and_fails_its_pipeline(client: MLClient) -> None:
    step = command(command="sleep 600", environment="azureml:anything:1", timeout=1)

    @dsl.pipeline(default_compute="one-node")  # type: ignore[untyped-decorator]
    def slow() -> None:
        step()

    job = finished(client, client.jobs.create_or_update(slow(), skip_validation=True).name)
    assert job.status == "Failed"
    assert [child.status for child in client.jobs.list(parent_job_name=job.name)] == ["Canceled"]
    with pytest.raises(Exception, match="longer than its limit of 1 seconds"):
        client.jobs.stream(job.name)


@pytest.mark.parametrize("name", ["a%20b.txt", "a b.txt", "100%.txt", "c+d&e.txt"])
def test_a_file_is_found_by_its_own_name(client: MLClient, tmp_path: Path, name: str) -> None:
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / name).write_text("found")
    folder = client.data.create_or_update(
        Data(name=f"folder-{time.time_ns()}", path=tmp_path / "up", type="uri_folder")
    )
    file = client.data.create_or_update(
        Data(name=f"file-{time.time_ns()}", path=tmp_path / "up" / name, type="uri_file")
    )
    done = run(
        client,
        "cat '${{inputs.folder}}'/" + f"'{name}' ${{{{inputs.file}}}} \"${{{{inputs.direct}}}}\"",
        inputs={
            "folder": Input(type="uri_folder", path=folder.id),
            "file": Input(type="uri_file", path=file.id),
            "direct": Input(type="uri_file", path=file.path),
        },
    )
    assert log_of(client, done.name, tmp_path / "log") == "found" * 3


def test_a_direct_input_is_an_address_and_a_downloaded_one_a_copy(client: MLClient, tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("asset")
    made = client.data.create_or_update(
        Data(name=f"rows-{time.time_ns()}", path=tmp_path / "rows.txt", type="uri_file")
    )
    inputs = {
        mode: Input(type="uri_file", path=made.id, mode=mode) for mode in ("direct", "download", "ro_mount")
    }
    line = "echo ${{inputs.direct}} ${{outputs.it}}; echo changed > ${{inputs.download}}; cat ${{inputs.ro_mount}}"
    done = run(client, line, inputs=inputs, outputs={"it": Output(type="uri_folder", mode="direct")})
    addresses, asset = log_of(client, done.name, tmp_path / "log").split("\n", 1)
    assert addresses.split()[0] == made.path
    assert addresses.split()[1].endswith(done.outputs["it"].path.removeprefix("azureml:/"))
    assert asset == "asset"


@pytest.mark.parametrize(
    ("settings", "status", "complaint"),
    [
        ({"distribution": {"distributionType": "PyTorch", "processCountPerInstance": 2}}, 501, "2 processes"),
        ({"distribution": {"distributionType": "TensorFlow", "workerCount": 1}}, 501, "TensorFlow"),
        ({"services": {"code": {"jobServiceType": "VSCode"}}}, 501, "VSCode"),
        ({"resources": {"properties": {"AISuperComputer": {}}}}, 501, "AISuperComputer"),
        ({"resources": {"instanceCount": 0}}, 400, "whole number"),
        ({"queueSettings": {"jobTier": "Gold"}}, 400, "gold"),
        ({"queueSettings": {"priority": "urgent"}}, 400, "urgent"),
        ({"limits": {"jobLimitsType": "Command", "timeout": "soon"}}, 400, "soon"),
        ({"parentJobName": "above"}, 501, "parentJobName"),
        (
            {"inputs": {"a": {"jobInputType": "mltable", "uri": "runs:/a/b", "mode": "EvalMount"}}},
            501,
            "evaluated",
        ),
        ({"inputs": {"a": {"jobInputType": "uri_file", "uri": "runs:/a/b", "mode": "Fly"}}}, 400, "Fly"),
    ],
)
def test_what_is_not_acted_on_is_refused(
    azureml_local: AzureMLLocal, settings: dict[str, Any], status: int, complaint: str
) -> None:
    body = {"jobType": "Command", "command": "true", "environmentId": "azureml:anything:1", **settings}
    answer = azureml_local.arm(
        "PUT", "/jobs/refused", version="2025-01-01-preview", json={"properties": body}
    )
    assert answer.status_code == status
    assert complaint in answer.json()["error"]["message"]
    assert azureml_local.arm("GET", "/jobs/refused", version="2025-01-01-preview").status_code == 404
