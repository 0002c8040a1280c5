"""Data assets of the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.azureml_local import arm, asset_routes, assets, uris
from include.azureml_local.arm import ArmError, Json
from include.azureml_local.local import authorized_router

if TYPE_CHECKING:
    from include.azureml_local.local import Local

router = authorized_router(f"{arm.WORKSPACE_PATH}/data")

TYPES = ("uri_file", "uri_folder", "mltable")


def complete(local: Local, name: str, version: str, given: Json) -> Json:
    """The stored properties of a data version: the address made whole.

    Raises:
        ArmError: 400 for an unknown type or a missing address.
    """
    uri, kind = str(given.get("dataUri") or ""), given.get("dataType")
    if kind not in TYPES:
        raise ArmError(
            400,
            "UserError",
            f"dataType {kind!r} is unknown: use one of {', '.join(TYPES)}.",
            target="dataType",
        )
    if not uri:
        raise ArmError(400, "UserError", f"Data {name}:{version} has no dataUri.", target="dataUri")
    own = {"referencedUris": given.get("referencedUris")} if kind == "mltable" else {}
    return {**assets.base(given), "dataUri": uris.canonical(local, uri), "dataType": kind, **own}


NOUN = assets.Noun("data", "Data", ("dataUri", "dataType"), complete, shared=("dataType",))
asset_routes.serve(router, NOUN)
