"""The grammar of addresses: datastore paths, outputs and artifacts of jobs, assets, registries, URLs.

Nothing here knows what there is; :mod:`azureml_local.storage.uris` finds the files.
"""

from __future__ import annotations

import re

from azureml_local.settings import RESOURCE_GROUP, SUBSCRIPTION_ID, WORKSPACE

_WORKSPACE = (
    r"subscriptions/[^/]+/resource[gG]roups/[^/]+/"
    r"(?:providers/Microsoft\.MachineLearningServices/)?workspaces/[^/]+/"
)
DATASTORE = re.compile(rf"azureml://(?:{_WORKSPACE})?datastores/(?P<store>[^/]+)(?:/paths)?/(?P<path>.*)")
JOB = re.compile(
    rf"azureml://(?:{_WORKSPACE})?jobs/(?P<job>[^/]+)/outputs/(?P<output>[^/]+)(?:/paths)?/?(?P<path>.*)"
)
RUN = re.compile(r"runs:/(?P<job>[^/]+)/?(?P<path>.*)")
# The data asset as which run history knows a job's output.
RUN_OUTPUT = re.compile(r"azureml_(?P<job>.+)_output_data_(?P<output>.+)")
REGISTRY = re.compile(
    r"azureml://registries/(?P<registry>[^/]+)/(?P<kind>\w+)/(?P<name>[^/]+)/versions/(?P<version>[^/]+)"
)
ASSET = re.compile(
    r"/(?P<kind>models|data|codes|environments|components)/(?P<name>[^/]+)/versions/(?P<version>[^/]+)$"
)
SHORT = re.compile(r"azureml:(?P<name>[^/:@]+)(?::(?P<version>[^/]+)|@(?P<label>\w+))$")
_HADOOP = re.compile(r"(?:wasbs?|abfss?)://(?P<container>[^@/]+)@(?P<host>[^/]+)/?(?P<path>.*)")
# Addresses that any machine may answer; what is not the workspace's own is downloaded.
REMOTE = ("https://", "http://", "wasbs://", "wasb://", "abfss://", "abfs://")
# The one output that every run has: what it writes to ./outputs and ./logs, and what it logs.
RUN_ARTIFACTS = "artifacts"
PATH_FIELDS = {"models": "modelUri", "data": "dataUri", "codes": "codeUri"}


def bare(uri: str) -> str:
    """An id without the ``azureml:`` that may stand before its full form."""
    short = uri.removeprefix("azureml:")
    return short if uri.startswith("azureml:") and short.startswith(("azureml://", "/sub")) else uri


def long_uri(datastore: str, path: str) -> str:
    """The full address of a datastore path, as the service answers it."""
    return (
        f"azureml://subscriptions/{SUBSCRIPTION_ID}/resourcegroups/{RESOURCE_GROUP}"
        f"/workspaces/{WORKSPACE}/datastores/{datastore}/paths/{path}"
    )


def output_uri(job: str, output: str, path: str = "", *, datastore: str = "workspaceblobstore") -> str:
    """Short address of a job's named output where nobody chose another."""
    return f"azureml://datastores/{datastore}/paths/azureml/{job}/{output}/{path}"


def artifact_prefix(run_id: str) -> str:
    """Path of a run's artifacts in their container, and in the datastore ``workspaceartifactstore``."""
    return f"ExperimentRun/dcid.{run_id}"


def model_key(uri: str) -> str | None:
    """``<name>/<version>`` of a model of the workspace, None for an address of anything else."""
    match = ASSET.search(uri) if not uri.startswith("azureml://registries/") else None
    match = match or SHORT.fullmatch(uri)
    return f"{match['name']}/{match['version']}" if match and match["version"] else None


def long_form(uri: str) -> str:
    """A datastore path in the long form; any other address unchanged."""
    match = DATASTORE.fullmatch(uri)
    return long_uri(match["store"], match["path"]) if match else uri


def job_of(uri: str) -> str | None:
    """Name of the job whose output or artifact an address is, if it is one."""
    match = JOB.fullmatch(uri) or RUN.fullmatch(uri)
    return match["job"] if match else None


def blob_url(uri: str) -> str:
    """``https://<host>/<container>/<path>`` of an address in Hadoop's form; any other unchanged."""
    match = _HADOOP.fullmatch(uri)
    if match is None:
        return uri
    host = match["host"].replace(".dfs.", ".blob.", 1)
    return f"https://{host}/{match['container']}/{match['path']}"
