"""Data assets of the workspace."""

from __future__ import annotations

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.assets.noun import Noun, base
from azureml_local.storage.uris import Uris

TYPES = ("uri_file", "uri_folder", "mltable")


def complete(uris: Uris, name: str, version: str, given: Json) -> Json:
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
    address = uris.canonical(uri)
    if kind != "uri_file" and address.startswith("azureml://") and not address.endswith("/"):
        address += "/"
    return {**base(given), "dataUri": address, "dataType": kind, **own}


NOUN = Noun("data", "Data", ("dataUri", "dataType"), complete, shared=("dataType",))
