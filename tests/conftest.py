"""What every test may use: a really started local Azure ML, and Airflow's environment."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import scheduling
from tests.support.azureml_service import ROOT, AzureMLLocal, running

# Airflow and the Hub's client read their configuration when first imported: this comes before any test module.
_airflow_home = tempfile.TemporaryDirectory(prefix="airflow-tests-")
os.environ.update(
    {
        "AIRFLOW_HOME": _airflow_home.name,
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_airflow_home.name}/airflow.db",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCARF_ANALYTICS": "false",
        "HF_HOME": f"{_airflow_home.name}/huggingface",
    }
)
for _folder in (ROOT, ROOT / "plugins", ROOT / "include", ROOT / "dags"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long ones first."""
    scheduling.check(items)
    items.sort(key=lambda item: scheduling.place(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: much of the work is waiting for processes of others."""
    return min(4, max(1, (os.cpu_count() or 1) * 3 // 2))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file's tests to one worker, and with them those of the files that share a fixture with it."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return scheduling.scope(nodeid, config.rootpath)

    return ByFile(config, log)


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Airflow's metadata database, made once; only tests that run a Dag or read the database need it."""
    from airflow.utils import db

    db.initdb()


@pytest.fixture(scope="session")
def azureml_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMLLocal]:
    """A local Azure ML for the whole session; ``os.environ`` points every client at it."""
    with running(tmp_path_factory.mktemp("azureml")) as service:
        yield service


@pytest.fixture(scope="session")
def connection(azureml_local: AzureMLLocal) -> Iterator[dict[str, Any]]:
    """The connection ``azure_ml_default``, as ``make run`` makes it; its ``extra``."""
    from include.launcher.azureml_api import connection_extra

    extra = connection_extra(azureml_local.environment)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_AZURE_ML_DEFAULT", json.dumps({"conn_type": "azure_ml", "extra": extra}))
        yield extra
