"""Requests at a fixed rate, and what became of their latencies."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp


@dataclass(frozen=True)
class Outcome:
    """What a load did.

    Attributes:
        sent: requests sent.
        failed: requests that were not answered with 200.
        seconds: from the first request's turn to the last answer.
        p50: median latency in ms, from the moment at which a request was due.
        p99: 99th percentile, ms.
        most: the slowest, ms.
    """

    sent: int
    failed: int
    seconds: float
    p50: float
    p99: float
    most: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.sent / self.seconds


def outcome(latencies: Sequence[float], failed: int, seconds: float) -> Outcome:
    """Sum up latencies in seconds; empty is not allowed.

    Raises:
        ValueError: if there are none.
    """
    if not latencies:
        raise ValueError("No request was sent: give a rate and a time above 0.")
    ordered = sorted(latencies)

    def at(share: float) -> float:
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000

    return Outcome(len(ordered), failed, seconds, at(0.5), at(0.99), ordered[-1] * 1000)


async def at_rate(
    base: str, ca: str, headers: dict[str, str], paths: Sequence[str], *, rate: float, count: int
) -> Outcome:
    """Send ``count`` GETs over ``paths`` in turn, ``rate`` a second, however long the earlier ones take."""
    latencies: list[float] = []
    failed = 0
    connector = aiohttp.TCPConnector(limit=16, ssl=ssl.create_default_context(cafile=ca))
    async with aiohttp.ClientSession(base, connector=connector, headers=headers) as session:

        async def one(path: str, due: float) -> None:
            nonlocal failed
            async with session.get(path) as answer:
                await answer.read()
                failed += answer.status != 200
            latencies.append(time.perf_counter() - due)

        # The connections are made before the clock runs, as a client's pool has them.
        await asyncio.gather(*(one(path, 0.0) for path in (list(paths) * 16)[:16]))
        latencies.clear()
        start = time.perf_counter()
        tasks = []
        for number in range(count):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(one(paths[number % len(paths)], due)))
        await asyncio.gather(*tasks)
        return outcome(latencies, failed, time.perf_counter() - start)
