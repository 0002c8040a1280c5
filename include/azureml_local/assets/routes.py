"""The routes that every kind of versioned asset has: containers and versions, listed, read, put, deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from azureml_local.arm import grammar
from azureml_local.arm.grammar import Json
from azureml_local.arm.lists import select
from azureml_local.assets import rules, schemas
from azureml_local.engine.store import Document
from azureml_local.locator import ServiceDep
from azureml_local.routing import ScopeDep
from azureml_local.service import Service


def serve(router: APIRouter, noun: rules.Noun) -> None:
    """Add the routes of a noun to its router, whose prefix is ``<workspace>/<plural>``."""

    async def list_containers(scope: ScopeDep, local: ServiceDep, request: Request) -> Json:
        """The assets of this kind, without anonymous ones."""
        chosen = [
            item for item in local.store.list(noun.containers) if not item["properties"].get("isAnonymous")
        ]
        return grammar.page(
            request, [rules.container_body(local, noun, scope, item) for item in select(request, chosen)]
        )

    async def get_container(name: str, scope: ScopeDep, local: ServiceDep) -> Json:
        """One asset, with its latest and next version."""
        return rules.container_body(local, noun, scope, _container(local, name))

    async def put_container(name: str, scope: ScopeDep, local: ServiceDep, body: schemas.Version) -> Response:
        """Make an asset without versions, or change, archive or restore it."""
        rules.check_name(noun.what, name, "1")
        before = local.store.get(noun.containers, name)
        given = {**(before["properties"] if before else {}), **body.properties.sent()}
        shared = {field: given.get(field) for field in noun.shared}
        document = local.store.put(noun.containers, name, {"properties": rules.base(given) | shared})
        return JSONResponse(rules.container_body(local, noun, scope, document), 200 if before else 201)

    async def delete_container(name: str, scope: ScopeDep, local: ServiceDep) -> Response:
        """Remove an asset with all its versions."""
        found = local.store.delete(noun.containers, name)
        for item in rules.versions(local, noun.plural, name):
            local.store.delete(noun.plural, item.key)
        return Response(status_code=200 if found else 204)

    async def list_versions(name: str, scope: ScopeDep, local: ServiceDep, request: Request) -> Json:
        """The versions of an asset, newest first; by view, tags, order, hash."""
        chosen = select(request, rules.versions(local, noun.plural, name))
        return grammar.page(request, [rules.version_body(noun, scope, item) for item in chosen])

    async def get_version(name: str, version: str, scope: ScopeDep, local: ServiceDep) -> Json:
        """One version; ``azureml_default`` is the newest."""
        return rules.version_body(noun, scope, rules.find_version(local, noun, name, version))

    async def put_version_(
        name: str, version: str, scope: ScopeDep, local: ServiceDep, body: schemas.Version
    ) -> Response:
        """Make a version, or change what may change; 409 if it exists with other content."""
        document, new = rules.put_version(local, noun, name, version, body.properties.sent())
        return JSONResponse(rules.version_body(noun, scope, document), 201 if new else 200)

    async def delete_version(name: str, version: str, scope: ScopeDep, local: ServiceDep) -> Response:
        """Remove one version."""
        found = local.store.delete(noun.plural, f"{name}/{version}")
        return Response(status_code=200 if found else 204)

    def _container(local: Service, name: str) -> Document:
        document = local.store.get(noun.containers, name)
        if document is None:
            raise grammar.not_found(noun.what, name, "the workspace")
        return document

    routes: list[tuple[str, str, Callable[..., Awaitable[Json | Response]]]] = [
        ("", "GET", list_containers),
        ("/{name}", "GET", get_container),
        ("/{name}", "PUT", put_container),
        ("/{name}", "DELETE", delete_container),
        ("/{name}/versions", "GET", list_versions),
        ("/{name}/versions/{version}", "GET", get_version),
        ("/{name}/versions/{version}", "PUT", put_version_),
        ("/{name}/versions/{version}", "DELETE", delete_version),
    ]
    for path, method, function in routes:
        router.add_api_route(path, function, methods=[method], response_model=None)
