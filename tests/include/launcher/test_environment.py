"""The environment of the stack's processes: secrets stay private, no variable of the caller redirects a client."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from include.launcher import environment
from include.launcher.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Folders of a stack that has never run."""
    return Paths(tmp_path)


def test_secrets_are_drawn_once_and_kept(paths: Paths) -> None:
    first = environment.load_secrets(paths)
    assert environment.load_secrets(paths) == first
    assert environment.load_secrets(Paths(paths.state / "other")) != first


def test_only_their_owner_can_read_them(paths: Paths) -> None:
    environment.load_secrets(paths)
    for name in ("secrets.json", "passwords.json"):
        assert stat.S_IMODE((paths.airflow_home / name).stat().st_mode) == 0o600


def test_the_fernet_key_is_one(paths: Paths) -> None:
    from cryptography.fernet import Fernet

    assert Fernet(environment.load_secrets(paths)["fernet_key"].encode())


@pytest.mark.parametrize(
    "name",
    [
        "AZURE_CLIENT_ID",
        "HTTPS_PROXY",
        "http_proxy",
        "HF_HUB_OFFLINE",
        "AIRFLOW__CORE__DAGS_FOLDER",
        "PYTHONHOME",
    ],
)
def test_what_would_lead_elsewhere_is_dropped(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "elsewhere")
    assert name not in environment.caller()


@pytest.mark.parametrize("name", ["PATH", "AZUREML_LOCAL_TIME", "AZURE_ML_FINETUNE_SCHEDULE"])
def test_what_the_user_may_set_is_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "mine")
    assert environment.caller()[name] == "mine"


def test_airflow_listens_on_the_loopback_interface_only(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__HOST", "0.0.0.0")
    assert environment.airflow(paths, 8080)["AIRFLOW__API__HOST"] == "127.0.0.1"


def test_every_setting_is_one_that_airflow_has(paths: Paths) -> None:
    from airflow.configuration import conf

    for name in environment.airflow(paths, 8080):
        if match := re.fullmatch(r"AIRFLOW__([A-Z_]+?)__([A-Z_]+)", name):
            assert match[2].lower() in conf.configuration_description[match[1].lower()]["options"], name


def test_the_way_to_the_local_azure_ml_is_read_from_what_it_wrote(paths: Paths) -> None:
    assert environment.azure(paths) == {}
    paths.azureml_home.mkdir(parents=True)
    (paths.azureml_home / "azure.env").write_text("export A='1'\nexport B='x y'\n")
    assert environment.azure(paths) == {"A": "1", "B": "x y"}


def test_airflows_home_is_closed_to_others(paths: Paths) -> None:
    paths.airflow_home.mkdir(mode=0o755)
    environment.load_secrets(paths)
    assert stat.S_IMODE(paths.airflow_home.stat().st_mode) == 0o700
