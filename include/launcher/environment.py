"""Environment variables of the stack's processes: settings, secrets, the address of the local Azure ML."""

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

# Variables of the caller that would send a client elsewhere than to this stack.
_FOREIGN = re.compile(
    r"AZURE_(?!ML_FINETUNE)|(AIRFLOW|ARM|HF|MSI|IDENTITY|OTEL|PYTHON)_|PYTHONPATH|PYTHONHOME|.*_proxy$",
    re.IGNORECASE,
)
# How long a process waits for another one's write to SQLite; the default of 5 s is short on a machine that trains.
LOCK_SECONDS = 30
# What the Makefile makes ahead, and the local Azure ML would else make on first use.
MADE = {
    "AZUREML_LOCAL_COMPUTE_PYTHON": str(ROOT / ".venv-compute" / "bin" / "python"),
    "AZUREML_LOCAL_STANDIN": str(ROOT / ".local" / "standin"),
    "AZUREML_LOCAL_SAMPLE": str(ROOT / ".local" / "sample"),
}
# What `make setup` writes beside the weights of SmolLM2, if the package index has them.
CATALOGUE = ROOT / ".local" / "smollm2" / "catalogue"
USER = "admin"


def caller() -> dict[str, str]:
    """The caller's environment without the variables that would redirect the stack's clients."""
    return {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}


def catalogues() -> str:
    """Catalogues beside the local registry's own: the one of the real model, if it was made, and the caller's."""
    return os.pathsep.join(
        filter(
            None, [str(CATALOGUE) if CATALOGUE.is_dir() else "", os.environ.get("AZUREML_LOCAL_CATALOGUE")]
        )
    )


def azureml_local(paths: Paths, port: int) -> dict[str, str]:
    """Environment of the local Azure ML's process."""
    return {
        **MADE,
        **caller(),
        "AZUREML_LOCAL_CATALOGUE": catalogues(),
        MARKER: str(paths.state),
        "PYTHONPATH": str(ROOT / "include"),
        "PYTHONUNBUFFERED": "1",
        "AZUREML_LOCAL_HOME": str(paths.azureml_home),
        "AZUREML_LOCAL_PORT": str(port),
    }


def airflow(paths: Paths, port: int, changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment of every Airflow process; ``changes`` are settings by name, such as ``CORE__PARALLELISM``."""
    settings = {**_settings(paths, port), **(changes or {})}
    return {
        **caller(),
        **azure(paths),
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        MARKER: str(paths.state),
        "AIRFLOW_HOME": str(paths.airflow_home),
        "HF_HOME": str(paths.state / "huggingface"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]),
        "SCARF_ANALYTICS": "false",
    }


def _settings(paths: Paths, port: int) -> dict[str, str]:
    own = load_secrets(paths)
    return {
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
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
    }


def azure(paths: Paths) -> dict[str, str]:
    """The variables of ``azure.env``; none before the first start of the local Azure ML."""
    file = paths.azureml_home / "azure.env"
    if not file.exists():
        return {}
    lines = file.read_text().splitlines()
    return {m[1]: m[2] for line in lines if (m := re.fullmatch(r"export (\w+)='(.*)'", line))}


def load_secrets(paths: Paths) -> dict[str, str]:
    """Keys and password of the stack: random, made once, in a file that only its owner can read."""
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
    # The mode is set when the file is opened: a chmod after the write would leave a moment in which others can read.
    # Airflow's database, logs and configuration lie beside it, with modes of Airflow's own choice.
    file.parent.mkdir(parents=True, exist_ok=True)
    file.parent.chmod(0o700)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(content, out)
