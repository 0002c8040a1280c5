"""Where MLflow's REST API is served, and how it refuses."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from azureml_local.arm.grammar import TRACKING_PATH, ArmError
from azureml_local.routing import GuardedRoute, title

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
