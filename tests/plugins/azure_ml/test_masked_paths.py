"""No secret comes through, whichever way a text of the service takes into Airflow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.operators import AzureMLPrepareDataOperator
from tests.support.azureml_service import AzureMLLocal

SECRETS = (
    "https://x/b?sv=1&amp;sig=tellnobody",
    "sig=tellnobody",
    "AccountName=a;AccountKey=tellnobody",
    '{"access_token": "tellnobody"}',
    "Authorization: Bearer tellnobody",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_message_of_the_service_is_masked_in_the_error(
    azureml_local: AzureMLLocal, hook: AzureMLHook, secret: str
) -> None:
    fault = {"kind": "status", "status": 400, "path": "*/onlineEndpoints/x", "message": f"refused: {secret}"}
    with azureml_local.faults(fault), pytest.raises(errors.BadInput, match="refused") as caught:
        hook.endpoints.get("x")
    assert "tellnobody" not in str(caught.value)


def test_a_jobs_log_and_its_failure_are_masked(hook: AzureMLHook, command_job: Callable[..., str]) -> None:
    printed = "; ".join(f"print({secret!r})" for secret in SECRETS).replace('"', '\\"')
    job, lines = command_job(f"{printed}; raise SystemExit(3)"), list[str]()
    hook.logs.stream(job, lines.append)
    with pytest.raises(errors.JobFailed, match="AccountName=a") as caught:
        hook.history.require_completed(job, hook.jobs.status(job))
    assert any("AccountName=a" in line for line in lines)
    assert "tellnobody" not in "\n".join(lines)
    assert "tellnobody" not in str(caught.value)


def test_a_summary_of_the_data_is_masked_in_the_xcom(
    connection: Any, context: Callable[..., Any], unique: str
) -> None:
    def prepare(_: Path) -> tuple[dict[str, Path], dict[str, Any]]:
        return {}, {"read_from": [*SECRETS], "rows": 3}

    found = AzureMLPrepareDataOperator(task_id="data", prepare=prepare, asset_name=unique).execute(context())
    assert found["rows"] == 3
    assert "tellnobody" not in str(found)
