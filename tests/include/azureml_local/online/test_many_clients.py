"""Fifty clients score at once: whoever is let in is answered, and nobody gets a 502 that is the service's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from azure.ai.ml import MLClient
from azure.ai.ml.entities import OnlineRequestSettings, ProbeSettings

from tests.support.azureml_service import AzureMLLocal
from tests.support.serving_service import key_of

CLIENTS, EACH = 50, 6


def statuses(service: AzureMLLocal, headers: dict[str, str], endpoint: str, body: Any) -> Counter[int]:
    """What each of many clients gets that ask at once, again and again, each over a connection of its own."""

    def ask(_: int) -> list[int]:
        certificate = str(service.home / "ca.pem")
        with httpx.Client(base_url=service.base_url, verify=certificate, timeout=120) as client:
            url = f"/inference/{endpoint}/score"
            return [client.post(url, json=body, headers=headers).status_code for _ in range(EACH)]

    with ThreadPoolExecutor(CLIENTS) as pool:
        return Counter(status for answers in pool.map(ask, range(CLIENTS)) for status in answers)


def test_a_burst_of_new_connections_is_no_502(
    service: AzureMLLocal, client: MLClient, endpoint: str, deploy: Callable[..., Any]
) -> None:
    """The stand-in takes five new connections at once, and its system resets the others."""
    settings = OnlineRequestSettings(max_concurrent_requests_per_instance=CLIENTS, request_timeout_ms=120_000)
    deploy("wide", request_settings=settings)
    headers = {**key_of(client, endpoint), "azureml-model-deployment": "wide"}
    assert statuses(service, headers, endpoint, {"sleep": 0.5}) == {200: CLIENTS * EACH}


def test_who_is_not_let_in_gets_a_429_and_the_container_lives_on(
    service: AzureMLLocal, client: MLClient, endpoint: str, deploy: Callable[..., Any]
) -> None:
    probe = ProbeSettings(initial_delay=1, period=1, timeout=2, failure_threshold=3)
    deploy("narrow", liveness_probe=probe, request_settings=OnlineRequestSettings(request_timeout_ms=120_000))
    headers = {**key_of(client, endpoint), "azureml-model-deployment": "narrow"}
    seen = statuses(service, headers, endpoint, {})
    assert set(seen) == {200, 429}
    log = client.online_deployments.get_logs("narrow", endpoint, lines=200)
    assert "Liveness probe failed" not in log
