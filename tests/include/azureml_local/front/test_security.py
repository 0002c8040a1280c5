"""Who may ask what: every route needs a token but those that Azure leaves open."""

from __future__ import annotations

import re
import time

import httpx
import jwt
import pytest
from fastapi.routing import APIRoute

from azureml_local.engine.identity import TRACKING
from azureml_local.front.app import ROUTERS
from azureml_local.routing import GuardedRoute
from tests.support.azureml_service import AzureMLLocal
from tests.support.waiting import wait_for

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
    guarded = isinstance(route, GuardedRoute)
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


ARM, DATA_PLANE, STORAGE = (
    "https://management.azure.com/",
    "https://ml.azure.local",
    "https://storage.azure.com/",
)
# Plane, address below the service, and the audiences that open it.
PLANES = {
    "ARM": ("{id}/computes?api-version=2023-08-01-preview", {"", ARM}),
    "the registry": (
        "/mferp/managementfrontend{registry}/models?api-version=2021-10-01-dataplanepreview",
        {"", ARM, DATA_PLANE},
    ),
    "run history": ("/history/v1.0{id}/runs/none", {"", ARM, DATA_PLANE}),
    "MLflow": (
        "/mlflow/v1.0{id}/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default",
        {"", ARM, DATA_PLANE, TRACKING},
    ),
    "storage": ("/localstore.blob.core.azureml.local/azureml/none", {STORAGE}),
}
AUDIENCES = [
    "",
    ARM,
    DATA_PLANE,
    STORAGE,
    TRACKING,
    "https://graph.microsoft.com",
    "https://huggingface.co",
    "x",
]


def opened(azureml_local: AzureMLLocal, plane: str, headers: dict[str, str]) -> bool:
    """Whether a token lets its holder in; what is asked for may not exist."""
    workspace = str(azureml_local.arm("GET", "").json()["id"])
    registry = workspace.rpartition("/workspaces/")[0] + "/registries/azureml"
    url = PLANES[plane][0].format(id=workspace, registry=registry)
    answer = azureml_local.http.get(url, headers=headers)
    assert answer.status_code in (200, 401, 404), answer.text
    return answer.status_code != 401


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("plane", PLANES)
def test_a_token_opens_what_it_is_for_and_nothing_else(
    azureml_local: AzureMLLocal, plane: str, audience: str
) -> None:
    headers = azureml_local.token(audience)
    # Twice: a token that was checked before is remembered with its audience.
    for _ in range(2):
        assert opened(azureml_local, plane, headers) == (audience in PLANES[plane][1])


@pytest.mark.parametrize("mode", ["AMLToken", "AADToken"])
def test_an_endpoints_own_token_opens_that_endpoint_alone(azureml_local: AzureMLLocal, mode: str) -> None:
    name = f"own-{mode.lower()}"
    for each in (name, f"other-{mode.lower()}"):
        body = {"location": "eastus", "properties": {"authMode": mode}}
        azureml_local.arm("PUT", f"/onlineEndpoints/{each}", json=body).raise_for_status()
        wait_for(lambda each=each: settled(azureml_local, each), 30)  # type: ignore[misc]
    answer = azureml_local.arm("POST", f"/onlineEndpoints/{name}/token")
    own = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
    assert not any(opened(azureml_local, plane, own) for plane in PLANES)
    scores = {
        what: azureml_local.http.post(f"/inference/{endpoint}/score", json={}, headers=headers).status_code
        for what, endpoint, headers in (
            ("own", name, own),
            ("another's", f"other-{mode.lower()}", own),
            ("data plane", name, azureml_local.token(DATA_PLANE)),
            ("arm", name, azureml_local.token()),
        )
    }
    # 404: it came in, and there is no deployment.
    aad = mode == "AADToken"
    assert scores == {
        "own": 401 if aad else 404,
        "another's": 401,
        "data plane": 404 if aad else 401,
        "arm": 401,
    }


def settled(azureml_local: AzureMLLocal, endpoint: str) -> bool:
    properties = azureml_local.arm("GET", f"/onlineEndpoints/{endpoint}").json()["properties"]
    return bool(properties["provisioningState"] == "Succeeded")
