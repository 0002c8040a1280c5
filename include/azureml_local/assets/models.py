"""Models of the workspace."""

from __future__ import annotations

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.assets.noun import Noun, base
from azureml_local.storage.addresses import job_of
from azureml_local.storage.uris import Uris

TYPES = ("custom_model", "mlflow_model", "triton_model")


def _flavors(uris: Uris, uri: str, name: str) -> Json:
    """The flavours that the model's MLmodel file lists, each with its fields as text.

    Raises:
        ArmError: 400 if an MLflow model has no readable MLmodel file.
    """
    import yaml

    file = uris.resolve(uri) / "MLmodel"
    try:
        described = yaml.safe_load(file.read_text())["flavors"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ArmError(
            400,
            "UserError",
            f"{uri} holds no MLflow model: no readable MLmodel file is in it, so '{name}' is not registered.",
            target=name,
        ) from error
    return {
        flavor: {"data": {key: str(value) for key, value in (data or {}).items()}}
        for flavor, data in described.items()
    }


def complete(uris: Uris, name: str, version: str, given: Json) -> Json:
    """The stored properties of a model version: the address made whole, flavours read, the job named.

    Raises:
        ArmError: 400 for an unknown type, a missing address, or an MLflow model that is none.
    """
    uri, kind = str(given.get("modelUri") or ""), given.get("modelType") or "custom_model"
    if kind not in TYPES:
        raise ArmError(
            400,
            "UserError",
            f"modelType {kind!r} is unknown: use one of {', '.join(TYPES)}.",
            target="modelType",
        )
    if not uri:
        raise ArmError(400, "UserError", f"Model {name}:{version} has no modelUri.", target="modelUri")
    path = uris.canonical(uri)
    if not uris.resolve(path).exists():
        raise ArmError(
            400,
            "UserError",
            f"There is nothing at {uri}: model {name}:{version} cannot be registered.",
            target=uri,
        )
    return {
        **base(given),
        "modelUri": path,
        "modelType": kind,
        "flavors": _flavors(uris, path, name) if kind == "mlflow_model" else given.get("flavors") or {},
        "jobName": given.get("jobName") or job_of(uri),
        "stage": given.get("stage"),
    }


NOUN = Noun("models", "Model", ("modelUri", "modelType"), complete)
