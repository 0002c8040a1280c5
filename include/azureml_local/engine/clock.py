"""Time as a policy: how long a resource stays in a passing state.

``immediate``: not at all. ``timed``: the table's seconds. ``manual``: until ``POST /_local/time/advance``.
Tests choose a policy; nothing in the service calls ``sleep`` for its own sake.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Literal, cast, get_args

from azureml_local.engine.lifecycle import Part

Policy = Literal["immediate", "timed", "manual"]

# Seconds that a passing state lasts under `timed`, by noun; what is not listed passes at once.
SECONDS: dict[str, float] = {
    "computes": 1.0,
    "onlineEndpoints": 1.0,
    "onlineDeployments": 1.0,
    "jobs": 0.5,
    "registryAssets": 0.5,
}


class Clock(Part):
    """Waits on behalf of the nouns, under one policy each."""

    def __init__(self, policy: str) -> None:
        self._first = self._default = self.checked(policy)
        self._policies: dict[str, Policy] = {}
        self.seconds = dict(SECONDS)
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    @staticmethod
    def checked(policy: str) -> Policy:
        """The policy of that name; ValueError if there is none."""
        if policy not in get_args(Policy):
            raise ValueError(f"Time policy {policy!r} does not exist: use immediate, timed or manual.")
        return cast(Policy, policy)

    def clear(self) -> None:
        """Back to the policy of the start."""
        self.set(self._first)

    def policy(self, noun: str) -> Policy:
        """The policy in force for a noun."""
        return self._policies.get(noun, self._default)

    def set(self, policy: str, noun: str | None = None, seconds: float | None = None) -> None:
        """Set the policy of one noun, or of all; ``seconds`` sets how long ``timed`` lasts for the noun."""
        chosen = self.checked(policy)
        if noun is None:
            self._default = chosen
            self._policies.clear()
        else:
            self._policies[noun] = chosen
            if seconds is not None:
                self.seconds[noun] = seconds
        self.advance(noun)

    def advance(self, noun: str | None = None) -> None:
        """Let all that waits under ``manual`` go on: for one noun, or for all."""
        for name in [noun] if noun else list(self._gates):
            self._gates.pop(name, asyncio.Event()).set()

    async def wait(self, noun: str) -> None:
        """Return when the noun's passing state is over."""
        policy = self.policy(noun)
        if policy == "timed":
            await asyncio.sleep(self.seconds.get(noun, 0.0))
        elif policy == "manual":
            await self._gates[noun].wait()

    def as_json(self) -> dict[str, object]:
        """What the control route shows."""
        return {"policy": self._default, "nouns": dict(self._policies), "seconds": dict(self.seconds)}
