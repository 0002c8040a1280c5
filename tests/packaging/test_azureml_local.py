"""The local Azure ML's wheel is whole, and works in an empty environment with nothing of this project beside it."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from azureml_local import __version__
from azureml_local.testing.service import attached
from tests.support import wheels
from tests.support.azureml_service import ROOT

PACKAGE = ROOT / "include" / "azureml_local"
PROJECT = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
NOT_SHIPPED = re.compile(r"/__pycache__/|/azureml_local\.egg-info/|/\.build/|/pyproject\.toml$")
OPTIONAL = {"pytest", "azure"}
"""What testing/ uses where it is installed: whoever tests with pytest or the SDK has it."""
MEGABYTE = 1 << 20


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """Run a command without anything of the project on its path; its output."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AZURE"))}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def folder_of_wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's own wheel, built from a copy, and those of all that it needs."""
    folder = tmp_path_factory.mktemp("wheels")
    source = folder.with_name("source")
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", ".build"))
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run(sys.executable, "-m", "pip", *build, "--wheel-dir", folder, source)
    wheels.pack(PROJECT["dependencies"], folder)
    return folder


@pytest.fixture(scope="module")
def wheel(folder_of_wheels: Path) -> Path:
    """The project's own wheel."""
    return next(folder_of_wheels.glob("azureml_local-*.whl"))


@pytest.fixture(scope="module")
def programs(folder_of_wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a new environment that has the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    install = ["install", "--quiet", "--no-index", "--no-compile", "azureml-local"]
    run(sys.executable, "-m", "pip", "--python", python, *install, "--find-links", folder_of_wheels)
    return python.parent


@pytest.fixture
def home(programs: Path, tmp_path: Path) -> Iterator[Path]:
    """The home of a service that the installed command has started."""
    home = tmp_path / "home"
    run(programs / "azureml-local", "up", "--detach", "--port", "0", "--home", home, folder=tmp_path)
    yield home
    subprocess.run([programs / "azureml-local", "down", "--home", home], capture_output=True, check=False)


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    files = {path.relative_to(PACKAGE.parent).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == {file for file in files if not NOT_SHIPPED.search(file)}


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size <= 2 * MEGABYTE


def test_every_package_that_the_service_imports_is_a_declared_dependency() -> None:
    declared = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    providers, missing = packages_distributions(), set[str]()
    for file in PACKAGE.rglob("*.py"):
        if file.relative_to(PACKAGE).parts[0] == "worker":
            continue
        for name in imported(file) - sys.stdlib_module_names - OPTIONAL - {"azureml_local"}:
            if not {canonicalize_name(one) for one in providers.get(name, [])} & declared:
                missing.add(f"{file.name} imports {name}")
    assert missing == set()


def imported(file: Path) -> set[str]:
    """First names of the modules that a file imports."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def test_the_command_says_its_version(programs: Path) -> None:
    assert run(programs / "azureml-local", "--version") == f"azureml-local {__version__}\n"


def test_the_sdk_talks_to_the_service_that_an_empty_environment_starts(programs: Path, home: Path) -> None:
    with attached(home) as service:
        assert service.ml_client().workspaces.get("ws-local").location == "eastus"
    assert run(programs / "azureml-local", "env", "--home", home) == (home / "azure.env").read_text()
    assert "has ended" in run(programs / "azureml-local", "down", "--home", home)


def test_the_environment_has_neither_airflow_nor_the_sdk(programs: Path) -> None:
    code = "import importlib.util as u; print([n for n in ('airflow', 'azure', 'torch') if u.find_spec(n)])"
    assert run(programs / "python", "-c", code) == "[]\n"
