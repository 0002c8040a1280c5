"""Time is a policy: no test has to sleep."""

from __future__ import annotations

import asyncio

import pytest

from azureml_local.engine.clock import Clock


def test_under_immediate_nothing_waits() -> None:
    asyncio.run(asyncio.wait_for(Clock("immediate").wait("computes"), 1))


def test_under_manual_the_wait_ends_with_advance() -> None:
    async def scenario() -> None:
        clock = Clock("manual")
        waiting = asyncio.create_task(clock.wait("computes"))
        await asyncio.sleep(0)
        clock.advance("jobs")
        await asyncio.sleep(0)
        assert not waiting.done()
        clock.advance("computes")
        await asyncio.wait_for(waiting, 1)

    asyncio.run(scenario())


def test_one_advance_releases_all_that_wait_and_none_that_come_later() -> None:
    async def scenario() -> None:
        clock = Clock("manual")
        early = [asyncio.create_task(clock.wait("jobs")) for _ in range(2)]
        await asyncio.sleep(0)
        clock.advance()
        await asyncio.wait_for(asyncio.gather(*early), 1)
        late = asyncio.create_task(clock.wait("jobs"))
        await asyncio.sleep(0)
        assert not late.done()
        late.cancel()

    asyncio.run(scenario())


def test_a_policy_of_one_noun_leaves_the_others_alone() -> None:
    clock = Clock("immediate")
    clock.set("manual", "computes")
    assert clock.policy("computes") == "manual"
    assert clock.policy("jobs") == "immediate"


def test_changing_the_policy_releases_what_waits() -> None:
    async def scenario() -> None:
        clock = Clock("manual")
        waiting = asyncio.create_task(clock.wait("jobs"))
        await asyncio.sleep(0)
        clock.set("immediate")
        await asyncio.wait_for(waiting, 1)

    asyncio.run(scenario())


def test_an_unknown_policy_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(ValueError, match="'someday' does not exist: use immediate, timed or manual"):
        Clock("someday")
