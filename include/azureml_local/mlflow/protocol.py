"""Where MLflow's REST API is served, and how it refuses."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from azureml_local.arm.grammar import TRACKING_PATH, ArmError, Json
from azureml_local.routing import GuardedRoute, title

# Results of one page of a search, as MLflow limits them.
_MOST = 50000
_CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    400: "INVALID_PARAMETER_VALUE",
}


class _MlflowRoute(GuardedRoute):
    """Answers refusals in MLflow's words, ``{"error_code", "message"}``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except ArmError as error:
                body = {"error_code": _CODES.get(error.status, error.code), "message": error.message}
                return JSONResponse(body, error.status, headers=error.headers)

        return answer


def mlflow_router(prefix: str, doc: str | None) -> APIRouter:
    """A router of the tracking API, whose routes need a token; ``doc`` is its module's docstring."""
    return APIRouter(
        prefix=f"{TRACKING_PATH}/api/2.0{prefix}",
        route_class=_MlflowRoute,
        tags=title(doc),
    )


def paged(name: str, items: list[Json], body: Json) -> Json:
    """One page of a search: ``max_results`` items from ``page_token`` on, and the token of the next page.

    Raises:
        ArmError: 400 for a number of results that is not 1 to 50000, or a token that no answer had.
    """
    asked = body.get("max_results")
    token, size = str(body.get("page_token") or "0"), "1000" if asked in (None, "") else str(asked)
    if not token.isdecimal():
        raise ArmError(400, "INVALID_PARAMETER_VALUE", f"page_token {token!r} is of no earlier answer.")
    if not size.isdecimal() or not 0 < int(size) <= _MOST:
        raise ArmError(400, "INVALID_PARAMETER_VALUE", f"max_results is {size}: give 1 to {_MOST}.")
    start, end = int(token), int(token) + int(size)
    answer: Json = {name: items[start:end]}
    return answer | {"next_page_token": str(end)} if end < len(items) else answer
