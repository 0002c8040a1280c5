"""How an endpoint's traffic is split and mirrored: what is refused, and whose turn it is."""

from __future__ import annotations

import random
from collections.abc import Mapping

from azureml_local.arm.grammar import ArmError, Json

# Per cent by deployment.
Shares = Mapping[str, int]
# Per cent of all traffic.
WHOLE = 100
# Per cent of the traffic that may be mirrored. Source: the page on safe rollout of online endpoints.
MIRRORED = 50


def check(endpoint: str, traffic: Shares | None, deployments: set[str]) -> Json:
    """The shares of live traffic, checked: to deployments that are there, 0 or 100 in all.

    Raises:
        ArmError: 400.
    """
    checked = _known(endpoint, traffic, deployments)
    total = sum((traffic or {}).values())
    if total not in (0, WHOLE):
        raise _refusal(f"Traffic sums to {total} per cent: it must be 0 or {WHOLE}.")
    return checked


def check_mirror(endpoint: str, mirrored: Shares | None, deployments: set[str], live: Shares) -> Json:
    """The shares of mirrored traffic, checked: one deployment without live traffic, 50 per cent at most.

    Raises:
        ArmError: 400.
    """
    checked = _known(endpoint, mirrored, deployments)
    total = sum((mirrored or {}).values())
    if total > MIRRORED:
        raise _refusal(f"Traffic sums to {total} per cent: it must be 0 or {MIRRORED}.")
    named = [name for name, share in checked.items() if share]
    if len(named) > 1 or any(live.get(name) for name in named):
        raise ArmError(
            400,
            "BadArgument",
            f"Mirror traffic names {', '.join(named)}: give it to one deployment that has no live traffic.",
            target="mirrorTraffic",
        )
    return checked


def _known(endpoint: str, traffic: Shares | None, deployments: set[str]) -> Json:
    """The shares of the deployments that are there; refuses one of another."""
    traffic = traffic or {}
    if not all(0 <= share <= WHOLE for share in traffic.values()):
        raise _refusal(f"Traffic {dict(traffic)!r} is no map of deployments to whole per cents.")
    unknown = sorted(name for name, share in traffic.items() if share and name not in deployments)
    if unknown:
        raise _refusal(
            f"Traffic names {unknown[0]!r}, which endpoint {endpoint!r} has not; "
            f"it has: {', '.join(sorted(deployments)) or 'none'}."
        )
    return {name: share for name, share in traffic.items() if name in deployments}


def _refusal(message: str) -> ArmError:
    return ArmError(400, "BadArgument", message, target="traffic")


def draw(shares: Shares) -> str | None:
    """A deployment drawn by its share; None if none has any."""
    live = {name: share for name, share in shares.items() if share}
    if not live:
        return None
    return random.choices(list(live), list(live.values()))[0]  # noqa: S311 - spreads load, guards nothing


def draw_mirrors(shares: Shares) -> list[str]:
    """The deployments that get a copy of this request."""
    return [name for name, share in shares.items() if random.random() * WHOLE < share]  # noqa: S311 - as above
