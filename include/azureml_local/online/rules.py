"""What online endpoints and their deployments share: lookups, refusals, keys, traffic."""

from __future__ import annotations

import hmac
import re
import secrets
from typing import TYPE_CHECKING, Any

from azureml_local.arm.grammar import ArmError, Json, not_found
from azureml_local.engine.identity import SCORING
from azureml_local.engine.store import Document

if TYPE_CHECKING:
    from azureml_local.service import Service

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]")
"""Source: the limits page of managed online endpoints: 3 to 32 characters, a letter first, no dash last."""
WHOLE = 100
"""Per cent of all traffic."""
MIRRORED = 50
"""Per cent of the traffic that may be mirrored. Source: the page on safe rollout of online endpoints."""


def check_name(what: str, name: str) -> None:
    """Refuse a name that the service would not take.

    Raises:
        ArmError: 400.
    """
    if not _NAME.fullmatch(name):
        raise ArmError(
            400,
            "BadArgument",
            f"{what} name {name!r} is not valid: use 3 to 32 letters, digits and dashes, "
            "a letter first, no dash last.",
            target=name,
        )


def endpoint(local: Service, name: str) -> Document:
    """The endpoint of that name.

    Raises:
        ArmError: 404 if there is none.
    """
    found = local.store.get("onlineEndpoints", name)
    if found is None:
        raise not_found("The online endpoint", name, "the workspace")
    return found


def deployment(local: Service, endpoint_name: str, name: str) -> Document:
    """A deployment of an endpoint.

    Raises:
        ArmError: 404 if there is none.
    """
    endpoint(local, endpoint_name)
    found = local.store.get("onlineDeployments", f"{endpoint_name}/{name}")
    if found is None:
        raise not_found("The deployment", name, f"endpoint {endpoint_name}")
    return found


def deployments(local: Service, endpoint_name: str) -> list[Document]:
    """All deployments of an endpoint, oldest first."""
    return local.store.list("onlineDeployments", f"{endpoint_name}/")


def refuse_if_busy(local: Service, endpoint_name: str, deployment_name: str = "") -> None:
    """Refuse a change while another is under way on the endpoint or, if named, the deployment.

    Raises:
        ArmError: 409.
    """
    busy = local.operations.active("onlineEndpoints", endpoint_name)
    if busy is None and deployment_name:
        busy = local.operations.active("onlineDeployments", f"{endpoint_name}/{deployment_name}")
    if busy is not None:
        raise ArmError(
            409,
            "Conflict",
            f"{busy['key']!r} cannot be changed now: its {busy['name'].partition('.')[2]} is going on. "
            "Wait until it has ended.",
            target=busy["key"],
        )


def check_traffic(
    local: Service, endpoint_name: str, traffic: Any, *, most: int = WHOLE, whole: bool = True
) -> Json:
    """The traffic map, checked: per cent by deployment, to deployments that are there, 0 or 100 in all.

    Args:
        local: the service.
        endpoint_name: the endpoint.
        traffic: what the client sent.
        most: the most that the sum may be.
        whole: whether the sum must be 0 or ``most``.

    Raises:
        ArmError: 400.
    """
    if traffic is None:
        return {}
    if not isinstance(traffic, dict) or not all(
        isinstance(share, int) and not isinstance(share, bool) and 0 <= share <= WHOLE
        for share in traffic.values()
    ):
        raise ArmError(
            400,
            "BadArgument",
            f"Traffic {traffic!r} is no map of deployments to whole per cents.",
            target="traffic",
        )
    there = {document.key.partition("/")[2] for document in deployments(local, endpoint_name)}
    unknown = sorted(name for name, share in traffic.items() if share and name not in there)
    if unknown:
        raise ArmError(
            400,
            "BadArgument",
            f"Traffic names {unknown[0]!r}, which endpoint {endpoint_name!r} has not; "
            f"it has: {', '.join(sorted(there)) or 'none'}.",
            target="traffic",
        )
    total = sum(traffic.values())
    if total > most or (whole and total not in (0, most)):
        raise ArmError(
            400, "BadArgument", f"Traffic sums to {total} per cent: it must be 0 or {most}.", target="traffic"
        )
    return {name: share for name, share in traffic.items() if name in there}


def keys(local: Service, name: str) -> Json:
    """The endpoint's two keys, made when first needed; kept apart, so that no answer shows them."""
    found = local.store.get("endpointKeys", name)
    return found or local.store.put(
        "endpointKeys", name, {"primaryKey": new_key(), "secondaryKey": new_key()}
    )


def new_key() -> str:
    """A random key."""
    return secrets.token_urlsafe(32)


def opens(local: Service, document: Document, authorization: str | None) -> bool:
    """Whether an ``Authorization`` header lets its sender score: a key or a token, as the endpoint wants."""
    scheme, _, secret = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        return False
    if str(document["properties"]["authMode"]).lower() == "key":
        held = [str(held).encode() for held in keys(local, document.key).values()]
        matches = [hmac.compare_digest(one, secret.encode()) for one in held]
        return any(matches)
    own = None
    if str(document["properties"]["authMode"]).lower() == "amltoken":
        own = token_audience(local, document.key)
    try:
        local.identity.require(authorization, audience=own)
    except ArmError:
        return False
    return True


def token_audience(local: Service, name: str) -> str:
    """What the tokens of an endpoint of authMode AMLToken are for: itself and no other."""
    return f"{local.settings.base_url}{SCORING}{name}"


def check_mirror(local: Service, endpoint_name: str, mirrored: Any, traffic: Json) -> Json:
    """The map of mirrored traffic, checked: one deployment without live traffic, 50 per cent at most.

    Raises:
        ArmError: 400.
    """
    checked = check_traffic(local, endpoint_name, mirrored, most=MIRRORED, whole=False)
    named = [name for name, share in checked.items() if share]
    live = [name for name in named if traffic.get(name)]
    if len(named) > 1 or live:
        raise ArmError(
            400,
            "BadArgument",
            f"Mirror traffic names {', '.join(named)}: give it to one deployment that has no live traffic.",
            target="mirrorTraffic",
        )
    return checked
