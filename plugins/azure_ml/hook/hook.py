"""The hook itself: a connection, and one attribute for each noun of Azure ML."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar, Self

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import amask_secret, mask_secret

from azure_ml.errors import AzureMLError, BadConnection
from azure_ml.hook import workspace
from azure_ml.hook._quiet import quieten
from azure_ml.hook.clients import Clients
from azure_ml.hook.compute import Compute
from azure_ml.hook.data import DataAssets
from azure_ml.hook.files import WorkspaceFiles
from azure_ml.hook.jobs.calls import Jobs
from azure_ml.hook.jobs.history import JobHistory
from azure_ml.hook.jobs.logs import JobLogs
from azure_ml.hook.jobs.metrics import Metrics
from azure_ml.hook.models import Models
from azure_ml.hook.online.deployments import Deployments
from azure_ml.hook.online.endpoints import Endpoints
from azure_ml.hook.online.operations import Operations
from azure_ml.hook.online.traffic import Traffic
from azure_ml.hook.registry import Registry
from azure_ml.hook.settings import Settings
from azure_ml.provider import CONN_TYPE


class AzureMLHook(BaseHook):
    """One Azure ML workspace and one registry, for example ``AzureMLHook().compute.get("gpu-cluster-big")``.

    Calls raise errors of :mod:`azure_ml.errors`, never the SDK's, and return plain data, never the SDK's objects.
    """

    conn_name_attr: ClassVar[str] = "azure_ml_conn_id"
    default_conn_name: ClassVar[str] = "azure_ml_default"
    conn_type: ClassVar[str] = CONN_TYPE
    hook_name: ClassVar[str] = "Azure Machine Learning"

    def __init__(self, azure_ml_conn_id: str = default_conn_name) -> None:
        super().__init__()
        quieten()
        self.azure_ml_conn_id = azure_ml_conn_id

    @cached_property
    def settings(self) -> Settings:
        """The checked connection; raises :class:`BadConnection`."""
        try:
            settings = Settings.from_connection(self.get_connection(self.azure_ml_conn_id))
        except AirflowNotFoundException:
            raise self._no_connection() from None
        if settings.client_secret:
            mask_secret(settings.client_secret)
        return settings

    @classmethod
    async def for_triggerer(cls, azure_ml_conn_id: str) -> Self:
        """A hook that has read its connection: in the triggerer only the event loop may ask for one."""
        hook = cls(azure_ml_conn_id)
        try:
            connection: Connection = await cls.aget_connection(azure_ml_conn_id)
        except AirflowNotFoundException:
            raise hook._no_connection() from None
        settings = Settings.from_connection(connection)
        if settings.client_secret:
            await amask_secret(settings.client_secret)
        hook.__dict__["settings"] = settings
        return hook

    def _no_connection(self) -> BadConnection:
        return BadConnection(
            f"Airflow has no connection {self.azure_ml_conn_id!r}: add one of type 'azure_ml' "
            "that names subscription, resource group and workspace."
        )

    @cached_property
    def clients(self) -> Clients:
        """What the nouns below talk through."""
        return Clients(self.settings)

    @cached_property
    def compute(self) -> Compute:
        """Clusters and VM sizes."""
        return Compute(self.clients)

    @cached_property
    def files(self) -> WorkspaceFiles:
        """Files in the workspace's default datastore."""
        return WorkspaceFiles(self.clients)

    @cached_property
    def data(self) -> DataAssets:
        """Data assets of the workspace."""
        return DataAssets(self.clients)

    @cached_property
    def registry(self) -> Registry:
        """Base models and components of the registry."""
        return Registry(self.clients)

    @cached_property
    def models(self) -> Models:
        """Models of the workspace."""
        return Models(self.clients)

    @cached_property
    def history(self) -> JobHistory:
        """Steps, times and failures of jobs."""
        return JobHistory(self.clients)

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs of the workspace."""
        return Jobs(self.clients, self.history)

    @cached_property
    def logs(self) -> JobLogs:
        """Logs of jobs and of their steps."""
        return JobLogs(self.clients, self.jobs, self.history)

    @cached_property
    def metrics(self) -> Metrics:
        """Metrics of jobs and of their steps."""
        return Metrics(self.clients)

    @cached_property
    def operations(self) -> Operations:
        """Long operations on endpoints and deployments."""
        return Operations(self.clients)

    @cached_property
    def traffic(self) -> Traffic:
        """Traffic of online endpoints."""
        return Traffic(self.clients)

    @cached_property
    def deployments(self) -> Deployments:
        """Deployments behind online endpoints."""
        return Deployments(self.clients, self.traffic)

    @cached_property
    def endpoints(self) -> Endpoints:
        """Online endpoints."""
        return Endpoints(self.clients, self.deployments)

    def reauthenticate(self) -> None:
        """Log in again at the next call."""
        self.clients.reauthenticate()

    def workspace(self) -> workspace.WorkspaceFacts:
        """Name, region and MLflow address of the workspace, read from the service."""
        return workspace.read(self.clients)

    def studio_url(self, path: str) -> str:
        """A page of Azure ML Studio, for example ``/runs/my-job``."""
        return workspace.studio_url(self.clients, path)

    def test_connection(self) -> tuple[bool, str]:
        """The answer to the button *Test* of the connection form."""
        try:
            facts = self.workspace()
        except AzureMLError as error:
            return False, str(error)
        return True, f"The workspace {facts['name']!r} in {facts['location']} answers."
