"""Scoring scripts that use Azure's own decorators, where the compute environment has those packages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.ai.ml.entities import CodeConfiguration

from tests.support.azureml_service import ROOT
from tests.support.compute_environment import COMPUTE, run_compute
from tests.support.serving_service import Serving, serving

CODE = ROOT / "tests" / "support" / "decorated_code"


@pytest.fixture(scope="module")
def endpoint(compute: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, str]]:
    """A service and an endpoint with a deployment of each script."""
    found = run_compute("-c", "import azureml.contrib.services, inference_schema.schema_decorators")
    if found.returncode:
        pytest.skip("the compute environment has no azureml-contrib-services and inference-schema")
    with serving(tmp_path_factory.mktemp("azureml"), str(COMPUTE)) as here, here.endpoint() as name:
        for script in ("raw", "declared"):
            code = CodeConfiguration(code=str(CODE), scoring_script=f"{script}.py")
            here.deploy(name, script, code_configuration=code)
        yield here, name


def test_a_raw_script_reads_the_request_and_chooses_its_answer(endpoint: tuple[Serving, str]) -> None:
    here, name = endpoint
    answer = here.score(name, [1, 2], **{"azureml-model-deployment": "raw"})
    assert (answer.status_code, answer.text) == (200, "]2,1[")
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_raw_scripts_own_status_is_the_reason_of_424(endpoint: tuple[Serving, str]) -> None:
    here, name = endpoint
    answer = here.score(name, "teapot", **{"azureml-model-deployment": "raw"})
    assert (answer.status_code, answer.text) == (424, "short and stout")
    assert answer.headers["ms-azureml-model-error-statuscode"] == "418"


def test_declared_inputs_are_fields_of_the_body(endpoint: tuple[Serving, str]) -> None:
    here, name = endpoint
    headers = {"azureml-model-deployment": "declared"}
    assert here.score(name, {"name": "ab", "times": 3}, **headers).json() == {"text": "ababab"}
    missing = here.score(name, {"name": "ab"}, **headers)
    assert missing.headers["ms-azureml-model-error-statuscode"] == "400"
    assert missing.json() == {"message": "The body needs an object with the fields name, times."}


def test_declarations_are_the_deployments_swagger(endpoint: tuple[Serving, str]) -> None:
    here, name = endpoint
    headers = {**here.key(name), "azureml-model-deployment": "declared"}
    document = here.service.http.get(f"/inference/{name}/swagger.json", headers=headers).json()
    (body,) = document["paths"]["/score"]["post"]["parameters"]
    assert set(body["schema"]["properties"]) == {"name", "times"}
