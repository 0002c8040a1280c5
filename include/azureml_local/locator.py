"""The whole service as a dependency, for the wings that do not yet declare the parts that they need."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from azureml_local.service import Service


async def _service(request: Request) -> Service:
    return cast(Service, request.app.state.service)


ServiceDep = Annotated[Service, Depends(_service)]
