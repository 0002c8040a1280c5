"""The table of what is served is true: made from the routes, never stale, its refusals really refused."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from azureml_local.tools import fidelity
from tests.support.azureml_service import ROOT, AzureMLLocal

ROWS = [row for rows in fidelity.sections().values() for row in rows]


def test_the_document_is_what_the_code_says() -> None:
    stale = "docs/azureml-local-fidelity.md is stale: python -m azureml_local.tools.fidelity --write"
    assert fidelity.DOCUMENT.read_text() == fidelity.document(), stale


def test_every_operation_says_what_it_does() -> None:
    assert [row.operation for row in ROWS if not row.text] == []
    assert len(ROWS) > 100


def test_a_limit_belongs_to_an_operation_that_is_served() -> None:
    assert set(fidelity.notes().partly) <= {row.operation for row in ROWS}


def test_what_an_unquoted_colon_makes_of_a_text_is_refused() -> None:
    written = {**fidelity.notes().model_dump(), "differences": [{"A sentence": "cut at its colon"}]}
    with pytest.raises(ValidationError, match=r"differences\.0"):
        fidelity.Notes.model_validate(written)


def test_the_readme_leads_to_the_document() -> None:
    readme = ROOT / "include" / "azureml_local" / "README.md"
    links = re.findall(r"\]\(([^)]+)\)", readme.read_text())
    assert fidelity.DOCUMENT in [(readme.parent / link).resolve() for link in links]


@pytest.mark.parametrize("operation", fidelity.notes().not_served)
def test_what_is_not_served_is_answered_so(azureml_local: AzureMLLocal, operation: str) -> None:
    method, path = operation.split(" ", 1)
    answer = azureml_local.arm(method, "/" + re.sub(r"\{\w+\}", "x", path), json={"properties": {}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "NotImplemented")
