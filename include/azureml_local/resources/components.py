"""Components of the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.azureml_local import arm, asset_routes, assets
from include.azureml_local.arm import ArmError, Json
from include.azureml_local.local import authorized_router

if TYPE_CHECKING:
    from include.azureml_local.local import Local

router = authorized_router(f"{arm.WORKSPACE_PATH}/components")

TYPES = ("command", "pipeline")


def complete(local: Local, name: str, version: str, given: Json) -> Json:
    """The stored properties of a component version.

    Raises:
        ArmError: 400 without a definition; 501 for a type that is not run here.
    """
    spec = given.get("componentSpec")
    if not isinstance(spec, dict) or not spec:
        raise ArmError(
            400, "UserError", f"Component {name}:{version} has no componentSpec.", target="componentSpec"
        )
    kind = str(spec.get("type", "command")).removesuffix("_component")
    if kind not in TYPES:
        raise ArmError(
            501,
            "NotImplemented",
            f"Components of type {kind!r} are not run here: use one of {', '.join(TYPES)}.",
        )
    return {
        **assets.base(given),
        "componentSpec": {**spec, "name": spec.get("name") or name, "version": version},
    }


NOUN = assets.Noun("components", "Component", ("componentSpec",), complete)
asset_routes.serve(router, NOUN)
