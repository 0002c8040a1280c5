"""What belongs to an endpoint or a deployment ends with it: nothing of it answers under the same name again."""

from __future__ import annotations

import pytest
from azure.ai.ml.entities import ManagedOnlineEndpoint
from azure.core.exceptions import HttpResponseError

from tests.support.serving_service import Serving, servers_of

NAME = "reborn"


def new_endpoint(here: Serving, auth_mode: str = "key") -> None:
    """Make the endpoint, which must not be there."""
    made = ManagedOnlineEndpoint(name=NAME, auth_mode=auth_mode)
    here.client.online_endpoints.begin_create_or_update(made).result()


def delete_endpoint(here: Serving) -> None:
    """Delete the endpoint with all that belongs to it."""
    here.client.online_endpoints.begin_delete(NAME).result()


def test_a_deleted_endpoints_model_does_not_answer_for_a_new_one_that_fails_to_start(here: Serving) -> None:
    new_endpoint(here)
    here.deploy(NAME, "demo", variables={"NAME": "deleted"})
    delete_endpoint(here)
    new_endpoint(here)
    broken = here.new_environment("reborn-broken", "dependencies: none")
    with pytest.raises(HttpResponseError, match="was not built"):
        here.deploy(NAME, "demo", environment=broken)
    # Whatever the failure had started would be up by the time that a later deployment is.
    here.deploy(NAME, "later")
    answer = here.score(NAME, {}, **{"azureml-model-deployment": "demo"})
    assert answer.status_code == 502, answer.text
    assert len(servers_of(here.service, "--scoring-script")) == 1
    delete_endpoint(here)


def test_the_keys_of_a_deleted_endpoint_do_not_open_a_new_one(here: Serving) -> None:
    new_endpoint(here)
    old = here.key(NAME)
    delete_endpoint(here)
    new_endpoint(here)
    assert here.service.http.post(f"/inference/{NAME}/score", json={}, headers=old).status_code == 401
    delete_endpoint(here)


def test_a_token_of_a_deleted_endpoint_does_not_open_a_new_one(here: Serving) -> None:
    new_endpoint(here, "aml_token")
    old = here.key(NAME)
    delete_endpoint(here)
    new_endpoint(here, "aml_token")
    assert here.service.http.post(f"/inference/{NAME}/score", json={}, headers=old).status_code == 401
    own = here.service.http.post(f"/inference/{NAME}/score", json={}, headers=here.key(NAME))
    assert own.status_code == 404
    delete_endpoint(here)


def test_the_traffic_of_a_deleted_deployment_does_not_go_to_a_new_one(here: Serving) -> None:
    new_endpoint(here)
    here.deploy(NAME, "live")
    here.deploy(NAME, "shadow")
    here.traffic(NAME, {"shadow": 10}, live=100, shadow=0)
    here.client.online_deployments.begin_delete("shadow", NAME).result()
    found = here.client.online_endpoints.get(NAME)
    assert (found.traffic, found.mirror_traffic) == ({"live": 100}, {})
    delete_endpoint(here)
