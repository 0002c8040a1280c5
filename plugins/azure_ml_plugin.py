"""The one Airflow plugin of this project."""

from __future__ import annotations

from airflow.sdk.plugins_manager import AirflowPlugin


class AzureMLPlugin(AirflowPlugin):
    """Names the package in Airflow's list of plugins; its operators bring their links themselves."""

    name = "azure_ml"
