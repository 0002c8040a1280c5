"""Who may ask what: every route needs a token but those that Azure leaves open."""

from __future__ import annotations

import re
import time

import httpx
import jwt
import pytest
from fastapi.routing import APIRoute

from azureml_local.front.app import ROUTERS
from azureml_local.routing import require_token
from tests.support.azureml_service import AzureMLLocal

OPEN = re.compile(
    r"/metadata/endpoints|/msi/token|/discovery|/registrymanagement/|/_local/|/hub/|/localstore\.blob|/inference/"
    r"|/runs/|/endpoints/realtime/|/model/"
)
"""Address book, token service, control routes, Hub, storage (SAS or token), scoring (key or token), pages to read."""


def routes() -> list[APIRoute]:
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


@pytest.mark.parametrize(
    "route", routes(), ids=lambda route: f"{'/'.join(sorted(route.methods))} {route.path}"
)
def test_a_route_asks_for_a_token(route: APIRoute) -> None:
    guarded = require_token in [dependency.call for dependency in route.dependant.dependencies]
    assert guarded != bool(OPEN.match(route.path))


def ask(azureml_local: AzureMLLocal, token: str) -> httpx.Response:
    subscription = azureml_local.environment["AZURE_SUBSCRIPTION_ID"]
    path = f"/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/workspaces"
    return azureml_local.http.get(
        path, params={"api-version": "2024-10-01"}, headers={"Authorization": f"Bearer {token}"}
    )


def test_a_token_that_has_ended_is_refused(azureml_local: AzureMLLocal) -> None:
    good = azureml_local.token()["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(good, options={"verify_signature": False})
    key = (azureml_local.home / "secrets" / "signing.pem").read_text()
    ended = jwt.encode({**claims, "exp": int(time.time()) - 10}, key, algorithm="RS256")
    answer = ask(azureml_local, ended)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "ExpiredAuthenticationToken")
    assert ask(azureml_local, good).status_code == 200


def test_a_token_that_somebody_else_signed_is_refused(azureml_local: AzureMLLocal) -> None:
    claims = {"aud": azureml_local.base_url, "exp": int(time.time()) + 100}
    forged = jwt.encode(claims, "a-key-of-no-one-in-particular-here", algorithm="HS256")
    assert ask(azureml_local, forged).json()["error"]["code"] == "InvalidAuthenticationToken"


def test_a_token_carries_the_audience_that_was_asked_for(azureml_local: AzureMLLocal) -> None:
    from azure.identity import ManagedIdentityCredential

    token = ManagedIdentityCredential().get_token("https://ml.azure.local/.default").token
    assert jwt.decode(token, options={"verify_signature": False})["aud"] == "https://ml.azure.local"
