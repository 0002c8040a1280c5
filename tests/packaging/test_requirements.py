"""A plain `pip install -r requirements.txt` gives an SDK that imports; constraints.txt freezes it all."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.azureml_service import ROOT

MISSION = {
    "apache-airflow",
    "apache-airflow-providers-microsoft-azure",
    "azure-ai-ml",
    "azure-identity",
    "datasets",
    "pandas",
    "pytest",
}
FILES = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-compose.txt",
    "include/azureml_local/pyproject.toml",
)
COMPUTE = "include/azureml_local/worker/requirements.txt"
CONSTRAINTS = ("constraints.txt", "include/azureml_local/worker/constraints.txt")


def lines(file: str) -> list[str]:
    """The file's lines that are no comments; of a project's file, its dependencies."""
    if file.endswith(".toml"):
        return list(tomllib.loads((ROOT / file).read_text())["project"]["dependencies"])
    return [
        line.strip() for line in (ROOT / file).read_text().splitlines() if line.strip() and line[0] != "#"
    ]


def requirements(file: str) -> dict[str, Requirement]:
    """The packages that a requirements file asks for, by canonical name."""
    parsed = [Requirement(line.split("#")[0].strip()) for line in lines(file) if not line.startswith("-r")]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def frozen(file: str) -> dict[str, str]:
    """The versions of a constraints file."""
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines(file))}


def test_the_packages_of_the_mission_are_pinned() -> None:
    pinned = requirements("requirements.txt")
    assert set(pinned) >= MISSION
    assert all(re.fullmatch(r"==[\w.]+", str(pinned[name].specifier)) for name in MISSION)


@pytest.mark.parametrize("file", [*FILES, COMPUTE])
def test_every_requirement_says_what_it_is_for(file: str) -> None:
    before, _, after = (ROOT / file).read_text().partition("\ndependencies = [\n")
    text = (after.partition("\n]")[0] or before).splitlines()
    for number, line in enumerate(text):
        if line.strip() and not line.startswith(("#", "-r")):
            assert "#" in line or text[number - 1].startswith("#"), f"{file}:{number + 1} gives no reason"


@pytest.mark.parametrize("file", FILES)
def test_every_requirement_is_met_by_its_constraint(file: str) -> None:
    versions = frozen("constraints.txt")
    for name, requirement in requirements(file).items():
        assert requirement.specifier.contains(versions[name]), f"constraints.txt has {name}=={versions[name]}"


def test_the_compute_environments_requirements_are_met_by_its_constraints() -> None:
    versions = frozen(CONSTRAINTS[1])
    for name, requirement in requirements(COMPUTE).items():
        assert requirement.specifier.contains(versions[name])


@pytest.mark.parametrize("file", CONSTRAINTS)
def test_constraints_hold_exact_versions_and_no_place_of_any_machine(file: str) -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", line) for line in lines(file))


def test_every_installed_distribution_is_frozen() -> None:
    versions = frozen("constraints.txt")
    ours = {"pip", "setuptools", "azure-ml-operators", "azureml-local"}
    installed = {canonicalize_name(d.metadata["Name"]): d.version for d in importlib.metadata.distributions()}
    differ = {n: v for n, v in installed.items() if n not in ours and versions.get(n) != v}
    assert not differ, "run `make freeze`, or reinstall"


def test_the_installed_set_has_no_conflict() -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_sdk_imports_in_a_fresh_interpreter() -> None:
    code = (
        "import airflow, azure.ai.ml, azure.identity, datasets, pandas, pytest;"
        "import airflow.providers.microsoft.azure;"
        "from azure.ai.ml import MLClient, dsl; print(azure.ai.ml.__version__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == frozen("constraints.txt")["azure-ai-ml"]


def test_pip_resolves_the_requirements_to_the_frozen_set_and_nothing_else(tmp_path: Path) -> None:
    """Asks pip for its plan in this environment: everything that it would want must be here already."""
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-index"]
    command += ["-r", "requirements.txt", "-c", "constraints.txt", "--report", str(report)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(report.read_text())["install"] == []
