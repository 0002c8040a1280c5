"""How many requests ARM takes: a token bucket for reads, for writes and for deletions of the subscription.

Source: the page of request limits and throttling of Azure Resource Manager, the architecture of 2024: a
principal has 250 reads refilled by 25 a second, and 200 writes and deletions refilled by 10; all principals
together have fifteen times that. The latter is the default here, where every client is the same principal.
"""

from __future__ import annotations

import math
import time
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.lifecycle import Part

Kind = Literal["reads", "writes", "deletes"]
_KINDS: Final[dict[str, Kind]] = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
# Seconds of Retry-After where a bucket is not refilled.
_NEVER: Final = 3600


class Limit(BaseModel):
    """The size of a bucket in requests, and what comes back each second; a refill of 0 is never."""

    model_config = ConfigDict(extra="forbid")

    bucket: int = Field(ge=1)
    refill: float = Field(ge=0)


DEFAULTS: Final[dict[Kind, Limit]] = {
    "reads": Limit(bucket=15 * 250, refill=15 * 25),
    "writes": Limit(bucket=15 * 200, refill=15 * 10),
    "deletes": Limit(bucket=15 * 200, refill=15 * 10),
}


class Taken(NamedTuple):
    """The outcome of one request: the header that says what is left, and the refusal if there was nothing."""

    header: tuple[bytes, bytes]
    refusal: ArmError | None


class Throttling(Part):
    """The buckets; full at the start and after every change."""

    def __init__(self) -> None:
        self.known = dict(DEFAULTS)
        self._left: dict[Kind, float] = {}
        self._seen = time.monotonic()
        self.set({})

    def clear(self) -> None:
        """Back to the published numbers."""
        self.set(DEFAULTS)

    def set(self, changes: dict[Kind, Limit]) -> None:
        """Change some limits; all buckets are full again."""
        self.known |= changes
        self._left = {kind: float(limit.bucket) for kind, limit in self.known.items()}

    def take(self, method: str) -> Taken:
        """Count one request of this HTTP method."""
        kind = _KINDS.get(method, "writes")
        self._refill()
        if self._left[kind] < 1:
            return Taken(_header(kind, 0), self._refusal(kind))
        self._left[kind] -= 1
        return Taken(_header(kind, int(self._left[kind])), None)

    def _refill(self) -> None:
        passed, self._seen = time.monotonic() - self._seen, time.monotonic()
        for kind, limit in self.known.items():
            self._left[kind] = min(float(limit.bucket), self._left[kind] + passed * limit.refill)

    def _refusal(self, kind: Kind) -> ArmError:
        refill = self.known[kind].refill
        seconds = math.ceil((1 - self._left[kind]) / refill) if refill else _NEVER
        message = f"The {kind} of the subscription exceed their limit: try again after {seconds} seconds."
        return ArmError(429, "TooManyRequests", message, headers={"Retry-After": str(max(1, seconds))})


def _header(kind: Kind, left: int) -> tuple[bytes, bytes]:
    return f"x-ms-ratelimit-remaining-subscription-{kind}".encode(), str(left).encode()
