"""How Airflow learns about the connection type."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

from azure_ml.hook import AzureMLHook
from azure_ml.provider import get_provider_info


def test_the_package_is_registered_as_a_provider() -> None:
    found = importlib.metadata.entry_points(group="apache_airflow_provider")
    assert "azure_ml.provider:get_provider_info" in {point.value for point in found}


def test_the_form_of_the_connection_has_all_fields_that_the_hook_reads() -> None:
    hook = ProvidersManagerTaskRuntime().hooks[AzureMLHook.conn_type]  # type: ignore[no-untyped-call]
    assert hook is not None
    assert hook.hook_class_name == "azure_ml.hook.AzureMLHook"
    fields = get_provider_info()["connection-types"][0]["conn-fields"]
    assert set(fields) == {
        "subscription_id",
        "resource_group",
        "workspace_name",
        "registry_name",
        "project",
        "tenant_id",
        "auth_type",
        "config_file",
    }


def test_importing_hook_operators_and_trigger_imports_no_azure_module() -> None:
    code = (
        "import sys, azure_ml.operators, azure_ml.triggers.jobs, azure_ml.lifecycle.callbacks;"
        "found = [name for name in sys.modules if name == 'azure' or name.startswith('azure.')];"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
