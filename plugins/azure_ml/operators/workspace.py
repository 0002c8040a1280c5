"""The operator for the workspace itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_ml.operators.base import AzureMLOperator, Result

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLCheckWorkspaceOperator(AzureMLOperator):
    """Log in and read the workspace and the registry's address; creates nothing.

    Returns ``{"workspace": str, "location": str, "registry": str}``.
    """

    def execute(self, context: Context) -> Result:
        """Read both."""
        workspace, registry = self.hook.workspace(), self.hook.registry.check()
        name, location = workspace["name"], workspace["location"]
        self.log.info("Workspace %s in %s and registry %s answer.", name, location, registry)
        return {"workspace": name, "location": location, "registry": registry}
