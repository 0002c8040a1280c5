"""The environment of the stack's processes: Airflow's settings and secrets, the way to the local Azure ML."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from include.launcher.paths import ROOT, Paths
from include.launcher.processes import MARKER

_FOREIGN = re.compile(
    r"AZURE_(?!ML_FINETUNE)|(AIRFLOW|ARM|HF|MSI|IDENTITY|OTEL|PYTHON)_|PYTHONPATH|PYTHONHOME|.*_proxy$",
    re.IGNORECASE,
)
"""Variables of the caller that would send a client elsewhere than to this stack."""

LOCK_SECONDS = 30
"""How long a process waits for another one's write to SQLite before it gives up; SQLite's own default is 5."""

MADE = {
    "AZUREML_LOCAL_COMPUTE_PYTHON": str(ROOT / ".venv-compute" / "bin" / "python"),
    "AZUREML_LOCAL_STANDIN": str(ROOT / ".local" / "standin"),
    "AZUREML_LOCAL_SAMPLE": str(ROOT / ".local" / "sample"),
}
"""What the Makefile makes ahead, and the local Azure ML would else make on first use."""

USER = "admin"
"""Name of the one user of the local Airflow."""


def caller() -> dict[str, str]:
    """The caller's environment without what would change where the stack's clients connect to."""
    return {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}


def azureml_local(paths: Paths, port: int) -> dict[str, str]:
    """Environment of the local Azure ML's process."""
    return {
        **MADE,
        **caller(),
        MARKER: str(paths.local),
        "PYTHONPATH": str(ROOT / "include"),
        "PYTHONUNBUFFERED": "1",
        "AZUREML_LOCAL_HOME": str(paths.azureml_home),
        "AZUREML_LOCAL_PORT": str(port),
    }


def airflow(paths: Paths, port: int, changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment of every Airflow process, the same for all of them.

    Args:
        paths: folders of the stack.
        port: of the API server.
        changes: settings that differ from the stack's own, as ``CORE__PARALLELISM``.
    """
    own = load_secrets(paths)
    settings = {
        "API__BASE_URL": f"http://localhost:{port}",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__SECRET_KEY": own["api_secret_key"],
        "API_AUTH__JWT_SECRET": own["jwt_secret"],
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "CORE__EXECUTION_API_SERVER_URL": f"http://localhost:{port}/execution/",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__FERNET_KEY": own["fernet_key"],
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__PARALLELISM": "4",
        "CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(paths.airflow_home / "passwords.json"),
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__TEST_CONNECTION": "Enabled",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{paths.airflow_home / 'airflow.db'}?timeout={LOCK_SECONDS}",
        "LOGGING__BASE_LOG_FOLDER": str(paths.airflow_home / "logs"),
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        **(changes or {}),
    }
    return {
        **caller(),
        **azure(paths),
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        MARKER: str(paths.local),
        "AIRFLOW_HOME": str(paths.airflow_home),
        "HF_HOME": str(paths.local / "huggingface"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]),
        "SCARF_ANALYTICS": "false",
    }


def azure(paths: Paths) -> dict[str, str]:
    """The variables of ``azure.env``; none before the local Azure ML was first started."""
    file = paths.azureml_home / "azure.env"
    if not file.exists():
        return {}
    lines = file.read_text().splitlines()
    return {m[1]: m[2] for line in lines if (m := re.fullmatch(r"export (\w+)='(.*)'", line))}


def load_secrets(paths: Paths) -> dict[str, str]:
    """The stack's own keys and password: drawn at random once, kept in a file that only its owner reads."""
    file = paths.airflow_home / "secrets.json"
    if not file.exists():
        _write_private(
            file,
            {
                "api_secret_key": secrets.token_urlsafe(32),
                "jwt_secret": secrets.token_urlsafe(48),
                "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                "password": secrets.token_urlsafe(12),
            },
        )
    own: dict[str, str] = json.loads(file.read_text())
    _write_private(paths.airflow_home / "passwords.json", {USER: own["password"]})
    return own


def _write_private(file: Path, content: Mapping[str, str]) -> None:
    """Write JSON with mode 0600 from its first byte on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(content, out)
