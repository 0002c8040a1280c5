"""Buttons on a task that open Azure ML Studio.

An operator puts the address into the XCom ``studio_url``; Airflow computes a link in the worker when the
task ends or is deferred, so that no page of Airflow's ever has to log in to Azure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs
from airflow.sdk import BaseOperatorLink
from airflow.sdk.execution_time.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey

STUDIO_KEY: Final = "studio_url"
LOG_KEY: Final = "deployment_log_url"


def log_page(uri: str) -> str:
    """Studio's page of the folder in which a file of a datastore lies, from the file's ``azureml://`` URI."""
    store, path = uri.partition("/datastores/")[2].split("/paths/", 1)
    return f"/data/datastore/{store}/browse/{path.rpartition('/')[0]}"


@attrs.define()
class StudioLink(BaseOperatorLink):
    """Base of the links: a subclass gives the button's name."""

    @property
    def name(self) -> str:
        """Text of the button."""
        return "Azure ML Studio"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """The address, or an empty one if the task has not got so far."""
        return str(XCom.get_value(ti_key=ti_key, key=STUDIO_KEY) or "")


@attrs.define()
class JobLink(StudioLink):
    """To the job's page."""

    @property
    def name(self) -> str:
        """Text of the button."""
        return "Job in Studio"


@attrs.define()
class ModelLink(StudioLink):
    """To the model version's page."""

    @property
    def name(self) -> str:
        """Text of the button."""
        return "Model in Studio"


@attrs.define()
class EndpointLink(StudioLink):
    """To the endpoint's page."""

    @property
    def name(self) -> str:
        """Text of the button."""
        return "Endpoint in Studio"


@attrs.define()
class DeploymentLogLink(StudioLink):
    """To the saved log of a deployment that did not come up."""

    @property
    def name(self) -> str:
        """Text of the button."""
        return "Deployment log in Studio"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """The address, or an empty one if no log was saved."""
        return str(XCom.get_value(ti_key=ti_key, key=LOG_KEY) or "")
