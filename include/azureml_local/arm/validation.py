"""What ARM refuses before a resource is asked: api-version, media type, and the types of a body's fields."""

from __future__ import annotations

import re
from typing import Any

from fastapi import Request
from pydantic import ValidationError

from azureml_local.arm.grammar import ArmError
from azureml_local.arm.schemas import BODIES

_ARM = ("/subscriptions/", "/mferp/managementfrontend/subscriptions/")
_NOUN = re.compile(r"/(?:workspaces/\{workspace\}|registries/\{registry_name\})/(.+)")
_DATES = """\
2021-10-01-dataplanepreview 2022-01-01-preview 2022-02-01-preview 2022-05-01 2022-06-01-preview 2022-10-01
2022-10-01-preview 2022-12-01-preview 2023-02-01-preview 2023-04-01 2023-04-01-preview 2023-06-01-preview
2023-08-01-preview 2023-10-01 2024-01-01-preview 2024-04-01 2024-04-01-preview 2024-07-01-preview 2024-10-01
2024-10-01-preview 2025-01-01-preview 2025-04-01 2025-04-01-preview 2025-06-01 2025-07-01-preview 2025-09-01
2025-12-01 2026-05-01-preview"""
API_VERSIONS = frozenset(_DATES.split())
"""Versions of Microsoft.MachineLearningServices that are answered, all in one shape.

They are those that the SDK asks with, and those between.
"""


async def check(request: Request) -> None:
    """FastAPI dependency of every route with a token: refuses what ARM's front door refuses.

    Raises:
        ArmError: 400 for the api-version or a body whose fields have the wrong types; 415 for another
            media type than JSON.
    """
    if not request.url.path.startswith(_ARM):
        return
    check_version(request.query_params.get("api-version"))
    if request.method in ("PUT", "PATCH"):
        model = BODIES.get(_noun(request))
        if model is not None:
            if not await request.body():
                raise unreadable("The request content is empty", "")
            _check_media(request.headers.get("Content-Type", ""))
            check_body(model, await request.json(), whole=request.method == "PUT")


def check_version(version: str | None) -> None:
    """Refuse a request without a version, or with one that never was.

    Raises:
        ArmError: 400 with ARM's codes and words.
    """
    if not version:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if version not in API_VERSIONS:
        raise ArmError(
            400,
            "InvalidApiVersionParameter",
            f"The api-version '{version}' is invalid. The supported versions are "
            f"'{','.join(sorted(API_VERSIONS, reverse=True))}'.",
        )


def check_body(model: Any, body: Any, *, whole: bool) -> None:
    """Refuse a body whose fields have other types than the noun's contract gives them.

    Args:
        model: a type of :mod:`azureml_local.arm.schemas`.
        body: the parsed JSON.
        whole: whether ``properties`` must be there, as in a PUT.

    Raises:
        ArmError: 400 that names the field.
    """
    try:
        given = model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise unreadable(first["msg"], ".".join(str(part) for part in first["loc"])) from None
    if whole and given.properties is None:
        raise unreadable("Field required", "properties")


def unreadable(problem: str, path: str) -> ArmError:
    """400 in ARM's words for content that cannot be read."""
    where = f" Path '{path}'." if path else ""
    return ArmError(
        400,
        "InvalidRequestContent",
        f"The request content was invalid and could not be deserialized: '{problem.rstrip('.')}.{where}'.",
        target=path or None,
    )


def _check_media(media: str) -> None:
    kind = media.partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise ArmError(
            415,
            "UnsupportedMediaType",
            f"The content media type '{media or '<null>'}' is not supported. "
            "Only 'application/json' is supported.",
        )


def _noun(request: Request) -> str:
    """Which body a route takes: ``computes``, ``data/versions``, ``onlineEndpoints/deployments``..."""
    match = _NOUN.search(request.scope["route"].path)
    if match is None:
        return ""
    parts = match[1].format_map({**request.path_params, "name": "", "version": ""}).split("/")
    return "/".join(part for part in parts[::2] if part)
