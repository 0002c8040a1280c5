"""The one Airflow plugin of this project."""

from __future__ import annotations

from airflow.sdk.plugins_manager import AirflowPlugin

from azure_ml.lifecycle.deadlines import RunMade


class AzureMLPlugin(AirflowPlugin):
    """Tells Airflow from when our deadlines count; the operators bring their links themselves."""

    name = "azure_ml"
    deadline_references = [RunMade]
