"""The grammar of Azure Resource Manager: ids, envelopes, errors, pages.

Source: the ``common-types`` of the published contract (ErrorResponse, Resource, systemData).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import JSONResponse

from azureml_local.settings import RESOURCE_GROUP, SUBSCRIPTION_ID, WORKSPACE

PROVIDER = "Microsoft.MachineLearningServices"
# Route prefix of everything inside a workspace.
WORKSPACE_PATH = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}/workspaces/{{workspace}}"
)
# Route prefix of the workspace's MLflow service.
TRACKING_PATH = f"/mlflow/v1.0{WORKSPACE_PATH}"
# Route prefix of what a location offers, and of the state of operations.
LOCATION_PATH = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}"

Json = dict[str, Any]


class ArmError(Exception):
    """A refusal, answered as ARM's ``{"error": {...}}`` with the given HTTP status."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: list[Json] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.target, self.details, self.headers = target, details or [], dict(headers or {})

    def body(self) -> Json:
        """The error document (ErrorResponse of common-types v3)."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "target": self.target,
                "details": self.details,
                "additionalInfo": [],
            }
        }

    def response(self) -> JSONResponse:
        """The refusal as an HTTP answer."""
        return JSONResponse(self.body(), self.status, headers=self.headers)


def not_found(what: str, name: str, where: str) -> ArmError:
    """404 with Azure's code for a child resource that does not exist."""
    return ArmError(404, "ResourceNotFound", f"{what} {name!r} was not found in {where}.", target=name)


@dataclass(frozen=True)
class Scope:
    """The workspace that a request is about, checked to exist."""

    subscription: str
    group: str
    workspace: str

    @property
    def id(self) -> str:
        """ARM id of the workspace."""
        return WORKSPACE_PATH.format(
            subscription=self.subscription, group=self.group, workspace=self.workspace
        )

    def child(self, *segments: str) -> str:
        """ARM id of something below the workspace: ``child("computes", "gpu")``."""
        return "/".join((self.id, *segments))


async def workspace_scope(request: Request) -> Scope:
    """FastAPI dependency of every workspace route: :func:`scope_of` what the path names."""
    # Read here, not declared as parameters: FastAPI would build three fields for each of 90 routes.
    path = request.path_params
    return scope_of(path["subscription"], path["group"], path["workspace"])


def scope_of(subscription: str, group: str, workspace: str) -> Scope:
    """The workspace of that name.

    Raises:
        ArmError: 404 with the code that Azure gives for each part that is wrong.
    """
    if subscription != SUBSCRIPTION_ID:
        raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
    if group != RESOURCE_GROUP:
        raise ArmError(
            404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.", target=group
        )
    if workspace != WORKSPACE:
        raise ArmError(
            404,
            "ResourceNotFound",
            f"The Resource '{PROVIDER}/workspaces/{workspace}' under resource group '{group}' was not found.",
            target=workspace,
        )
    return Scope(subscription, group, workspace)


def tracking_uri(base_url: str) -> str:
    """Address of the workspace's MLflow service."""
    path = TRACKING_PATH.format(subscription=SUBSCRIPTION_ID, group=RESOURCE_GROUP, workspace=WORKSPACE)
    return f"{base_url}{path}"


def envelope(
    arm_id: str,
    properties: Json,
    *,
    created: str,
    modified: str | None = None,
    **extra: Any,
) -> Json:
    """A resource as ARM sends it: id, name, type, properties, systemData and ``extra`` (location, tags...).

    Args:
        arm_id: full id, from which name and type follow.
        properties: the noun's own fields.
        created: time of creation, ISO 8601 in UTC.
        modified: time of the last change; the creation's if missing.
        **extra: further top-level fields.
    """
    tail = arm_id.split("/providers/", 1)[-1].split("/")
    kind = "/".join([tail[0], *tail[1::2]])
    return {
        "id": arm_id,
        "name": tail[-1],
        "type": kind,
        "properties": properties,
        "systemData": {
            "createdAt": created,
            "createdBy": CALLER,
            "createdByType": "Application",
            "lastModifiedAt": modified or created,
            "lastModifiedBy": CALLER,
            "lastModifiedByType": "Application",
        },
        **extra,
    }


CALLER: Final = "azureml-local"


def whole_number(
    query: Mapping[str, Any], name: str, default: int, *, least: int = 0, code: str = "InvalidQueryParameter"
) -> int:
    """A number of a request's query; ``default`` where it is absent or empty.

    Raises:
        ArmError: 400 if it is no whole number, less than ``least``, or more than 32 bits hold.
    """
    text = str(query.get(name) or "")
    if not text:
        return default
    if not re.fullmatch(r"-?[0-9]{1,10}", text) or not least <= int(text) < 1 << 31:
        raise ArmError(
            400,
            code,
            f"The value {text[:50]!r} of {name} is not valid: give a whole number from {least} to {(1 << 31) - 1}.",
            target=name,
        )
    return int(text)


def page(request: Request, items: Iterable[Json], *, size: int = 100) -> Json:
    """One page of a list with ``nextLink``, driven by ``$skip`` and ``$top``/``count`` of the request.

    Raises:
        ArmError: 400 if ``$skip`` or ``$top`` is no number.
    """
    query = dict(request.query_params)
    skip = whole_number(query, "$skip", 0)
    size = min(size, whole_number(query, "$top", whole_number(query, "count", size)))
    chosen = list(islice(items, skip, skip + size + 1))
    answer: Json = {"value": chosen[:size]}
    if not query.get("$top") and len(chosen) > size:
        query["$skip"] = str(skip + size)
        answer["nextLink"] = (
            f"{request.url.scheme}://{request.url.netloc}{request.url.path}?{urlencode(query)}"
        )
    return answer
