"""Requests that ``schemathesis`` draws from the published contract: right ones, and ones that break it."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import requests
import schemathesis
from schemathesis import Case, GenerationMode

from tests.support.azureml_service import AzureMLLocal
from tests.support.contract import SHARED

_PROVIDER = "machinelearningservices/resource-manager/Microsoft.MachineLearningServices/preview"
# Contract, and what stands before its paths here.
CONTRACTS = {
    f"swagger/{_PROVIDER}/2024-10-01-preview/mfe.json": "",
    f"swagger/{_PROVIDER}/2024-10-01-preview/machineLearningServices.json": "",
    f"swagger/{_PROVIDER}/2024-10-01-preview/workspaceRP.json": "",
    f"private-planes/{_PROVIDER}/2021-10-01-dataplanepreview/mfe.json": "/mferp/managementfrontend",
    f"private-planes/{_PROVIDER}/runhistory/run-history.json": "",
}
# Names that come again and again, so that a request meets what an earlier one made.
NAMES = ("alpha-1", "beta-22", "1", "2")
# Requests of an operation in each round after the first.
EACH = 6


@dataclass(frozen=True)
class Contract:
    """The operations of one document, and the prefix of their paths."""

    name: str
    prefix: str
    operations: tuple[Any, ...]


@cache
def contracts() -> tuple[Contract, ...]:
    """All documents, parsed; some seconds."""
    found = []
    for name, prefix in CONTRACTS.items():
        schema = schemathesis.openapi.from_path(SHARED / name)
        operations = [result.ok() for result in schema.get_all_operations() if result.ok() is not None]
        # Whatever makes something comes before what reads and removes it.
        operations.sort(key=lambda one: ("put", "post", "patch", "get", "head", "delete").index(one.method))
        found.append(Contract(Path(name).name, prefix, tuple(operations)))
    return tuple(found)


def cases(operation: Any, number: int, seed: int) -> list[Case]:
    """So many requests of an operation: every other one breaks the contract, where that can be done."""
    right = _draw(operation.as_strategy(GenerationMode.POSITIVE), (number + 1) // 2, seed)
    return right + _draw(operation.as_strategy(GenerationMode.NEGATIVE), number // 2, seed)


def _draw(strategy: Any, number: int, seed: int) -> list[Case]:
    drawn: list[Case] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=max(number, 1),
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def keep(case: Case) -> None:
        drawn.append(case)

    # An operation without parameters or body cannot be broken.
    with contextlib.suppress(hypothesis.errors.Unsatisfiable):
        keep()
    return drawn[:number]


def sent(
    service: AzureMLLocal,
    contract: Contract,
    case: Case,
    chance: random.Random,
    token: dict[str, str],
    sender: requests.Session,
) -> Any:
    """Send a request below the workspace that there is, mostly, and return the answer."""
    env = service.environment
    known = {
        "subscriptionId": env["AZURE_SUBSCRIPTION_ID"],
        "resourceGroupName": env["AZURE_RESOURCE_GROUP"],
        "workspaceName": env["AZURE_ML_WORKSPACE"],
        "registryName": env["AZURE_ML_REGISTRY"],
        "location": "eastus",
    }
    for name in case.path_parameters or {}:
        if chance.random() < 0.95 and name in known:
            case.path_parameters[name] = known[name]
        elif chance.random() < 0.7 and name not in known:
            case.path_parameters[name] = chance.choice(NAMES)
    if chance.random() < 0.95:
        case.query = {**(case.query or {}), "api-version": "2024-10-01-preview"}
    # What a header needs is not the service's to read: the token alone is.
    case.headers.pop("Authorization", None)
    return case.call(
        base_url=service.base_url + contract.prefix,
        verify=str(service.home / "ca.pem"),
        headers=token,
        session=sender,
        timeout=60,
    )


def problem(status: int, method: str, body: Callable[[], Any]) -> str | None:
    """What is wrong with an answer: a 5xx other than 501, or an error that is not in ARM's envelope."""
    if status >= 500 and status != 501:
        return f"answered {status}"
    if status < 400 or method.upper() == "HEAD":
        return None
    try:
        error = body()["error"]
    except (ValueError, KeyError, TypeError):
        return f"answered {status} without ARM's envelope"
    if not all(isinstance(error.get(name), str) and error[name] for name in ("code", "message")):
        return f"answered {status} without code and message"
    return None


def run(service: AzureMLLocal, count: int, seed: int) -> Iterator[tuple[str, int, str | None]]:
    """Send so many requests, round by round; yields operation, status and what is wrong.

    An operation that is not served is asked once.
    """
    chance, token, sender = random.Random(seed), service.token(), requests.Session()
    left = [(contract, one) for contract in contracts() for one in contract.operations]
    number, rounds = 0, itertools.count(seed)
    while number < count and left:
        again, each = [], 1 if number == 0 else EACH
        for contract, operation in left:
            statuses = []
            for case in cases(operation, each, next(rounds)):
                answer = sent(service, contract, case, chance, token, sender)
                statuses.append(answer.status_code)
                yield _judged(contract, operation, case, answer)
            number += len(statuses)
            if set(statuses) != {501}:
                again.append((contract, operation))
            if number >= count:
                return
        left = again


def _judged(contract: Contract, operation: Any, case: Case, answer: Any) -> tuple[str, int, str | None]:
    label = f"{contract.name} {operation.method.upper()} {operation.path}"
    wrong = problem(answer.status_code, operation.method, answer.json)
    told = f"{wrong}: {answer.text[:300]}\n    {case.as_curl_command()[:600]}" if wrong else None
    return label, answer.status_code, told
