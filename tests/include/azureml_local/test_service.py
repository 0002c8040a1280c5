"""The service composes every part that a route declares, and every part takes the same lifecycle."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from azureml_local.control import snapshots
from azureml_local.engine.store import Store
from azureml_local.front.app import ROUTERS
from azureml_local.mlflow.metrics import MetricStore, Point
from azureml_local.service import Service
from azureml_local.settings import Settings


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(Settings(tmp_path, 8443, "immediate", tmp_path, tmp_path / "python", tmp_path, tmp_path))


def kinds(dependant: Dependant) -> Iterator[type]:
    """The parts that a route and its dependencies declare."""
    for below in dependant.dependencies:
        yield from kinds(below)
        found: Any = inspect.getclosurevars(below.call).nonlocals if inspect.isfunction(below.call) else {}
        yield from [found["kind"]] if "kind" in found else []


def test_every_part_that_a_route_declares_is_composed(service: Service) -> None:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    declared = {kind for route in routes for kind in kinds(route.dependant)}
    assert len(declared) > 10
    assert declared <= {Settings, *(type(part) for part in service.parts)}


def test_no_type_stands_twice_among_the_parts(service: Service) -> None:
    assert len({type(part) for part in service.parts}) == len(service.parts)


def test_a_reset_forgets_the_state_of_every_part_and_a_snapshot_brings_it_back(
    service: Service, tmp_path: Path
) -> None:
    files = [
        tmp_path / "blobs" / "localstore" / "azureml" / "a.txt",
        tmp_path / "hub" / "own--data" / "b.txt",
    ]

    def there() -> list[bool]:
        found = store.get("experiments", "mine") is not None
        return [found, bool(metrics.latest("run")), *(file.exists() for file in files)]

    store = next(part for part in service.parts if isinstance(part, Store))
    metrics = next(part for part in service.parts if isinstance(part, MetricStore))

    async def scenario() -> None:
        await service.start()
        store.put("experiments", "mine", {})
        metrics.append("run", [Point("loss", 1.0, 0, 0)])
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        await snapshots.save(service, "kept")
        await snapshots.reset(service)
        assert there() == [False] * 4
        assert len(store.list("datastores")) == 2
        await snapshots.restore(service, "kept")
        assert there() == [True] * 4
        await service.stop()
        assert not service.ready

    asyncio.run(scenario())
