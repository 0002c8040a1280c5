"""No secret comes through, whichever way a text of the service takes into Airflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.operators import AzureMLRegisterDataOperator
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


@pytest.mark.parametrize("secret", SECRETS)
def test_a_description_is_masked_before_it_is_registered(
    hook: AzureMLHook, context: Callable[..., Any], unique: str, secret: str
) -> None:
    hook.files.write("tests/masked/rows.jsonl", b"{}\n")
    file = {"uri": hook.files.uri("tests/masked/rows.jsonl"), "version": "1"}
    AzureMLRegisterDataOperator(
        task_id="data", files={"train": file}, asset_name=unique, description=f"read from {secret}"
    ).execute(context())
    asset = hook.clients.workspace_client.data.get(f"{unique}-train", "1")
    assert asset.description.startswith("read from ")
    assert "tellnobody" not in asset.description
