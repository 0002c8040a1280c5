"""Components of the workspace."""

from __future__ import annotations

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.assets.noun import Noun, base
from azureml_local.storage.uris import Uris

TYPES = ("command", "pipeline")


def complete(_: Uris, name: str, version: str, given: Json) -> Json:
    """The stored properties of a component version.

    Raises:
        ArmError: 400 without a definition; 501 for a type that is not run here.
    """
    spec = given.get("componentSpec")
    if not spec:
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
        **base(given),
        "componentSpec": {**spec, "name": spec.get("name") or name, "version": version},
    }


NOUN = Noun("components", "Component", ("componentSpec",), complete)
