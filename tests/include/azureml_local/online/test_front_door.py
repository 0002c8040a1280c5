"""The front door of online endpoints: who comes in, who answers, what is refused."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.ai.ml.entities import OnlineRequestSettings, ProbeSettings
from azure.core.exceptions import HttpResponseError

from tests.support.serving_service import Serving


@pytest.fixture(scope="module")
def endpoint(here: Serving) -> Iterator[str]:
    """An endpoint with two deployments, ``blue`` and ``green``."""
    with here.endpoint() as name:
        here.deploy(name, "blue")
        here.deploy(name, "green")
        yield name


def at_once(here: Serving, endpoint: str, bodies: list[Any], **headers: str) -> list[httpx.Response]:
    """Ask with all the bodies at the same time."""
    url, given = f"{here.service.base_url}/inference/{endpoint}/score", {**here.key(endpoint), **headers}
    context = ssl.create_default_context(cafile=str(here.service.home / "ca.pem"))

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(verify=context, timeout=60) as client:
            return await asyncio.gather(*(client.post(url, json=body, headers=given) for body in bodies))

    return asyncio.run(ask())


def test_traffic_is_split_in_per_cent_and_a_header_picks_a_deployment(here: Serving, endpoint: str) -> None:
    here.traffic(endpoint, blue=80, green=20)
    key, url = here.key(endpoint), f"/inference/{endpoint}/score"
    answers = Counter(
        here.service.http.post(url, json={}, headers=key).headers["azureml-model-deployment"]
        for _ in range(300)
    )
    # Four standard deviations of 300 draws with probability 0.2.
    assert abs(answers["green"] - 60) <= 28
    assert answers.total() == 300
    picked = {here.score(endpoint, {}, **{"azureml-model-deployment": "green"}).json()["name"] for _ in "123"}
    assert picked == {"green"}


def asked(here: Serving, endpoint: str, name: str) -> int:
    """Requests that a deployment's script says it had."""
    return sum(line.startswith("asked") for line in here.log(endpoint, name).splitlines())


def test_mirrored_traffic_is_really_copied_and_changes_no_answer(here: Serving, endpoint: str) -> None:
    here.traffic(endpoint, {"green": 50}, blue=100, green=0)
    assert here.client.online_endpoints.get(endpoint).mirror_traffic == {"green": 50}
    before = asked(here, endpoint, "green")
    key, url = here.key(endpoint), f"/inference/{endpoint}/score"
    names = {here.service.http.post(url, json={}, headers=key).json()["name"] for _ in range(60)}
    assert names == {"blue"}
    deadline = time.monotonic() + 10
    while (copies := asked(here, endpoint, "green") - before) < 14:
        assert time.monotonic() < deadline, f"only {copies} of 60 requests were copied"
    assert copies <= 46
    # A copy that fails, or takes long, is nobody's business.
    slow = here.score(endpoint, {"fail": False, "sleep": 0})
    assert slow.headers["azureml-model-deployment"] == "blue"
    here.traffic(endpoint, blue=100, green=0)


@pytest.mark.parametrize("mirror", [{"green": 60}, {"blue": 10}, {"blue": 10, "green": 10}, {"nobody": 10}])
def test_mirroring_that_azure_would_not_take_is_refused(
    here: Serving, endpoint: str, mirror: dict[str, int]
) -> None:
    with pytest.raises(HttpResponseError) as refused:
        here.traffic(endpoint, mirror, blue=100)
    assert refused.value.status_code == 400


def test_keys_are_replaced_and_the_old_one_is_worth_nothing(here: Serving, endpoint: str) -> None:
    here.traffic(endpoint, blue=100)
    old, url = here.key(endpoint), f"/inference/{endpoint}/score"
    assert here.service.http.post(url, json={}, headers=old).status_code == 200
    here.client.online_endpoints.begin_regenerate_keys(endpoint, key_type="primary").result()
    assert here.service.http.post(url, json={}, headers=old).status_code == 401
    assert here.score(endpoint, {}).status_code == 200


def test_an_endpoint_of_tokens_takes_its_own_tokens_and_no_others(
    here: Serving, tmp_path: Path, endpoint: str
) -> None:
    with here.endpoint("aml_token") as guarded:
        here.deploy(guarded, "demo")
        here.traffic(guarded, demo=100)
        token = here.client.online_endpoints.get_keys(guarded)
        assert token.token_type == "Bearer"
        assert token.expiry_time_utc > token.refresh_after_time_utc > time.time()
        assert here.score(guarded, {}).status_code == 200
        (tmp_path / "body.json").write_text("{}")
        text = here.client.online_endpoints.invoke(guarded, request_file=str(tmp_path / "body.json"))
        assert json.loads(text)["result"] == 42
        url = f"/inference/{guarded}/score"
        for foreign in (here.service.token(), here.key(endpoint), {}):
            assert here.service.http.post(url, json={}, headers=foreign).status_code == 401
        address = here.service.arm("GET", f"/onlineEndpoints/{guarded}").url
        own = here.key(guarded)
        assert here.service.http.get(address, headers=own).status_code == 401, "it opens ARM as well"
        refused = here.service.arm(
            "POST", f"/onlineEndpoints/{guarded}/listKeys", version="2022-02-01-preview"
        )
        assert refused.status_code == 400
    refused = here.service.arm("POST", f"/onlineEndpoints/{endpoint}/token", version="2022-02-01-preview")
    assert refused.status_code == 400


def test_more_requests_than_twice_the_concurrency_are_429_and_the_rest_wait_their_turn(here: Serving) -> None:
    with here.endpoint() as busy:
        settings = OnlineRequestSettings(max_concurrent_requests_per_instance=2, request_timeout_ms=30000)
        here.deploy(busy, "demo", request_settings=settings)
        here.traffic(busy, demo=100)
        answers = at_once(here, busy, [{"sleep": 0.5}] * 10)
        assert Counter(answer.status_code for answer in answers) == {200: 4, 429: 6}
        assert here.score(busy, {}).status_code == 200


def test_a_request_whose_time_is_spent_in_the_queue_is_408(here: Serving) -> None:
    with here.endpoint() as busy:
        here.deploy(busy, "demo", request_settings=OnlineRequestSettings(request_timeout_ms=1500))
        here.traffic(busy, demo=100)
        answers = at_once(here, busy, [{"sleep": 1.2}, {"sleep": 1.2}])
        assert sorted(answer.status_code for answer in answers) == [200, 408]


def test_no_endpoint_and_no_traffic_are_404(here: Serving) -> None:
    assert here.service.http.post("/inference/nobody/score", json={}).status_code == 404
    with here.endpoint() as empty:
        assert here.score(empty, {}).status_code == 404
        named = here.score(empty, {}, **{"azureml-model-deployment": "grey"})
        assert named.status_code == 404
        assert here.service.http.get(f"/inference/{empty}/").status_code == 502


def test_a_container_that_dies_is_502_until_it_is_back(here: Serving) -> None:
    with here.endpoint() as mortal:
        here.deploy(mortal, "demo")
        here.traffic(mortal, demo=100)
        first = here.score(mortal, {}).json()["pid"]
        assert here.score(mortal, {"die": True}).status_code == 502
        deadline = time.monotonic() + 20
        while (answer := here.score(mortal, {})).status_code != 200:
            assert answer.status_code == 502
            assert time.monotonic() < deadline, "the container did not come back"
        assert answer.json()["pid"] != first


def test_a_container_that_hangs_is_ended_by_its_liveness_probe_and_comes_back(here: Serving) -> None:
    probe = ProbeSettings(initial_delay=20, period=1, timeout=1, failure_threshold=2)
    with here.endpoint() as hanging:
        here.deploy(hanging, "demo", liveness_probe=probe)
        here.traffic(hanging, demo=100)
        first = here.score(hanging, {}).json()["pid"]
        assert here.score(hanging, {"stop": True}).status_code in (408, 502)
        deadline = time.monotonic() + 40
        while (answer := here.score(hanging, {})).status_code != 200:
            assert time.monotonic() < deadline, "the container did not come back"
        assert answer.json()["pid"] != first
        assert "Liveness probe failed 2 times" in here.log(hanging, "demo")
