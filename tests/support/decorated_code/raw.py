"""A scoring script that takes the request itself and answers with a response of its own."""

from __future__ import annotations

from typing import Any

from azureml.contrib.services.aml_request import AMLRequest, rawhttp  # type: ignore[import-not-found]
from azureml.contrib.services.aml_response import AMLResponse  # type: ignore[import-not-found]


def init() -> None:
    """Nothing to load."""


@rawhttp  # type: ignore[untyped-decorator]
def run(request: AMLRequest) -> Any:
    """The body backwards as plain text; 418 for a body that asks for it."""
    body = request.get_data()
    if body == b'"teapot"':
        return AMLResponse("short and stout", 418)
    return AMLResponse(body[::-1], 200, {"Content-Type": "text/plain"})
