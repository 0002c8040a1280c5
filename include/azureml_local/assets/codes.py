"""Code assets: folders of code that jobs and deployments bring along."""

from __future__ import annotations

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.assets.noun import Noun, base
from azureml_local.storage.uris import Uris


def complete(_: Uris, name: str, version: str, given: Json) -> Json:
    """The stored properties of a code version; ArmError 400 without an address."""
    if not given.get("codeUri"):
        raise ArmError(400, "UserError", f"Code {name}:{version} has no codeUri.", target="codeUri")
    return {**base(given), "codeUri": given["codeUri"]}


NOUN = Noun("codes", "Code", ("codeUri",), complete, by_content=True)
