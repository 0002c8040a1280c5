"""What the contracts in pyproject.toml cannot say of the imports: no cycle anywhere, and no router left out."""

from __future__ import annotations

import re
import tomllib
from graphlib import TopologicalSorter
from typing import Any

import grimp
import pytest

from tests.support.azureml_service import ROOT

SERVICE = ROOT / "include" / "azureml_local"
SEES_ALL = {"control"}
"""Folders above the nouns, whose routes no noun could import."""


def contracts() -> dict[str, dict[str, Any]]:
    """The contracts by name."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return {contract["name"]: contract for contract in linter["contracts"]}


@pytest.mark.parametrize("package", ["azureml_local", "azure_ml", "include.finetune", "include.launcher"])
def test_no_module_imports_itself_by_way_of_others(package: str) -> None:
    """Imports under TYPE_CHECKING count."""
    graph = grimp.build_graph(package.partition(".")[0], cache_dir=None)
    modules = {module for module in graph.modules if f"{module}.".startswith(f"{package}.")}
    imports = {module: graph.find_modules_directly_imported_by(module) & modules for module in modules}
    TopologicalSorter(imports).prepare()


def test_the_contract_on_routes_names_every_module_that_has_a_router() -> None:
    files = (
        file for file in SERVICE.glob("*/*.py") if re.search(r"^router\b", file.read_text(), re.MULTILINE)
    )
    routers = {
        f"azureml_local.{file.parent.name}.{file.stem}" for file in files if file.parent.name not in SEES_ALL
    }
    named = set(contracts()["A noun imports no other noun's routes"]["forbidden_modules"])
    assert {module for module in routers if not module.endswith(".routes")} == named - {
        "azureml_local.*.routes"
    }


def test_the_contract_on_routes_holds_for_every_noun() -> None:
    sources = set(contracts()["A noun imports no other noun's routes"]["source_modules"])
    layers = contracts()["The local service has layers, and every folder is in one of them"]["layers"]
    nouns = next(layer for layer in layers if "jobs" in layer)
    assert sources == {f"azureml_local.{noun.strip()}" for noun in nouns.split(":")}
