"""The managed-identity token service, in the form that App Service gives it (``IDENTITY_ENDPOINT``)."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.identity import CLIENT_ID
from azureml_local.routing import IdentityDep, title

router = APIRouter(tags=title(__doc__))


@router.get("/msi/token")
async def token(
    identity: IdentityDep,
    resource: Annotated[str | None, Query()] = None,
    scope: Annotated[str | None, Query()] = None,
    x_identity_header: Annotated[str, Header()] = "",
) -> dict[str, Any]:
    """A token for a resource (or a scope ``<resource>/.default``).

    Raises:
        ArmError: 401 if the identity header is not the service's; 400 without a resource.
    """
    if not secrets.compare_digest(x_identity_header.encode(), identity.header.encode()):
        raise ArmError(
            401, "Unauthorized", "The X-IDENTITY-HEADER is missing or wrong: source azure.env again."
        )
    audience = resource or (scope or "").removesuffix("/.default")
    if not audience:
        raise ArmError(
            400, "BadRequest", "Give the query parameter 'resource' (or 'scope').", target="resource"
        )
    signed, expires = identity.issue(audience)
    return {
        "access_token": signed,
        "expires_on": str(expires),
        "resource": audience,
        "token_type": "Bearer",
        "client_id": CLIENT_ID,
    }
