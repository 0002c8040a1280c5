"""The operator for the workspace itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_ml.operators.base import AzureMLOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLCheckWorkspaceOperator(AzureMLOperator):
    """Log in and read the workspace and the registry's address; creates nothing.

    Returns:
        ``{"workspace": str, "location": str, "registry": str}``

    Raises:
        AuthFailed: if there is no credential, or it is refused.
        NotFound: if there is no such workspace.
        Unreachable: if nothing answers.

    Example::

        AzureMLCheckWorkspaceOperator(task_id="connect")
    """

    def execute(self, context: Context) -> dict[str, str]:
        """Look."""
        found = self.hook.workspace()
        _ = self.hook.registry_client
        registry = self.hook.settings.registry_name
        self.log.info(
            "Workspace %s in %s and registry %s answer.", found["name"], found["location"], registry
        )
        return {"workspace": found["name"], "location": found["location"], "registry": registry}
