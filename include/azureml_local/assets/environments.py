"""Environments of the workspace: kept and answered; local jobs run in the one compute environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azureml_local.arm import grammar
from azureml_local.arm.grammar import ArmError, Json
from azureml_local.assets import routes, rules
from azureml_local.routing import authorized_router

if TYPE_CHECKING:
    from azureml_local.service import Service

router = authorized_router(f"{grammar.WORKSPACE_PATH}/environments")


def complete(local: Service, name: str, version: str, given: Json) -> Json:
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
        **rules.base(given),
        **{field: given[field] for field in own if given.get(field) is not None},
        "osType": given.get("osType") or "Linux",
        "environmentType": "UserCreated",
    }


NOUN = rules.Noun("environments", "Environment", ("image", "build", "condaFile"), complete)
routes.serve(router, NOUN)
