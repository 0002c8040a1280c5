"""Operators for data assets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azure_ml.masking import masked
from azure_ml.names import require_name
from azure_ml.operators.base import AzureMLOperator, Result

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLRegisterDataOperator(AzureMLOperator):
    """Register files that are in the workspace's store as data assets of type ``uri_file``; uploads nothing.

    A retry, or another run with the same files, finds the assets that there are.

    Args:
        files: for each key ``{"uri": "azureml://...", "version": str}``, the version derived from the content.
        asset_name: first part of the assets' names; the second is the file's key.
        description: Description of the assets.

    Returns:
        For each file of key ``k``: ``k_uri`` (``azureml://...``) and ``k_id`` (``azureml:name:version``).

    Example::

        AzureMLRegisterDataOperator(
            task_id="data", asset_name="chat", files={"train": {"uri": "azureml://...", "version": "1"}})
    """

    template_fields = (*AzureMLOperator.template_fields, "files", "asset_name", "description")

    def __init__(
        self, *, files: Mapping[str, Mapping[str, str]], asset_name: str, description: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.files = files
        self.asset_name = asset_name
        self.description = description

    def execute(self, context: Context) -> Result:
        """Register each file."""
        require_name("asset", self.asset_name)
        result: Result = {}
        for key, file in self.files.items():
            name = f"{self.asset_name}-{key}".replace("_", "-")
            known = self.hook.data.get(name, file["version"])
            asset = known or self.hook.data.register(
                name,
                file["version"],
                file["uri"],
                description=masked(self.description),
                tags=self.made_by(context),
            )
            self.log.info(
                "Data asset %s version %s %s: %s",
                asset.name,
                asset.version,
                "is registered already" if known else "registered",
                asset.uri,
            )
            result[f"{key}_uri"], result[f"{key}_id"] = asset.uri, f"azureml:{asset.name}:{asset.version}"
        return result
