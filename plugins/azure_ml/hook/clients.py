"""The two clients of the SDK, their credential and a token: all that a noun of the hook needs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from azure_ml.hook import _sdk, credentials
from azure_ml.hook._translate import translated
from azure_ml.hook.settings import Settings

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.core.credentials import TokenCredential


class Clients:
    """Clients for the workspace and the registry of a connection; made at first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def credential(self) -> TokenCredential:
        """The credential that the connection asks for."""
        with translated("log in to Azure"):
            return credentials.build(self.settings)

    @cached_property
    def workspace_client(self) -> MLClient:
        """Client of the workspace."""
        place = self.settings
        with translated(f"reach the workspace {place.workspace_name!r}"):
            from azure.ai.ml import MLClient

            return MLClient(
                self.credential,
                place.subscription_id,
                place.resource_group,
                place.workspace_name,
                show_progress=False,
                enable_telemetry=False,
            )

    @cached_property
    def registry_client(self) -> MLClient:
        """Client of the registry."""
        name = self.settings.registry_name
        with translated(f"reach the registry {name!r}"):
            from azure.ai.ml import MLClient

            return MLClient(self.credential, registry_name=name, show_progress=False, enable_telemetry=False)

    @cached_property
    def studio_endpoint(self) -> str:
        """Base URL of the workspace's Studio."""
        with translated("read the workspace's addresses"):
            return _sdk.studio_endpoint(self.workspace_client)

    def token(self) -> str:
        """A bearer token for the workspace; never log it."""
        with translated("get a token for the workspace"):
            return str(self.credential.get_token(f"{_sdk.arm_endpoint()}/.default").token)

    def reauthenticate(self) -> None:
        """Log in again at the next call: every cache of a revoked token is dropped."""
        for name in ("credential", "workspace_client", "registry_client"):
            self.__dict__.pop(name, None)
