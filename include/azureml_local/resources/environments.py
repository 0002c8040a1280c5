"""Environments of the workspace: kept and answered; local jobs run in the one compute environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.azureml_local import arm, asset_routes, assets
from include.azureml_local.arm import ArmError, Json
from include.azureml_local.local import authorized_router

if TYPE_CHECKING:
    from include.azureml_local.local import Local

router = authorized_router(f"{arm.WORKSPACE_PATH}/environments")


def complete(local: Local, name: str, version: str, given: Json) -> Json:
    """The stored properties of an environment version.

    Raises:
        ArmError: 400 if it has neither an image nor a build.
    """
    if not given.get("image") and not given.get("build"):
        raise ArmError(
            400, "UserError", f"Environment {name}:{version} has neither 'image' nor 'build'.", target=name
        )
    own = ("image", "build", "condaFile", "inferenceConfig", "autoRebuild")
    return {
        **assets.base(given),
        **{field: given[field] for field in own if given.get(field) is not None},
        "osType": given.get("osType") or "Linux",
        "environmentType": "UserCreated",
    }


NOUN = assets.Noun("environments", "Environment", ("image", "build", "condaFile"), complete)
asset_routes.serve(router, NOUN)
