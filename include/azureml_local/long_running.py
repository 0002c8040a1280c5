"""The routes that every resource which changes slowly has: list, get, put, patch, delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from azureml_local.arm import grammar, schemas
from azureml_local.arm.grammar import Json
from azureml_local.engine.resources import Resources
from azureml_local.routing import ScopeDep, part

Nouns = Resources[Any, Any]


def serve(router: APIRouter, noun: type[Nouns]) -> None:
    """Add the routes of a noun to its router, whose prefix ends in the noun's path segment."""
    mfe = noun.family == "mfe"

    def key_of(request: Request) -> str:
        return "/".join(request.path_params[name] for name in noun.path)

    async def list_(request: Request, scope: ScopeDep, resources: Nouns) -> Json:
        owner = "/".join(request.path_params[name] for name in noun.path[:-1])
        name = request.query_params.get("name") if noun.lists_by_name else None
        listed = [one for one in resources.below(owner) if not name or one.key == name]
        return grammar.page(request, [resources.render(scope, one) for one in listed])

    async def get(request: Request, scope: ScopeDep, resources: Nouns) -> Json:
        return resources.render(scope, resources.find(key_of(request)))

    async def put(
        request: Request, scope: ScopeDep, resources: Nouns, body: schemas.Resource
    ) -> JSONResponse:
        begun = resources.put(key_of(request), body)
        answer = resources.render(scope, begun.document)
        return JSONResponse(answer, 201 if begun.new else 200, resources.headers(scope, begun.operation))

    async def patch(
        request: Request, scope: ScopeDep, resources: Nouns, body: schemas.Resource
    ) -> JSONResponse:
        begun = resources.patch(key_of(request), body)
        headers = resources.headers(scope, begun.operation, final=not mfe)
        return JSONResponse(resources.render(scope, begun.document), 202 if mfe else 200, headers)

    async def delete(request: Request, scope: ScopeDep, resources: Nouns) -> JSONResponse:
        key = key_of(request)
        if mfe and not resources.exists(key):
            return JSONResponse(None, 204)
        begun = resources.delete(key)
        headers = resources.headers(scope, begun.operation, final=not mfe)
        return JSONResponse(None, 202, headers)

    own: Any = Annotated[noun, part(noun)]
    routes: list[tuple[str, str, Callable[..., Awaitable[Any]], dict[str, Any]]] = [
        ("", "GET", list_, {}),
        ("/{name}", "GET", get, {}),
        ("/{name}", "PUT", put, {"body": noun.body}),
        ("/{name}", "PATCH", patch, {"body": noun.changes}),
        ("/{name}", "DELETE", delete, {}),
    ]
    for (path, method, function, types), summary in zip(routes, noun.summaries, strict=True):
        # FastAPI reads the types of parameters from here; those of a noun are known only now.
        function.__annotations__ |= {"resources": own, **types}
        function.__doc__ = summary
        router.add_api_route(path, function, methods=[method], response_model=None)
