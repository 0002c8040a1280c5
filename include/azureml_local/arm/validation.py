"""What ARM refuses before the resource sees the request: the api-version, no body, another media type.

The types of a body's fields are checked by the pydantic model that a route declares.
"""

from __future__ import annotations

from fastapi import Request

from azureml_local.arm.grammar import ArmError

_ARM = ("/subscriptions/", "/mferp/managementfrontend/subscriptions/")
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
        ArmError: 400 for the api-version or an empty body; 415 for another media type than JSON.
    """
    if not request.url.path.startswith(_ARM):
        return
    check_version(request.query_params.get("api-version"))
    if request.method in ("PUT", "PATCH"):
        if not await request.body():
            raise unreadable("The request content is empty", "")
        _check_media(request.headers.get("Content-Type", ""))


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
