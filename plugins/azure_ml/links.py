"""Buttons on a task that open Azure ML Studio: an operator pushes the address as XCom."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import attrs
from airflow.sdk import BaseOperatorLink
from airflow.sdk.execution_time.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

# Airflow computes a link in the worker when the task ends or is deferred: no page of its has to log in to Azure.
STUDIO_KEY: Final = "studio_url"
LOG_KEY: Final = "deployment_log_url"


def log_page(uri: str) -> str:
    """Path of Studio's page of the folder that holds a datastore's file, from the file's ``azureml://`` URI."""
    store, path = uri.partition("/datastores/")[2].split("/paths/", 1)
    return f"/data/datastore/{store}/browse/{path.rpartition('/')[0]}"


# Airflow needs a class for each button: it stores links by their import path.
@attrs.define()
class StudioLink(BaseOperatorLink):
    """Base of the links: a subclass gives the button's text and the XCom with the address."""

    text: ClassVar[str] = "Azure ML Studio"
    xcom_key: ClassVar[str] = STUDIO_KEY

    @property
    def name(self) -> str:
        """Text of the button."""
        return self.text

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The address; empty if the task has not pushed one yet."""
        return str(XCom.get_value(ti_key=ti_key, key=self.xcom_key) or "")


@attrs.define()
class JobLink(StudioLink):
    """To the job's page."""

    text = "Job in Studio"


@attrs.define()
class ModelLink(StudioLink):
    """To the model version's page."""

    text = "Model in Studio"


@attrs.define()
class EndpointLink(StudioLink):
    """To the endpoint's page."""

    text = "Endpoint in Studio"


@attrs.define()
class DeploymentLogLink(StudioLink):
    """To the saved log of a deployment that did not come up."""

    text = "Deployment log in Studio"
    xcom_key = LOG_KEY
