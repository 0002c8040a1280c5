"""Environments of the workspace: kept and answered; local jobs run in the one compute environment."""

from __future__ import annotations

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.assets.noun import Noun, base
from azureml_local.storage.uris import Uris


def complete(_: Uris, name: str, version: str, given: Json) -> Json:
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
        **base(given),
        **{field: given[field] for field in own if given.get(field) is not None},
        "osType": given.get("osType") or "Linux",
        "environmentType": "UserCreated",
    }


NOUN = Noun("environments", "Environment", ("image", "build", "condaFile"), complete)
