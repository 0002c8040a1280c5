"""Nodes of a cluster go to whoever came first, and come back however a step ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from azureml_local.arm.grammar import ArmError
from azureml_local.compute.nodes import Nodes
from azureml_local.engine.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "state.db")
    found.put("computes", "two", {"properties": {"properties": {"scaleSettings": {"maxNodeCount": 2}}}})
    return found


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_step_waits_for_all_its_nodes_and_is_not_overtaken(store: Store) -> None:
    async def scenario() -> list[str]:
        nodes, began = Nodes(store), list[str]()
        ends = {name: asyncio.Event() for name in "abc"}

        async def step(name: str, wanted: int) -> None:
            async with nodes.take("two", wanted):
                began.append(name)
                await ends[name].wait()

        tasks = [asyncio.create_task(step(name, wanted)) for name, wanted in (("a", 1), ("b", 2), ("c", 1))]
        await settle()
        assert (began, nodes.in_use("two")) == (["a"], 1)
        ends["a"].set()
        await settle()
        assert (began, nodes.in_use("two")) == (["a", "b"], 2)
        ends["b"].set()
        ends["c"].set()
        await asyncio.gather(*tasks)
        assert nodes.in_use("two") == 0
        return began

    assert asyncio.run(scenario()) == ["a", "b", "c"]


@pytest.mark.parametrize("at", ["waiting", "just given", "running"])
def test_a_cancelled_step_leaves_its_nodes_and_its_place(store: Store, at: str) -> None:
    async def scenario() -> None:
        nodes, first = Nodes(store), asyncio.Event()

        async def step(wanted: int, until: asyncio.Event) -> None:
            async with nodes.take("two", wanted):
                await until.wait()

        running = asyncio.create_task(step(2, first))
        await settle()
        cancelled = asyncio.create_task(step(2, asyncio.Event()))
        await settle()
        if at != "waiting":
            first.set()
            await (running if at == "just given" else settle())
        cancelled.cancel()
        await asyncio.wait([cancelled])
        first.set()
        await running
        assert nodes.in_use("two") == 0
        async with asyncio.timeout(5), nodes.take("two", 2):
            assert nodes.in_use("two") == 2

    asyncio.run(scenario())


def test_a_thousand_steps_in_line_are_served_one_after_another(store: Store) -> None:
    async def scenario() -> int:
        nodes, most = Nodes(store), 0

        async def step() -> None:
            nonlocal most
            async with nodes.take("two", 1):
                most = max(most, nodes.in_use("two"))
                await asyncio.sleep(0)

        await asyncio.gather(*(step() for _ in range(1000)))
        return most

    assert asyncio.run(scenario()) == 2


def test_who_waits_for_a_cluster_that_is_deleted_is_told(store: Store) -> None:
    async def scenario() -> None:
        nodes = Nodes(store)
        async with nodes.take("two", 2):
            waiting = asyncio.create_task(nodes.take("two", 1).__aenter__())
            await settle()
            store.delete("computes", "two")
        with pytest.raises(ArmError, match="cannot be found"):
            await waiting

    asyncio.run(scenario())


def test_who_waits_for_a_cluster_that_is_deleted_does_not_get_nodes_of_a_new_one(store: Store) -> None:
    async def scenario() -> None:
        nodes = Nodes(store)
        async with nodes.take("two", 2):
            waiting = asyncio.create_task(nodes.take("two", 1).__aenter__())
            await settle()
            nodes.dismiss("two")
        with pytest.raises(ArmError, match="cannot be found"):
            await waiting
        assert nodes.in_use("two") == 0
        async with asyncio.timeout(5), nodes.take("two", 2):
            assert nodes.in_use("two") == 2

    asyncio.run(scenario())
