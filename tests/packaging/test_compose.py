"""docker-compose.yaml: no engine is needed to see that it is sound."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from include.launcher import commands
from tests.support.azureml_service import ROOT

FILE = ROOT / "docker-compose.yaml"
REFERENCE = re.compile(r"(?<!\$)\$\{(\w+)(?::?([-?])([^}]*))?\}")
SECRET = re.compile(r"PASSWORD|SECRET|FERNET|TOKEN|CONN|RESULT_BACKEND")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file with YAML's merges done."""
    document: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return document


def interpolate(text: str) -> str:
    """What the engine would make of the file: defaults taken, required variables set."""

    def value(reference: re.Match[str]) -> str:
        return reference[3] if reference[2] == "-" else "given"

    return REFERENCE.sub(value, text)


def test_the_file_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    merged = yaml.safe_dump(yaml.safe_load(interpolate(FILE.read_text())))
    assert set(PyCompose.from_yaml(merged).service_names()) == set(compose["services"])


@pytest.mark.parametrize(
    "mistake",
    [
        {"imge": "postgres:16"},
        {"image": "postgres:16", "healthcheck": {"test": ["CMD", "true"], "intervall": "3s"}},
        {"image": "postgres:16", "depends_on": {"redis": {"condition": "service_well"}}},
    ],
)
def test_the_parser_refuses_a_file_that_does_not_follow_it(mistake: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"does not start with|condition|variant"):
        PyCompose.from_yaml(yaml.safe_dump({"services": {"postgres": mistake}}))


def test_every_command_is_the_one_that_the_launcher_runs(compose: dict[str, Any]) -> None:
    ours = {
        "airflow-init": commands.MIGRATE,
        "worker": commands.CELERY_WORKER,
        "azureml-local": commands.AZUREML_LOCAL,
        **commands.AIRFLOW,
    }
    theirs = {
        name: tuple(service["command"])
        for name, service in compose["services"].items()
        if "command" in service
    }
    assert theirs == ours


def test_every_service_that_stays_is_health_checked(compose: dict[str, Any]) -> None:
    unchecked = {name for name, service in compose["services"].items() if "healthcheck" not in service}
    assert unchecked == {"airflow-init"}


def test_only_the_local_azure_ml_waits_for_a_profile(compose: dict[str, Any]) -> None:
    profiled = {
        name: service["profiles"] for name, service in compose["services"].items() if "profiles" in service
    }
    assert profiled == {"azureml-local": ["local"]}


def test_every_secret_comes_from_outside_and_is_required() -> None:
    for name, value in re.findall(r"^\s+(\w+): (.+)$", FILE.read_text(), flags=re.MULTILINE):
        if SECRET.search(name):
            assert re.search(r"\$\{\w+:\?[^}]+\}", value), f"{name} is written into the file"
    urls = re.findall(r"://airflow:(\S+?)@", re.sub(r"\$\{[^}]*\}", "${x}", FILE.read_text()))
    assert set(urls) == {"${x}"}


def test_every_airflow_option_exists(compose: dict[str, Any]) -> None:
    from airflow.configuration import conf

    for name in compose["x-airflow-environment"]:
        if match := re.fullmatch(r"AIRFLOW__([A-Z_]+?)__([A-Z_]+)", name):
            options = conf.configuration_description[match[1].lower()]["options"]
            assert match[2].lower() in options, f"Airflow has no option {name}"


def test_every_volume_and_dependency_that_is_named_exists(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(compose["volumes"])
