"""The routes of every kind of versioned asset: containers and versions, listed, read, put, deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from azureml_local.arm import grammar
from azureml_local.arm.grammar import WORKSPACE_PATH, Json
from azureml_local.arm.lists import select
from azureml_local.assets import codes, components, data, environments, models
from azureml_local.assets.noun import DEFAULT_LABEL, Noun, check_name, version_body
from azureml_local.assets.rules import DEFAULT_VERSION, AssetsDep
from azureml_local.assets.schemas import Version
from azureml_local.routing import ScopeDep, authorized_router


def serve(router: APIRouter, noun: Noun) -> APIRouter:
    """Add the routes of a noun to its router, whose prefix is ``<workspace>/<plural>``."""

    async def list_containers(scope: ScopeDep, assets: AssetsDep, request: Request) -> Json:
        """The assets of this kind, without anonymous ones."""
        chosen = select(request, assets.containers(noun))
        return grammar.page(request, [assets.container_body(noun, scope, item) for item in chosen])

    async def get_container(name: str, scope: ScopeDep, assets: AssetsDep) -> Json:
        """One asset, with its latest and next version."""
        return assets.container_body(noun, scope, assets.container(noun, name))

    async def put_container(name: str, scope: ScopeDep, assets: AssetsDep, body: Version) -> Response:
        """Make an asset without versions, or change, archive or restore it."""
        document, new = assets.put_container(noun, name, body.properties.sent())
        return JSONResponse(assets.container_body(noun, scope, document), 201 if new else 200)

    async def delete_container(name: str, _: ScopeDep, assets: AssetsDep) -> Response:
        """Remove an asset with all its versions."""
        return Response(status_code=200 if assets.delete_container(noun, name) else 204)

    async def list_versions(name: str, scope: ScopeDep, assets: AssetsDep, request: Request) -> Json:
        """The versions of an asset, newest first; by view, tags, order. Code by hash: of all names."""
        of_all = noun.by_content and "hash" in request.query_params
        chosen = select(request, assets.versions(noun.plural, None if of_all else name))
        return grammar.page(request, [version_body(noun, scope, item) for item in chosen])

    async def get_version(name: str, version: str, scope: ScopeDep, assets: AssetsDep) -> Json:
        """One version; ``azureml_default`` is the newest."""
        label = DEFAULT_LABEL if version == DEFAULT_VERSION else None
        return version_body(noun, scope, assets.find_version(noun, name, version), label)

    async def put_version(
        name: str, version: str, scope: ScopeDep, assets: AssetsDep, body: Version
    ) -> Response:
        """Make a version, or change what may change; 409 if it exists with other content."""
        document, new = assets.put_version(noun, name, version, body.properties.sent())
        return JSONResponse(version_body(noun, scope, document), 201 if new else 200)

    async def delete_version(name: str, version: str, _: ScopeDep, assets: AssetsDep) -> Response:
        """Remove one version."""
        return Response(status_code=200 if assets.delete_version(noun, name, version) else 204)

    routes: list[tuple[str, str, Callable[..., Awaitable[Json | Response]]]] = [
        ("", "GET", list_containers),
        ("/{name}", "GET", get_container),
        ("/{name}", "PUT", put_container),
        ("/{name}", "DELETE", delete_container),
        ("/{name}/versions", "GET", list_versions),
        ("/{name}/versions/{version}", "GET", get_version),
        ("/{name}/versions/{version}", "PUT", put_version),
        ("/{name}/versions/{version}", "DELETE", delete_version),
    ]
    for path, method, function in routes:
        router.add_api_route(path, function, methods=[method], response_model=None)
    return router


_codes = authorized_router(f"{WORKSPACE_PATH}/codes", codes.__doc__)


@_codes.post("/{name}/versions/{version}/startPendingUpload")
async def start_pending_upload(name: str, version: str, scope: ScopeDep, assets: AssetsDep) -> Json:
    """Where to upload the folder of a code version that is about to be made."""
    check_name("Code", name, version)
    return assets.pending_upload(scope.id)


codes_router = serve(_codes, codes.NOUN)
components_router = serve(
    authorized_router(f"{WORKSPACE_PATH}/components", components.__doc__), components.NOUN
)
data_router = serve(authorized_router(f"{WORKSPACE_PATH}/data", data.__doc__), data.NOUN)
environments_router = serve(
    authorized_router(f"{WORKSPACE_PATH}/environments", environments.__doc__), environments.NOUN
)
models_router = serve(authorized_router(f"{WORKSPACE_PATH}/models", models.__doc__), models.NOUN)
