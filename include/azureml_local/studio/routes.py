"""The pages behind Studio's links: a job, an endpoint, a model, for reading only."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from azureml_local.arm.grammar import ArmError
from azureml_local.assets import models
from azureml_local.assets.rules import AssetsDep
from azureml_local.jobs.history import HistoryDep
from azureml_local.mlflow.metrics import MetricsDep
from azureml_local.online.endpoints import EndpointsDep
from azureml_local.routing import SettingsDep, title
from azureml_local.studio import pages


async def _private(settings: SettingsDep) -> None:
    """Refuse where other machines may ask: these pages know no login; ArmError 403."""
    if settings.exposed:
        raise ArmError(403, "Forbidden", "The pages are shown only while the service listens on loopback.")


router = APIRouter(dependencies=[Depends(_private)], tags=title(__doc__))
_HEADERS = {
    # Nothing from elsewhere, no script, no frame: whatever a job has logged stays text.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _answer(page: pages.Page) -> HTMLResponse:
    return HTMLResponse(pages.html(page), headers=_HEADERS)


@router.get("/runs/{name}")
async def job(name: str, history: HistoryDep, metrics: MetricsDep) -> HTMLResponse:
    """A job as a page: states of its steps, metrics as curves, the end of its logs."""
    return _answer(pages.job(history, metrics, name))


@router.get("/endpoints/realtime/{name}/detail")
async def endpoint(name: str, endpoints: EndpointsDep) -> HTMLResponse:
    """An endpoint as a page, with its deployments."""
    return _answer(pages.endpoint(endpoints.find(name), endpoints.children_of(name)))


@router.get("/model/{name}:{version}/details")
async def model(name: str, version: str, assets: AssetsDep) -> HTMLResponse:
    """A version of a model as a page."""
    return _answer(pages.model(assets.find_version(models.NOUN, name, version)))
