"""What Airflow reads about this package: the connection type ``azure_ml`` and the fields of its form."""

from __future__ import annotations

from typing import Any, Final

CONN_TYPE: Final = "azure_ml"
DEFAULT_PROJECT: Final = "airflow"
PROJECT_PATTERN: Final = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"
AUTH_TYPES: Final = ("default", "service_principal", "managed_identity", "workload_identity")


def _text(label: str, description: str, **schema: str) -> dict[str, object]:
    return {"label": label, "description": description, "schema": {"type": ["string", "null"], **schema}}


FIELDS: Final[dict[str, dict[str, object]]] = {
    "subscription_id": _text("Subscription ID", "GUID of the workspace's subscription."),
    "resource_group": _text("Resource group", "The workspace's resource group."),
    "workspace_name": _text("Workspace", "Name of the Azure ML workspace."),
    "registry_name": _text("Registry", "Registry of base models and components.", default="azureml"),
    "project": _text(
        "Project",
        "Which Airflow installation this is: a tag of all that it creates, and a part of the names. Give each that "
        "shares a workspace a name of its own.",
        default=DEFAULT_PROJECT,
        pattern=PROJECT_PATTERN,
    ),
    "tenant_id": _text("Tenant ID", "Needed for a service principal; optional otherwise."),
    "auth_type": {
        "label": "Authentication",
        "description": "How to log in; 'default' tries what azure-identity finds by itself.",
        "schema": {"type": "string", "enum": list(AUTH_TYPES), "default": "default"},
    },
    "config_file": _text(
        "config.json", "Path of a workspace's config.json, instead of the three fields above."
    ),
}

STANDARD_FIELDS: Final = {
    "hidden-fields": ["schema", "port", "host"],
    "relabeling": {"login": "Client ID", "password": "Client secret"},
    "placeholders": {
        "login": "application id; not for the default login",
        "password": "only for a service principal",
    },
}


def get_provider_info() -> dict[str, Any]:
    """Entry point ``apache_airflow_provider``; ``package-name`` must equal the distribution's name."""
    return {
        "package-name": "azure-ml-operators",
        "name": "Azure Machine Learning",
        "description": "Hook, operators and trigger for Azure Machine Learning.",
        "connection-types": [
            {
                "connection-type": CONN_TYPE,
                "hook-class-name": "azure_ml.hook.AzureMLHook",
                "hook-name": "Azure Machine Learning",
                "ui-field-behaviour": STANDARD_FIELDS,
                "conn-fields": FIELDS,
            }
        ],
    }
